"""Reads the metadata of installed distributions: their `*.dist-info` and `direct_url.json`.

https://packaging.python.org/en/latest/specifications/recording-installed-packages/
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit

from packaging.utils import canonicalize_name

from cnb_python.distributions import entry_points
from cnb_python.distributions.entry_points import EntryPoint
from cnb_python.distributions.model import Material
from cnb_python.distributions.record import RecordedFiles, read_record
from cnb_python.distributions.scan import FileEntry
from cnb_python.errors.packages.install import DamagedPackage
from cnb_python.python.versions import normalized_version
from cnb_python.system import json_text, regular_file
from cnb_python.system.redaction import shown
from cnb_python.system.regular_file import TooLargeToRead

INFO = ".dist-info"
# The RECORD of a wheel with 100,000 files has 12 MB.
_LARGEST = 64 << 20


@dataclass(frozen=True, slots=True)
class DistributionRoot:
    """A directory with all files of one distribution, at their paths in an environment."""

    path: Path
    final: Path
    """The path of the environment in the image."""
    line: str
    """The release line of its interpreter, as in its directories: `3.14`, `3.14t`."""

    @property
    def site(self) -> str:
        """The path of `site-packages` below the environment."""
        return f"lib/python{self.line}/site-packages"

    @property
    def site_packages(self) -> Path:
        """The path of `site-packages`."""
        return self.path / self.site


class DirectUrl(NamedTuple):
    """The relevant content of a `direct_url.json`."""

    content: bytes
    """The file, normalized, without password and query; empty if the image does not get it."""
    directory: str
    """The directory that the distribution was installed from, else empty."""
    is_built: bool
    """What was installed is no wheel: a directory, a repository, or an sdist."""


NO_DIRECT_URL = DirectUrl(b"", "", is_built=True)


@dataclass(frozen=True, slots=True)
class Installed:
    """An installed distribution as its own metadata describes it."""

    name: str
    """Normalized (PEP 503)."""
    version: str
    """Normalized (PEP 440)."""
    info: str
    """Its `*.dist-info`, below the environment."""
    recorded: RecordedFiles
    scripts: Mapping[str, EntryPoint]


def read_file(path: Path) -> bytes:
    """Return the content of the file at *path* of a `*.dist-info`.

    Raises DamagedPackage if it is far larger than any, and OSError.
    """
    try:
        return regular_file.read(path, _LARGEST, follow=False)
    except TooLargeToRead as error:
        problem = f"its {path.name} is larger than {error.limit >> 20} MB"
        raise DamagedPackage(path.parent.name.removesuffix(INFO), problem) from error


def metadata(root: DistributionRoot, name: str) -> bytes:
    """Return the METADATA of the distribution *name* in *root*; empty without such a file."""
    for directory in sorted(root.site_packages.glob(f"*{INFO}")):
        file = directory / "METADATA"
        if file.is_file() and not file.is_symlink():
            content = read_file(file)
            if identity(content, directory.name)[0] == name:
                return content
    return b""


def installed_in(
    root: Path, entries: Mapping[str, FileEntry], site: str, final: str
) -> list[Installed]:
    """Return the distributions in the directory *site* of *entries*, which lie below *root*.

    In the order of their directories; several may have one name.
    """
    prefix = f"{site}/"
    tops = {
        path.removeprefix(prefix).partition("/")[0] for path in entries if path.startswith(prefix)
    }
    return [
        _installed(_Reader(root, entries), f"{site}/{top}", site, final)
        for top in sorted(tops)
        if top.endswith(INFO)
    ]


@dataclass(frozen=True, slots=True)
class _Reader:
    root: Path
    entries: Mapping[str, FileEntry]

    def read(self, path: str) -> bytes:
        """Return the content of *path* if it is a file and not a link; else empty."""
        if path in self.entries and not self.entries[path].target:
            return read_file(self.root / path)
        return b""


def _installed(reader: _Reader, info: str, site: str, final: str) -> Installed:
    name, version = identity(reader.read(f"{info}/METADATA"), info.rpartition("/")[2])
    declared = reader.read(f"{info}/entry_points.txt")
    line = site.split("/")[1].removeprefix("python")
    return Installed(
        name=name,
        version=version,
        info=info,
        recorded=read_record(reader.read(f"{info}/RECORD"), site, final),
        scripts=entry_points.declared(declared, line),
    )


def identity(metadata: bytes, directory: str) -> tuple[str, str]:
    """Return name and version from *metadata*, or from the name of its directory."""
    fields: dict[str, str] = {}
    for line in metadata.decode("utf-8", "replace").splitlines():
        if not line:
            break
        header, _, value = line.partition(":")
        fields.setdefault(header.strip().lower(), value.strip())
    name, _, version = directory.removesuffix(INFO).partition("-")
    return (
        str(canonicalize_name(fields.get("name") or name)),
        normalized_version(fields.get("version") or version, keep_zeros=True),
    )


def read_direct_url(content: bytes) -> DirectUrl:
    """Return the relevant parts of *content*; `NO_DIRECT_URL` if invalid, as it may have a token.

    For an installation from a directory the file is kept only if it is editable, which tools read:
    otherwise it names a path that need not exist in the image.
    """
    try:
        document = json_text.parse(content)
        if not isinstance(document, dict) or not isinstance(url := document.get("url"), str):
            return NO_DIRECT_URL
        parts = urlsplit(url)
    except ValueError:  # InvalidJson is one, and so is an address with a part of an IPv6 address
        return NO_DIRECT_URL
    user, _, host = parts.netloc.rpartition("@")
    # The user of `ssh://git@...` is needed and not secret. A query is usually a token.
    if user == "git" or not host:
        netloc = f"git@{host}" if user else host
        document["url"] = urlunsplit(parts._replace(netloc=netloc, query=""))
    else:
        fragment = parts.fragment if "@" not in parts.fragment else ""  # of a password with a #
        document["url"] = shown(url) + (f"#{fragment}" if fragment else "")
    dir_info = document.get("dir_info")
    is_editable = isinstance(dir_info, dict) and dir_info.get("editable") is True
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return DirectUrl(
        text.encode() if dir_info is None or is_editable else b"",
        unquote(parts.path) if dir_info is not None and parts.scheme == "file" else "",
        not parts.path.endswith(".whl"),
    )


def commit_of(direct_url: DirectUrl) -> Material | None:
    """Return the commit that *direct_url* names; None if it names another source."""
    document = json_text.parse(direct_url.content) if direct_url.content else None
    if not isinstance(document, dict):
        return None
    source, url = document.get("vcs_info"), document.get("url")
    if not isinstance(source, dict) or not isinstance(url, str):
        return None
    commit, tool = source.get("commit_id"), source.get("vcs")
    if not isinstance(commit, str) or not isinstance(tool, str):
        return None
    address = url.partition("#")[0].rstrip("/")
    algorithm = "gitCommit" if tool == "git" else tool
    name = address.rpartition("/")[2]
    return Material(name, f"{tool}+{address}@{commit}", f"{algorithm}:{commit}")
