"""The links and copies in layer `venv` that make the files of the shards appear at their paths.

A directory whose whole subtree belongs to one shard is one symbolic link. A directory with files
of several shards (a namespace package) is real and holds links one level further down.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from cnb_python.distributions.model import SMALL_BYTES, File
from cnb_python.layout.conflicts import OwnedFile
from cnb_python.layout.names import TREE, VENV
from cnb_python.layout.shards import Shard

# Programs that serve files resolve links and refuse what is outside their root (Tornado answers
# 403): below these, directories are linked, but single files are copied.
_COPIED_FILES = ("share", "etc")
_REAL = ("bin", "etc", "include", "lib", "share", "src")


class Link(NamedTuple):
    """`venv/<path>` is a relative link to the same path in *shard*: a directory, or one file."""

    path: str
    shard: str

    @property
    def target(self) -> str:
        """The path that the link contains."""
        return f"{'../' * (self.path.count('/') + 1)}{self.shard}/{TREE}/{self.path}"


class Copy(NamedTuple):
    """`venv/<path>` is a real file, a copy of the one at the same path in *shard*."""

    path: str
    shard: str
    file: File
    owner: str


type VenvEntry = Link | Copy


def venv_entries(shards: Sequence[Shard], line: str) -> tuple[VenvEntry, ...]:
    """Return the links and copies that make every file of *shards* appear, ordered by path.

    *line* is the release line in the environment's directories: `3.14`, `3.14t`. For the single
    shard of the merged layout, every file is a copy.
    """
    root = _VenvDirectory()
    for shard in shards:
        if shard.name == VENV:
            return tuple(_copy(path, VENV, owned) for path, owned in shard.files.items())
        _add_files(root, shard)
    # A link at one of these paths would put the environment's own files into a shard.
    real = frozenset({*_REAL, f"lib/python{line}", f"lib/python{line}/site-packages"})
    return tuple(sorted(_entries(root, "", real)))


def digest_of_entries(entries: Sequence[VenvEntry]) -> str:
    """Return a SHA-256 in hex over the targets of the links and the contents of the copies."""
    digest = hashlib.sha256()
    for entry in entries:
        if isinstance(entry, Link):
            line = f"to\0{entry.path}\0{entry.target}\n"
        else:
            kind = "l" if entry.file.target else "x" if entry.file.is_program else "f"
            line = f"{kind}\0{entry.path}\0{entry.file.digest}\n"
        digest.update(line.encode(errors="surrogateescape"))
    return digest.hexdigest()


@dataclass(slots=True)
class _VenvDirectory:
    """A directory of the environment, with the names of the shards that have files below it."""

    shards: set[str] = field(default_factory=set)
    directories: dict[str, _VenvDirectory] = field(default_factory=dict)
    files: dict[str, tuple[str, OwnedFile]] = field(default_factory=dict)


def _add_files(root: _VenvDirectory, shard: Shard) -> None:
    seen = {"": root}
    for path, owned in shard.files.items():
        directory, _, name = path.rpartition("/")
        _directory(seen, directory, shard.name).files[name] = (shard.name, owned)


def _directory(seen: dict[str, _VenvDirectory], path: str, shard: str) -> _VenvDirectory:
    if path not in seen:
        parent, _, name = path.rpartition("/")
        directory = _directory(seen, parent, shard).directories.setdefault(name, _VenvDirectory())
        directory.shards.add(shard)
        seen[path] = directory
    return seen[path]


def _entries(directory: _VenvDirectory, prefix: str, real: frozenset[str]) -> Iterator[VenvEntry]:
    for name, (shard, owned) in directory.files.items():
        path = f"{prefix}{name}"
        yield _copy(path, shard, owned) if _is_copied(owned.file) else Link(path, shard)
    for name, below in directory.directories.items():
        path = f"{prefix}{name}"
        if len(below.shards) == 1 and path not in real:
            yield Link(path, *below.shards)
        else:
            yield from _entries(below, f"{path}/", real)


def _is_copied(file: File) -> bool:
    # The target of a symbolic link was chosen for its path in the shard.
    if file.target:
        return False
    top = file.path.partition("/")[0]
    # Python puts the real directory of a script on sys.path, and scripts look for each other in
    # their own directory. Programs of some megabytes are too large to copy with every change.
    return top in _COPIED_FILES or (top == "bin" and file.size <= SMALL_BYTES)


def _copy(path: str, shard: str, owned: OwnedFile) -> Copy:
    return Copy(path, shard, owned.file, owned.owner)
