"""Unpacks an archive of Python: each file once, in its place, with its digest computed meanwhile.

The only module that uses tarfile, and only to read: which entry may be written, and where, is
decided here. Entries that lead outside and special files are refused.

Separate from `python_install`, which decides what is unpacked and what follows.
"""

import errno
import hashlib
import os
import posixpath
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from compression.zstd import ZstdError
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from stat import S_ISDIR
from typing import NamedTuple, Never

from cnb_python.cnb import disk
from cnb_python.errors.downloads import DamagedArchive, UnsafeArchive
from cnb_python.errors.machine import DiskFull
from cnb_python.store.archive import Member

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
_OUTSIDE = "leads outside the archive's directory"
# The largest Python, with its tests and debug information, has less than 1 GB.
_LARGEST = 1 << 32
_LARGEST_TEXT = 1 << 24
_TOO_LARGE = "its files are far larger than those of any Python"
_DEEPEST = 200
_TOO_DEEP = f"has more than {_DEEPEST} directories"
_SPECIAL = "is a device or a pipe"
_TWICE = "the archive contains {} as two different things"
_NO_TARGET = "the hard link {} leads to nothing that was unpacked"
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Archive:
    """A .tar, .tar.gz or .tar.zst with one directory at its top."""

    path: Path
    title: str
    """Its name in messages: `Python 3.14.6`."""


class Entry(NamedTuple):
    """A file, link or directory as it was written."""

    member: Member
    digest: str = ""
    """SHA-256 in hex of a file's content; empty for links and directories."""


type Entries = Mapping[str, Entry]
"""By path below the directory; the directories themselves are included."""


def everything(_name: str) -> bool:
    """Return True for every name."""
    return True


def nothing(_name: str) -> bool:
    """Return False for every name."""
    return False


def unchanged(files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """Return *files*."""
    return files


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries are written, by their paths below the archive's top directory."""

    includes: Callable[[str], bool] = everything
    rewrites: Callable[[str], bool] = nothing
    """Whether a file is written only at the end, with the content that `rewritten` returns."""
    rewritten: Callable[[Mapping[str, bytes]], Mapping[str, bytes]] = unchanged
    """Returns the new content of all files to rewrite, by path."""


def unpack(archive: Archive, into: Path, selection: Selection | None = None) -> dict[str, Entry]:
    """Write the files below the archive's top directory to the directory *into*; return them.

    Owners and times are not kept; modes become 755 or 644, given the umask 022 that `__main__`
    sets. Raises UnsafeArchive, DamagedArchive and DiskFull, which may leave a part of the files.
    """
    unpacking = _Unpacking(archive.title, str(into), selection or Selection())
    try:
        with tarfile.open(archive.path, "r:*") as packed:
            for member in packed:
                unpacking.add(member, packed)
        unpacking.finish()
    except OSError as error:
        if error.errno in _NO_SPACE:
            doing = f"unpacking {archive.title} into {into}"
            raise DiskFull(doing) from error
        if error.errno is not None:
            raise
        # For bad data, the decompressors raise an OSError without a number.
        raise DamagedArchive(archive.title, str(error)) from error
    except (tarfile.TarError, zlib.error, ZstdError, EOFError) as error:
        raise DamagedArchive(archive.title, str(error) or type(error).__name__) from error
    return unpacking.entries


@dataclass(slots=True)
class _Unpacking:
    """Writes the entries of one archive."""

    title: str
    root: str
    selection: Selection
    entries: dict[str, Entry] = field(default_factory=dict)
    _size: int = 0
    """Bytes of all files so far."""
    _waiting: dict[str, tuple[bool, bytes]] = field(default_factory=dict)
    """The files to rewrite: whether it is a program, and the content, by path."""

    def add(self, member: tarfile.TarInfo, packed: tarfile.TarFile) -> None:
        below = self._below_top(member.name, member)
        if not below or not self.selection.includes(below):
            return
        if member.isdir():
            self._make_directory(below, member)
            return
        self._make_directory(posixpath.dirname(below), member)
        self._make_room(below)
        self._size += member.size
        if self._size > _LARGEST:
            raise DamagedArchive(self.title, _TOO_LARGE)
        if member.issym():
            self._link(below, member)
        elif member.islnk():
            self._link_again(below, self._below_top(member.linkname, member))
        elif member.isreg():
            self._file(below, member, packed)
        else:
            self._refuse(member, _SPECIAL)

    def finish(self) -> None:
        """Write the files that wait for their new content."""
        content = {path: content for path, (_, content) in self._waiting.items()}
        for path, new in self.selection.rewritten(content).items():
            self._write(path, [new], is_program=self._waiting[path][0])

    def _below_top(self, name: str, member: tarfile.TarInfo) -> str:
        parts = PurePosixPath(name).parts
        # tarfile would turn an absolute name into a relative one.
        if name.startswith("/") or ".." in parts:
            self._refuse(member, _OUTSIDE)
        if len(parts) > _DEEPEST:
            self._refuse(member, _TOO_DEEP)
        return "/".join(parts[1:])

    def _make_directory(self, below: str, member: tarfile.TarInfo) -> None:
        if not below:
            return
        if (entry := self.entries.get(below)) is None:
            self._make_directory(posixpath.dirname(below), member)
            self._create_directory(below, member)
            self.entries[below] = Entry(Member(below, "d"))
        elif entry.member.kind != "d":
            # Through a link of the archive, a file could be written to any place.
            self._refuse(member, _OUTSIDE)

    def _create_directory(self, below: str, member: tarfile.TarInfo) -> None:
        path = Path(self.root, below)
        try:
            path.mkdir(disk.DIRECTORY_MODE)
        except FileExistsError:
            if not S_ISDIR(path.lstat().st_mode):
                self._refuse(member, _OUTSIDE)

    def _make_room(self, below: str) -> None:
        """Remove an earlier entry of the same name, as tar does."""
        entry = self.entries.pop(below, None)
        if entry is not None and entry.member.kind == "d":
            raise DamagedArchive(self.title, _TWICE.format(below))
        if self._waiting.pop(below, None) is None and entry is not None:
            Path(self.root, below).unlink()

    def _link(self, below: str, member: tarfile.TarInfo) -> None:
        target = posixpath.normpath(member.linkname)
        # `..` is only at the start now, and directories of the archive are never links.
        if target.startswith("/") or target.split("/").count("..") > below.count("/"):
            self._refuse(member, _OUTSIDE)
        Path(self.root, below).symlink_to(target)
        self.entries[below] = Entry(Member(below, "l", target=target))

    def _link_again(self, below: str, target: str) -> None:
        """Write a hard link, whose target is relative to the top of the archive."""
        entry = self.entries.get(target)
        if entry is None or entry.member.kind == "d":
            raise DamagedArchive(self.title, _NO_TARGET.format(below))
        if target in self._waiting:
            self._waiting[below] = self._waiting[target]
        else:
            Path(self.root, below).hardlink_to(Path(self.root, target))
        self.entries[below] = entry._replace(member=entry.member._replace(path=below))

    def _file(self, below: str, member: tarfile.TarInfo, packed: tarfile.TarFile) -> None:
        is_program = bool(member.mode & 0o111)
        pieces = _contents(member, packed)
        if self.selection.rewrites(below):
            if member.size > _LARGEST_TEXT:
                raise DamagedArchive(self.title, _TOO_LARGE)
            self._waiting[below] = is_program, b"".join(pieces)
            self.entries[below] = Entry(Member(below, "x" if is_program else "f"))
        else:
            self._write(below, pieces, is_program=is_program)

    def _write(
        self, below: str, pieces: Iterator[bytes] | list[bytes], *, is_program: bool
    ) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        mode = disk.PROGRAM_MODE if is_program else disk.FILE_MODE
        total, size = hashlib.sha256(), 0
        file = os.open(f"{self.root}/{below}", flags, mode)
        with os.fdopen(file, "wb", buffering=0) as stream:
            for piece in pieces:
                total.update(piece)
                size += len(piece)
                remaining = memoryview(piece)
                while remaining:
                    remaining = remaining[stream.write(remaining) :]
        member = Member(below, "x" if is_program else "f", size)
        self.entries[below] = Entry(member, total.hexdigest())

    def _refuse(self, member: tarfile.TarInfo, reason: str) -> Never:
        raise UnsafeArchive(self.title, member.name, reason)


def _contents(member: tarfile.TarInfo, packed: tarfile.TarFile) -> Iterator[bytes]:
    with packed.extractfile(member) or _missing(member) as stream:
        while piece := stream.read(_PIECE):
            yield piece


def _missing(member: tarfile.TarInfo) -> Never:
    raise tarfile.ReadError(member.name)
