"""What a stage says of itself: its distributions and what each claims to have."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name, canonicalize_version

from cnb_python.distributions import entry_points as distributions_entry_points
from cnb_python.distributions import record_file
from cnb_python.distributions.entry_points import EntryPoint
from cnb_python.distributions.record_file import Claims
from cnb_python.distributions.scan import Entry


@dataclass(frozen=True, slots=True)
class Stage:
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
        return infos(self.site_packages)


INFO = ".dist-info"
_LEGACY = ".egg-info"
KINDS = (INFO, _LEGACY)
"""What the names of directories end in that describe a distribution."""

_NOTHING = Claims({}, ())
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
    claims: Claims
    scripts: Mapping[str, EntryPoint]
    is_built: bool


def infos(site_packages: Path) -> dict[str, Path]:
    """Return the metadata file of each distribution in *site_packages*, by its normalised name."""
    found: dict[str, Path] = {}
    for place in sorted(site_packages.glob(f"*{INFO}")):
        metadata = place / "METADATA"
        if _is_file(metadata):
            name, _ = _identity(metadata.read_bytes(), place.name)
            found.setdefault(name, metadata)
    return found


def find(root: Path, tree: Mapping[str, Entry], site: str, final: str) -> list[Installed]:
    """Return the distributions that *tree*, which lies at *root*, has in its directory *site*.

    In the order of their directories; several may have one name.
    """
    prefix = f"{site}/"
    tops = {
        path.removeprefix(prefix).partition("/")[0] for path in tree if path.startswith(prefix)
    }
    return [
        _installed(_Reader(root, tree), f"{site}/{top}", site, final)
        for top in sorted(tops)
        if top.endswith(KINDS)
    ]


@dataclass(frozen=True, slots=True)
class _Reader:
    root: Path
    tree: Mapping[str, Entry]

    def read(self, *paths: str) -> bytes:
        """Return the first of *paths* that is a file, not a link; else nothing."""
        for path in paths:
            if path in self.tree and not self.tree[path].target:
                return (self.root / path).read_bytes()
        return b""


def _installed(reader: _Reader, info: str, site: str, final: str) -> Installed:
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
        is_built=bool(_MADE_HERE.search(reader.read(f"{info}/WHEEL").decode("utf-8", "replace"))),
    )


def _claims(reader: _Reader, info: str, site: str, final: str) -> Claims:
    said = record_file.read(reader.read(f"{info}/RECORD"), site, final)
    if said.digests or said.outside:
        return said
    # Left by `setup.py install`, with paths from its own directory; no more than a hint.
    if content := reader.read(f"{info}/installed-files.txt"):
        return record_file.read(content, info, final)
    tops = reader.read(f"{info}/top_level.txt").decode("utf-8", "replace").split()
    if not tops:
        return _NOTHING
    wanted = {f"{site}/{top}" for top in tops} | {f"{site}/{top}.py" for top in tops}
    below = tuple(f"{site}/{top}/" for top in tops)
    return Claims(
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
