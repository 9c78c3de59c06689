"""Packs and unpacks the archives of the store: tar, compressed with Zstandard, named by digest.

The caller passes the members that an archive must have, and each header must be exactly the one
that this module writes for the member. No name is ever read from an archive, so unpacking cannot
write any other path. `tar --zstd -t` reads the archives too.
"""

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from compression.zstd import CompressionParameter, ZstdCompressor, ZstdError, ZstdFile
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

from cnb_python.cnb import disk
from cnb_python.cnb.disk import State
from cnb_python.errors.base import ContractBroken
from cnb_python.errors.machine import DamagedStore, DiskFull

# Measured on the 8,867 files and 94.5 MB of a Django set, on one core: level 1 0.36 s and 38.6 MB,
# 3 0.58 s and 35.4 MB, 6 1.3 s and 33.4 MB, 9 2.1 s and 32.7 MB; unpacking takes 0.3 s each time.
# A megabyte in a cache costs 4 ms in every build. One thread: the output depends on their number.
_OPTIONS: Mapping[int, int] = {
    CompressionParameter.compression_level: 3,
    CompressionParameter.nb_workers: 0,
}
# An interpreter contains its code twice, in the program and in libpython, tens of megabytes apart:
# with this window its archive has 23.5 MB in place of 27.9, in the same time. Unpacking needs that
# much memory too, so it is not used for packages, of which several are unpacked at once. 2**27 is
# the most that decompressors accept by default: https://datatracker.ietf.org/doc/html/rfc8878#section-3.1.1.1.2
_LONG_RANGE: Mapping[int, int] = {
    **_OPTIONS,
    CompressionParameter.enable_long_distance_matching: 1,
    CompressionParameter.window_log: 25,
}
LIMIT = 1 << 33
"""Bytes that every file must be smaller than: a header has no room for more digits."""
_BLOCK = 512
_END = bytes(2 * _BLOCK)
_PIECE = 1 << 20
_DOCUMENT = "The store"
_CHANGED = "the size of {} changed before it was archived"
_OTHER = "its archive does not contain {!a} as expected"
_MORE = "its archive contains more than expected"
_SHORT = "its archive cannot be decompressed completely"
_BLOCKED = "{!a} cannot be written ({})"
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
_IN_THE_WAY = frozenset(
    {errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG}
)
_NOT_THE_FILE = frozenset(
    {errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.ENXIO}
)

# As in GNU tar, but without owner and time. Fields are padded with zeros.
_TYPES = {"f": b"0", "x": b"0", "l": b"2", "d": b"5"}
_MODES = {"f": b"0000644\0", "x": b"0000755\0", "l": b"0000777\0", "d": b"0000755\0"}
_NO_OWNER = b"0000000\0" * 2
_NO_TIME = b"00000000000\0"
_MAGIC = b"ustar  \0".ljust(_BLOCK - 257, b"\0")
_NAME_BYTES = 100
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


class Changes(NamedTuple):
    """How the unpacked files differ from the archive."""

    omitted: Collection[str] = ()
    """Paths that are not written."""
    targets: Mapping[str, str] = {}
    """Other targets of links, by path."""


NO_CHANGES = Changes()
NO_CONTENTS: Mapping[str, bytes] = {}


class Member(NamedTuple):
    """One entry of an archive."""

    path: str
    """Below the directory that is packed, with slashes, without `.` and `..`."""
    kind: Literal["f", "x", "l", "d"]
    """A file, an executable file, a symbolic link, a directory."""
    size: int = 0
    """Bytes of a file; below `LIMIT`."""
    target: str = ""
    """The target of a link."""


class ContentChanged(ValueError):
    """A file, at this path, is not what it was when its digest was computed."""


def pack(
    members: Iterable[Member],
    root: Path,
    write: Callable[[bytes], object],
    *,
    long_range: bool = False,
    digests: Mapping[str, str] | None = None,
    contents: Mapping[str, bytes] = NO_CONTENTS,
) -> None:
    """Pass the archive of *members*, which lie below *root*, to *write*, piece by piece.

    Equal members with equal contents give equal bytes. *long_range*: find repetitions within
    32 MB, not 2. *digests*: SHA-256 in hex by path; raises ContentChanged if a file has another.
    *contents*: those of some files, by path, which are not read then.
    Raises ContractBroken if the size of a file differs from its member, or OSError.
    """
    compressor = ZstdCompressor(options=_LONG_RANGE if long_range else _OPTIONS)
    # Many small pieces compress to the same bytes as a few large ones, but more slowly.
    waiting = bytearray()
    for member in members:
        waiting += header(member)
        if member.kind in "fx" and member.size:
            for piece in _given(contents, member) or _checked_contents(root, member, digests):
                waiting += piece
                if len(waiting) >= _PIECE:
                    write(compressor.compress(waiting))
                    waiting.clear()
            waiting += bytes(-member.size % _BLOCK)
    waiting += _END
    write(compressor.compress(waiting, ZstdCompressor.FLUSH_FRAME))


def _given(contents: Mapping[str, bytes], member: Member) -> list[bytes]:
    content = contents.get(member.path)
    if content is None:
        return []
    if len(content) != member.size:
        raise ContractBroken(_DOCUMENT, _CHANGED.format(member.path))
    return [content]


def _checked_contents(
    root: Path, member: Member, digests: Mapping[str, str] | None
) -> Iterator[bytes]:
    path = f"{root}/{member.path}"
    if digests is None:
        yield from _contents(path, member)
        return
    total = hashlib.sha256()
    try:
        for piece in _contents(path, member):
            total.update(piece)
            yield piece
    except (ContractBroken, OSError) as error:
        # Missing, a link, a directory, shorter or longer.
        if isinstance(error, OSError) and error.errno not in _NOT_THE_FILE:
            raise
        raise ContentChanged(member.path) from error
    if total.hexdigest() != digests[member.path]:
        raise ContentChanged(member.path)


def _contents(path: str, member: Member) -> Iterator[bytes]:
    left = member.size
    # Without waiting: a pipe in place of the file has no content.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        while piece := os.read(descriptor, min(left, _PIECE) or 1):
            left -= len(piece)
            if left < 0:
                break
            yield piece
    finally:
        os.close(descriptor)
    if left:
        raise ContractBroken(_DOCUMENT, _CHANGED.format(path))


def unpack(
    members: Iterable[Member],
    packed: BinaryIO,
    into: Path,
    doing: str,
    changes: Changes = NO_CHANGES,
) -> dict[str, State]:
    """Write *members*, which *packed* must be the archive of, below the directory *into*.

    Existing files are replaced, existing directories are used, and modes are those of the members
    under any umask. Returns the state of each written file and link by path. Raises DamagedStore
    if *packed* contains anything else or an existing file prevents it, DiskFull with *doing*, and
    OSError; each may leave some files behind.
    """
    with _translating_errors(doing), ZstdFile(packed) as archive:
        writer = _Writer(str(into), archive)
        for member in members:
            if archive.read(len(expected := header(member))) != expected:
                raise DamagedStore(_OTHER.format(member.path))
            if member.path in changes.omitted:
                _skip(archive, member)
            else:
                writer.write(member, changes.targets.get(member.path, member.target))
        if archive.read(len(_END)) != _END or archive.read(1):
            raise DamagedStore(_MORE)
    return writer.states


def _skip(archive: ZstdFile, member: Member) -> None:
    left = member.size + -member.size % _BLOCK if member.kind in "fx" else 0
    while left:
        if not (piece := archive.read(min(left, _PIECE))):
            raise EOFError
        left -= len(piece)


def digests_of(members: Iterable[Member], packed: BinaryIO) -> dict[Member, str]:
    """Return the SHA-256 in hex of each file in the archive *packed* of *members*.

    Links and directories have an empty one. Raises DamagedStore.
    """
    with _translating_errors("reading the store"), ZstdFile(packed) as archive:
        return {member: _digest_of(member, archive) for member in members}


def _digest_of(member: Member, archive: ZstdFile) -> str:
    if archive.read(len(expected := header(member))) != expected:
        raise DamagedStore(_OTHER.format(member.path))
    if member.kind not in "fx":
        return ""
    total, left = hashlib.sha256(), member.size
    while left:
        if not (piece := archive.read(min(left, _PIECE))):
            raise EOFError
        total.update(piece)
        left -= len(piece)
    archive.read(-member.size % _BLOCK)
    return total.hexdigest()


def read_member(members: Iterable[Member], packed: BinaryIO, path: str) -> bytes:
    """Return the content of the file at *path* in the archive *packed* of *members*.

    Raises DamagedStore.
    """
    with _translating_errors("reading the store"), ZstdFile(packed) as archive:
        for member in members:
            if archive.read(len(expected := header(member))) != expected:
                break
            size = member.size if member.kind in "fx" else 0
            content = archive.read(size + -size % _BLOCK)
            if member.path == path and len(content) >= size:
                return content[:size]
    raise DamagedStore(_OTHER.format(path))


@contextmanager
def _translating_errors(doing: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise DiskFull(doing) from error
        if error.errno in _IN_THE_WAY:
            raise DamagedStore(_BLOCKED.format(error.filename, error.strerror)) from error
        raise
    except (ZstdError, EOFError) as error:
        raise DamagedStore(_SHORT) from error


class _Writer:
    """Writes members below a directory."""

    def __init__(self, root: str, archive: ZstdFile) -> None:
        self.states: dict[str, State] = {}
        self._root = root
        self._archive = archive
        self._directories = {""}
        """Paths below the root of directories that exist and are not links."""
        self._modes_are_right = False
        """New directories have the right mode: the first one had it, so no umask, default ACL or
        setgid bit changes the others."""

    def write(self, member: Member, target: str) -> None:
        """Write *member*, a link to *target*."""
        if member.kind == "d":
            self._make_directory(member.path)
            return
        path = f"{self._root}/{member.path}"
        self._make_directory(member.path.rpartition("/")[0])
        if member.kind == "l":
            _replace(path, lambda: os.symlink(target, path))  # noqa: PTH211 - the target, unchanged
            status = os.lstat(path)
        else:
            status = self._write_file(path, member)
        self.states[member.path] = disk.state_of(status)

    def _write_file(self, path: str, member: Member) -> os.stat_result:
        mode = disk.PROGRAM_MODE if member.kind == "x" else disk.FILE_MODE
        descriptor = _replace(path, lambda: os.open(path, _NEW_FILE, mode))
        try:
            self._copy(member.size, descriptor)
            status = os.fstat(descriptor)
            if stat.S_IMODE(status.st_mode) != mode:
                os.fchmod(descriptor, mode)
                status = os.fstat(descriptor)
            return status
        finally:
            os.close(descriptor)

    def _copy(self, size: int, descriptor: int) -> None:
        """Copy the next *size* bytes of the archive, and read what pads them."""
        left = size
        # Most files are one piece, read together with its padding.
        while left > _PIECE:
            piece = self._archive.read(_PIECE)
            _write_all(descriptor, piece)
            left -= len(piece)
            if not piece:
                raise EOFError
        piece = self._archive.read(left + -size % _BLOCK)
        if len(piece) < left:
            raise EOFError
        if left:
            _write_all(descriptor, memoryview(piece)[:left])

    def _make_directory(self, directory: str) -> None:
        if directory in self._directories:
            return
        self._make_directory(directory.rpartition("/")[0])
        path = f"{self._root}/{directory}"
        try:
            os.mkdir(path, disk.DIRECTORY_MODE)  # noqa: PTH102 - thousands of calls
        except FileExistsError:
            self._use_directory(path)
        else:
            if not self._modes_are_right:
                self._modes_are_right = self._use_directory(path)
        self._directories.add(directory)

    def _use_directory(self, path: str) -> bool:
        """Give the directory at *path* its mode; return whether it has it already."""
        status = os.lstat(path)
        if not stat.S_ISDIR(status.st_mode):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
        if stat.S_IMODE(status.st_mode) == disk.DIRECTORY_MODE:
            return True
        os.chmod(path, disk.DIRECTORY_MODE)  # noqa: PTH101 - as above
        return False


def _replace[Result](path: str, make: Callable[[], Result]) -> Result:
    """Call *make*, which creates *path*, after removing an existing file; return its result."""
    try:
        return make()
    except FileExistsError:
        Path(path).unlink()
        return make()


def _write_all(descriptor: int, piece: bytes | memoryview) -> None:
    remaining = memoryview(piece)
    while remaining:
        remaining = remaining[os.write(descriptor, remaining) :]


def header(member: Member) -> bytes:
    """Return the bytes before the contents of *member* in an archive.

    https://www.gnu.org/software/tar/manual/html_node/Standard.html
    """
    name = member.path.encode(errors="surrogateescape") + (b"/" if member.kind == "d" else b"")
    target = member.target.encode(errors="surrogateescape") if member.kind == "l" else b""
    size = member.size if member.kind in "fx" else 0
    return (
        _long(target, b"K")
        + _long(name, b"L")
        + _block(name, _MODES[member.kind], size, _TYPES[member.kind], target)
    )


def _long(name: bytes, kind: bytes) -> bytes:
    """Return the extra entry with *name* if it is too long for its field, else nothing."""
    if len(name) <= _NAME_BYTES:
        return b""
    content = name + b"\0"
    filled = content + bytes(-len(content) % _BLOCK)
    return _block(b"././@LongLink", b"0000000\0", len(content), kind, b"") + filled


def _block(name: bytes, mode: bytes, size: int, kind: bytes, target: bytes) -> bytes:
    before = name[:_NAME_BYTES].ljust(_NAME_BYTES, b"\0") + mode + _NO_OWNER + b"%011o\0" % size
    after = kind + target[:_NAME_BYTES].ljust(_NAME_BYTES, b"\0") + _MAGIC
    # The sum of all bytes, with eight spaces in place of the checksum itself.
    checksum = sum(before) + sum(_NO_TIME) + 8 * 32 + sum(after)
    return before + _NO_TIME + b"%06o\0 " % checksum + after
