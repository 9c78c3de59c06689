"""What lies in a stage: every file and link, links never followed.

On the way it is tidied: modes as they are in an image, no bytecode of somebody else's, no history
of a checkout (with a token in its address), nothing that is neither file nor link.
"""

import hashlib
import mmap
import os
import posixpath
import re
import stat
import struct
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import batched
from pathlib import Path
from typing import NamedTuple

from cnb_python.cnb import disk
from cnb_python.distributions.model import File

MAGIC = b"\x7fELF"
_LOAD, _DYNAMIC = 1, 2
_STRING_TABLE, _RPATH, _RUNPATH = 5, 15, 29
# Nobody has more of either.
_MOST = 4096
_ORIGIN = re.compile(r"\$(?:ORIGIN\b|\{ORIGIN\})")


class _Shape(NamedTuple):
    """The differences between 32 and 64 bits: where fields are, in `struct`'s words."""

    word: str
    table: int
    """Of the program headers' offset in the file's header; their size and number follow later."""
    sizes: int
    segment: tuple[int, int, int]
    """Of a segment's offset in the file, address and size in the file, in its header."""


_SHAPES = {1: _Shape("I", 28, 42, (4, 8, 16)), 2: _Shape("Q", 32, 54, (8, 16, 32))}


class _Elf:
    """One file; whatever it holds, reading ends with an answer or a `struct.error`."""

    def __init__(self, data: mmap.mmap | bytes) -> None:
        self.data = data
        self.shape = _SHAPES[data[4]]
        self.order = {1: "<", 2: ">"}[data[5]]

    def number(self, form: str, place: int) -> int:
        (found,) = struct.unpack_from(self.order + form, self.data, place)
        return int(found)

    def segments(self, kind: int) -> Iterator[tuple[int, int, int]]:
        """Yield offset, address and size of each segment of *kind*."""
        start = self.number(self.shape.word, self.shape.table)
        size, count = (self.number("H", self.shape.sizes + more) for more in (0, 2))
        for place in range(start, start + size * min(count, _MOST), max(size, 1)):
            if self.number("I", place) == kind:
                offset, address, length = (
                    self.number(self.shape.word, place + field) for field in self.shape.segment
                )
                yield offset, address, length

    def dynamic(self) -> Iterator[tuple[int, int]]:
        """Yield tag and value of what the dynamic linker is told."""
        step = struct.calcsize(self.order + self.shape.word)
        for offset, _, length in self.segments(_DYNAMIC):
            for place in range(offset, offset + min(length, _MOST * step), 2 * step):
                tag = self.number(self.shape.word, place)
                if not tag:
                    return
                yield tag, self.number(self.shape.word, place + step)

    def run_paths(self) -> Iterator[str]:
        said = list(self.dynamic())
        for table in (value for tag, value in said if tag == _STRING_TABLE):
            for offset, address, length in self.segments(_LOAD):
                if address <= table < address + length:
                    start = table - address + offset
                    for place in (value for tag, value in said if tag in {_RPATH, _RUNPATH}):
                        yield self._text(start + place)

    def _text(self, start: int) -> str:
        end = self.data.find(b"\0", start)
        return self.data[start : max(start, end)].decode("utf-8", "replace")


def run_paths(path: Path) -> tuple[str, ...]:
    """Return the run paths of the file at *path*, none where it is no ELF file that can be read.

    Raises OSError.
    """
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            return ()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                return tuple(
                    one for found in _Elf(data).run_paths() for one in found.split(":") if one
                )
            except struct.error, KeyError, IndexError, OverflowError:
                return ()


def reaches(libraries: Iterable[tuple[str, Sequence[str]]]) -> tuple[str, ...]:
    """Return the directories that *libraries*, with their run paths, look into.

    Sorted, below the environment; what is outside of it is left out. Some may be a distribution's
    own: others may have files there too, as the `nvidia-*` do.
    """
    found = {
        _resolved(path, run_path)
        for path, paths in libraries
        for run_path in paths
        if _ORIGIN.match(run_path)
    }
    return tuple(sorted(found - {""}))


def _resolved(path: str, run_path: str) -> str:
    """Return where *run_path* leads from *path*, empty outside the environment."""
    home = f"./{posixpath.dirname(path)}"
    below = posixpath.normpath(_ORIGIN.sub(lambda _: home, run_path, count=1))
    return "" if below in {".", ".."} or below.startswith("../") else below


_BATCH = 128
# Up to here a file is read at once; above, memory stays bounded.
_LARGE_BYTES = 1024 * 1024


class Content(NamedTuple):
    """A file and the run paths that it holds."""

    file: File
    run_paths: tuple[str, ...]


def read_all(
    root: Path, entries: Iterable[tuple[str, FileEntry]], threads: int
) -> dict[str, Content]:
    """Read each of *entries* below *root* once, in *threads*: hashing lets others work.

    Raises OSError.
    """
    with ThreadPoolExecutor(threads) as pool:
        batches = pool.map(partial(_read_batch, root), batched(entries, _BATCH, strict=False))
        return {one.file.path: one for batch in batches for one in batch}


def made(path: str, content: bytes) -> File:
    """Return the file at *path* that holds *content*."""
    return File(path, hashlib.sha256(content).hexdigest(), len(content))


def digest(root: Path, path: str, entry: FileEntry) -> str:
    """Return the SHA-256 in hex of the file or link at *path*."""
    return _read(root, path, entry).file.digest


def _read_batch(root: Path, entries: Sequence[tuple[str, FileEntry]]) -> list[Content]:
    return [_read(root, path, entry) for path, entry in entries]


def _read(root: Path, path: str, entry: FileEntry) -> Content:
    if entry.target:
        link = made(path, entry.target.encode(errors="surrogateescape"))
        return Content(link._replace(target=entry.target), ())
    place = root / path
    if entry.size > _LARGE_BYTES:
        with place.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    else:
        found = hashlib.sha256(place.read_bytes()).hexdigest()
    may_be_elf = entry.is_program or ".so" in path
    paths = run_paths(place) if may_be_elf else ()
    return Content(File(path, found, entry.size, entry.is_program), paths)


CHECKOUTS = "src"
"""Where pip checks out `-e git+https://...`, below the environment."""

_CACHE = "__pycache__"
_VERSION_CONTROL = frozenset({".git", ".hg", ".svn", ".bzr"})
_LOCK = ".lock"


class FileEntry(NamedTuple):
    """A file or symbolic link."""

    size: int
    is_program: bool = False
    target: str = ""
    """Where it leads, for a link."""


def walk(root: Path, line: str) -> dict[str, FileEntry]:
    """Return what lies below *root* but for the virtual environment's own, by path, and tidy it.

    *line* is that of its interpreter: `3.14`. Raises OSError.
    """
    own = {"pyvenv.cfg", "lib64", "bin/python", "bin/python3", f"bin/python{line}"}
    return {path: entry for path, entry in _below(root, "") if path not in own}


def entry(path: Path) -> FileEntry:
    """Return what lies at *path*, a file or link, and give it its mode."""
    return _entry(path, path.lstat())


def _below(root: Path, directory: str) -> Iterator[tuple[str, FileEntry]]:
    place = root / directory
    if stat.S_IMODE(place.stat().st_mode) != disk.DIRECTORY_MODE:
        place.chmod(disk.DIRECTORY_MODE)
    with os.scandir(place) as found:
        inside = list(found)
    for one in inside:
        path = f"{directory}/{one.name}" if directory else one.name
        if _is_litter(path, one.name) or not (one.is_symlink() or one.is_dir() or one.is_file()):
            disk.remove(root / path)
        elif one.is_dir(follow_symlinks=False):
            yield from _below(root, path)
        else:
            yield path, _entry(root / path, one.stat(follow_symlinks=False))


def _is_litter(path: str, name: str) -> bool:
    in_checkout = path.startswith(f"{CHECKOUTS}/")
    return name == _CACHE or path == _LOCK or (in_checkout and name in _VERSION_CONTROL)


def _entry(path: Path, status: os.stat_result) -> FileEntry:
    if stat.S_ISLNK(status.st_mode):
        target = os.readlink(path)  # noqa: PTH115 - a Path would tidy up what the link says
        return FileEntry(len(os.fsencode(target)), target=target)
    is_program = bool(status.st_mode & 0o111)
    mode = disk.PROGRAM_MODE if is_program else disk.FILE_MODE
    if stat.S_IMODE(status.st_mode) != mode:
        path.chmod(mode)
    return FileEntry(status.st_size, is_program)
