"""What `venv` holds so that files which live in shares appear in their places.

A directory whose whole subtree belongs to one share is one symbolic link; a directory that several
shares contribute to (namespace packages) is real and holds links one level down.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from cnb_python.distributions.model import SMALL_BYTES, File
from cnb_python.layout.conflicts import OwnedFile
from cnb_python.layout.names import TREE, VENV
from cnb_python.layout.shards import Shard

# Programs that serve files resolve links and refuse what leaves their root (Tornado answers 403):
# below these, directories are linked but loose files are copied.
_COPIED_LOOSE = ("share", "etc")
_REAL = ("bin", "etc", "include", "lib", "share", "src")


class Link(NamedTuple):
    """`venv/<path>` is a relative link to the same path in *share*: a directory, or one file."""

    path: str
    shard: str

    @property
    def target(self) -> str:
        """Where the link leads."""
        return f"{'../' * (self.path.count('/') + 1)}{self.shard}/{TREE}/{self.path}"


class Copy(NamedTuple):
    """`venv/<path>` is a real file, a copy of what *share* holds at the same path."""

    path: str
    shard: str
    file: File
    owner: str


type VenvEntry = Link | Copy


def venv_entries(shards: Sequence[Shard], line: str) -> tuple[VenvEntry, ...]:
    """Return what makes every file of *shares* appear, in the order of the paths.

    *line* is the release line in the environment's directories: `3.14`, `3.14t`. All is a copy in
    the one share of the merged layout.
    """
    root = _VenvDirectory()
    for shard in shards:
        if shard.name == VENV:
            return tuple(_copy(path, VENV, owned) for path, owned in shard.files.items())
        _plant(root, shard)
    # A link in their place would hand venv's own files to a share.
    real = frozenset({*_REAL, f"lib/python{line}", f"lib/python{line}/site-packages"})
    return tuple(sorted(_walk(root, "", real)))


def digest_of_entries(found: Sequence[VenvEntry]) -> str:
    """Return a SHA-256 in hex over where each link leads and what each copy holds."""
    whole = hashlib.sha256()
    for place in found:
        if isinstance(place, Link):
            line = f"to\0{place.path}\0{place.target}\n"
        else:
            kind = "l" if place.file.target else "x" if place.file.is_program else "f"
            line = f"{kind}\0{place.path}\0{place.file.digest}\n"
        whole.update(line.encode(errors="surrogateescape"))
    return whole.hexdigest()


@dataclass(slots=True)
class _VenvDirectory:
    shards: set[str] = field(default_factory=set)
    directories: dict[str, _VenvDirectory] = field(default_factory=dict)
    files: dict[str, tuple[str, OwnedFile]] = field(default_factory=dict)


def _plant(root: _VenvDirectory, shard: Shard) -> None:
    seen = {"": root}
    for path, owned in shard.files.items():
        directory, _, name = path.rpartition("/")
        _directory(seen, directory, shard.name).files[name] = (shard.name, owned)


def _directory(seen: dict[str, _VenvDirectory], path: str, shard: str) -> _VenvDirectory:
    if path not in seen:
        above, _, name = path.rpartition("/")
        found = _directory(seen, above, shard).directories.setdefault(name, _VenvDirectory())
        found.shards.add(shard)
        seen[path] = found
    return seen[path]


def _walk(directory: _VenvDirectory, at: str, real: frozenset[str]) -> Iterator[VenvEntry]:
    for name, (shard, owned) in directory.files.items():
        path = f"{at}{name}"
        yield _copy(path, shard, owned) if _is_copied(owned.file) else Link(path, shard)
    for name, below in directory.directories.items():
        path = f"{at}{name}"
        if len(below.shards) == 1 and path not in real:
            yield Link(path, *below.shards)
        else:
            yield from _walk(below, f"{path}/", real)


def _is_copied(file: File) -> bool:
    # A symbolic link was made to lead somewhere from the share.
    if file.target:
        return False
    top = file.path.partition("/")[0]
    # Python puts the real directory of a script on sys.path, and scripts look for each other
    # beside themselves. Programs of some megabytes are not worth moving with every change.
    return top in _COPIED_LOOSE or (top == "bin" and file.size <= SMALL_BYTES)


def _copy(path: str, shard: str, owned: OwnedFile) -> Copy:
    return Copy(path, shard, owned.file, owned.owner)
