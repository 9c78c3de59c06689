"""What a stage says of itself: its distributions and what each claims to have."""

import base64
import binascii
import csv
import io
import json
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit

from packaging.utils import canonicalize_name, canonicalize_version

from cnb_python.distributions import entry_points as distributions_entry_points
from cnb_python.distributions.entry_points import EntryPoint
from cnb_python.distributions.model import File
from cnb_python.distributions.scan import FileEntry


class DirectUrl(NamedTuple):
    """What the file says."""

    content: bytes
    """The file in one form, without password and query; empty where the image has none."""
    directory: str
    """The directory on disk it was installed from, empty where it was none."""
    is_repository: bool


NOWHERE = DirectUrl(b"", "", is_repository=False)


def read_direct_url(content: bytes) -> DirectUrl:
    """Return what *content* says. What is not understood is left out: it may hold a token.

    Of an installation from a directory it is kept only where it is editable, which tools ask for:
    elsewhere it names a place that the image need not have.
    """
    try:
        said = json.loads(content)
        parts = urlsplit(said["url"])
        user, _, host = parts.netloc.rpartition("@")
    except ValueError, TypeError, KeyError, AttributeError, RecursionError:
        return NOWHERE
    if not isinstance(said, dict):
        return NOWHERE
    # `ssh://git@...` is no secret and needed. A query is a signature or a token as a rule.
    netloc = f"git@{host}" if user == "git" else host
    said["url"] = urlunsplit(parts._replace(netloc=netloc, query=""))
    directory = said.get("dir_info")
    is_editable = isinstance(directory, dict) and directory.get("editable") is True
    text = json.dumps(said, sort_keys=True, separators=(",", ":"))
    return DirectUrl(
        text.encode() if directory is None or is_editable else b"",
        unquote(parts.path) if directory is not None and parts.scheme == "file" else "",
        "vcs_info" in said,
    )


_LONGEST_FIELD = 1 << 20


class RecordedFiles(NamedTuple):
    """What a RECORD says."""

    digests: Mapping[str, str]
    """SHA-256 in hex by path below the environment, empty where it is not said."""
    outside: tuple[str, ...]
    """What would lie outside the environment, as it is written."""


def read_record(content: bytes, site: str, final: str) -> RecordedFiles:
    """Return what *content* claims, taken from directory *site* of the environment *final*.

    Lines that make no sense are left out.
    """
    digests: dict[str, str] = {}
    outside: list[str] = []
    for row in _rows(content):
        path = _place(row[0], site, final)
        if path:
            digests[path] = _digest(row[1] if len(row) > 1 else "")
        else:
            outside.append(row[0])
    return RecordedFiles(digests, tuple(outside))


def render_record(files: Iterable[File], own: str, site: str) -> bytes:
    """Return the RECORD, which is at *own*, of *files*: sorted, with paths from *site*.

    As pip does, nothing is said of bytecode, and nothing of itself.
    """
    rows = []
    for file in files:
        is_silent = file.path == own or file.path.endswith(".pyc") or file.target
        said = ("", "") if is_silent else (f"sha256={_base64(file.digest)}", str(file.size))
        rows.append((_from_site(file.path, site), *said))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(sorted(rows))
    return text.getvalue().encode(errors="surrogateescape")


def _rows(content: bytes) -> Iterator[list[str]]:
    text = content.decode("utf-8", "surrogateescape").replace("\0", "")
    # Not the module's default, which ends the reading of everything that follows.
    csv.field_size_limit(_LONGEST_FIELD)
    rows = csv.reader(io.StringIO(text, newline=""))
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error:
            continue
        if row and row[0]:
            yield row


def _place(path: str, site: str, final: str) -> str:
    """Return *path* below the environment, empty when it is not there."""
    whole = posixpath.normpath(posixpath.join(final, site, path))
    below = whole.removeprefix(f"{final}/")
    if below == whole:
        return ""
    # `lib64` is a link to `lib`.
    return f"lib/{below.removeprefix('lib64/')}" if below.startswith("lib64/") else below


def _digest(field: str) -> str:
    name, _, value = field.partition("=")
    if name != "sha256":
        return ""
    try:
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).hex()
    except binascii.Error, ValueError:
        return ""


def _base64(digest: str) -> str:
    return base64.urlsafe_b64encode(bytes.fromhex(digest)).rstrip(b"=").decode()


def _from_site(path: str, site: str) -> str:
    if path.startswith(f"{site}/"):
        return path[len(site) + 1 :]
    return posixpath.relpath(path, site)


@dataclass(frozen=True, slots=True)
class StagedEnvironment:
    """An environment that a manager filled, to be taken apart."""

    root: Path
    """Where it is now."""
    final: Path
    """Where it was filled, and its files will be in the image."""
    line: str
    """The release line of its interpreter, as directories have it: `3.14`, `3.14t`."""

    @property
    def site(self) -> str:
        """The directory of its packages, below the environment."""
        return f"lib/python{self.line}/site-packages"

    @property
    def site_packages(self) -> Path:
        """The directory of its packages."""
        return self.root / self.site

    def metadata_files(self) -> dict[str, Path]:
        """Return the METADATA of each distribution, by its normalised name."""
        return metadata_files_in(self.site_packages)


INFO = ".dist-info"
_LEGACY = ".egg-info"
KINDS = (INFO, _LEGACY)
"""What the names of directories end in that describe a distribution."""

_NOTHING = RecordedFiles({}, ())
# Only an index refuses wheels that are made for one machine.
_MADE_HERE = re.compile(r"^Tag: .*-linux_\w+\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Installed:
    """One distribution as its own metadata describes it."""

    name: str
    """Normalised (PEP 503)."""
    version: str
    """Normalised (PEP 440)."""
    info: str
    """Its `*.dist-info` or legacy `*.egg-info`, below the environment."""
    claims: RecordedFiles
    scripts: Mapping[str, EntryPoint]
    from_source: bool


def metadata_files_in(site_packages: Path) -> dict[str, Path]:
    """Return the metadata file of each distribution in *site_packages*, by its normalised name."""
    found: dict[str, Path] = {}
    for place in sorted(site_packages.glob(f"*{INFO}")):
        metadata = place / "METADATA"
        if _is_file(metadata):
            name, _ = _identity(metadata.read_bytes(), place.name)
            found.setdefault(name, metadata)
    return found


def find(root: Path, tree: Mapping[str, FileEntry], site: str, final: str) -> list[Installed]:
    """Return the distributions that *tree*, which lies at *root*, has in its directory *site*.

    In the order of their directories; several may have one name.
    """
    prefix = f"{site}/"
    tops = {
        path.removeprefix(prefix).partition("/")[0] for path in tree if path.startswith(prefix)
    }
    return [
        _installed(_DistInfoReader(root, tree), f"{site}/{top}", site, final)
        for top in sorted(tops)
        if top.endswith(KINDS)
    ]


@dataclass(frozen=True, slots=True)
class _DistInfoReader:
    root: Path
    tree: Mapping[str, FileEntry]

    def read(self, *paths: str) -> bytes:
        """Return the first of *paths* that is a file, not a link; else nothing."""
        for path in paths:
            if path in self.tree and not self.tree[path].target:
                return (self.root / path).read_bytes()
        return b""


def _installed(reader: _DistInfoReader, info: str, site: str, final: str) -> Installed:
    metadata = reader.read(f"{info}/METADATA", f"{info}/PKG-INFO", info)
    name, version = _identity(metadata, info.rpartition("/")[2])
    entry_points = reader.read(f"{info}/entry_points.txt")
    line = site.split("/")[1].removeprefix("python")
    return Installed(
        name=name,
        version=version,
        info=info,
        claims=_claims(reader, info, site, final),
        scripts=distributions_entry_points.declared(entry_points, line),
        from_source=bool(
            _MADE_HERE.search(reader.read(f"{info}/WHEEL").decode("utf-8", "replace"))
        ),
    )


def _claims(reader: _DistInfoReader, info: str, site: str, final: str) -> RecordedFiles:
    said = read_record(reader.read(f"{info}/RECORD"), site, final)
    if said.digests or said.outside:
        return said
    # Left by `setup.py install`, with paths from its own directory; no more than a hint.
    if content := reader.read(f"{info}/installed-files.txt"):
        return read_record(content, info, final)
    tops = reader.read(f"{info}/top_level.txt").decode("utf-8", "replace").split()
    if not tops:
        return _NOTHING
    wanted = {f"{site}/{top}" for top in tops} | {f"{site}/{top}.py" for top in tops}
    below = tuple(f"{site}/{top}/" for top in tops)
    return RecordedFiles(
        {path: "" for path in reader.tree if path in wanted or path.startswith(below)}, ()
    )


def _identity(metadata: bytes, directory: str) -> tuple[str, str]:
    """Return name and version as *metadata* has them, or the name of its directory."""
    said: dict[str, str] = {}
    for line in metadata.decode("utf-8", "replace").splitlines():
        if not line:
            break
        header, _, value = line.partition(":")
        said.setdefault(header.strip().lower(), value.strip())
    stem = directory.removesuffix(INFO).removesuffix(_LEGACY)
    # Of an egg, `name-version-py3.9`.
    name, _, version = re.sub(r"-py\d[\d.]*$", "", stem).partition("-")
    return (
        str(canonicalize_name(said.get("name") or name)),
        canonicalize_version(said.get("version") or version, strip_trailing_zero=False),
    )


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()
