"""Reads the run paths of native libraries: the directories where they look for other libraries."""

import mmap
import posixpath
import re
import struct
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

MAGIC = b"\x7fELF"
_LOAD, _DYNAMIC = 1, 2
_STRING_TABLE, _RPATH, _RUNPATH = 5, 15, 29
# No real file has more segments, or more entries in its dynamic section.
_MOST = 4096
_ORIGIN = re.compile(r"\$(?:ORIGIN\b|\{ORIGIN\})")


class _Layout(NamedTuple):
    """The positions of fields, which differ between 32 and 64 bits. Formats are those of `struct`.

    https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html
    """

    word: str
    table: int
    """Position in the file header of the offset of the program headers."""
    sizes: int
    """Position in the file header of the size of a program header; their number follows."""
    segment: tuple[int, int, int]
    """Positions in a program header of a segment's offset, address and size in the file."""


_LAYOUTS = {1: _Layout("I", 28, 42, (4, 8, 16)), 2: _Layout("Q", 32, 54, (8, 16, 32))}


class _Elf:
    """An ELF file. Reading a damaged one ends with some result or with `struct.error`."""

    def __init__(self, data: mmap.mmap | bytes) -> None:
        self.data = data
        self.layout = _LAYOUTS[data[4]]
        self.order = {1: "<", 2: ">"}[data[5]]

    def run_paths(self) -> Iterator[str]:
        entries = list(self.dynamic())
        for table in (value for tag, value in entries if tag == _STRING_TABLE):
            for offset, address, length in self.segments(_LOAD):
                if address <= table < address + length:
                    start = table - address + offset
                    for index in (value for tag, value in entries if tag in {_RPATH, _RUNPATH}):
                        yield self._text(start + index)

    def dynamic(self) -> Iterator[tuple[int, int]]:
        """Yield tag and value of each entry of the dynamic section."""
        step = struct.calcsize(self.order + self.layout.word)
        for offset, _, length in self.segments(_DYNAMIC):
            for position in range(offset, offset + min(length, _MOST * step), 2 * step):
                tag = self.number(self.layout.word, position)
                if not tag:
                    return
                yield tag, self.number(self.layout.word, position + step)

    def segments(self, kind: int) -> Iterator[tuple[int, int, int]]:
        """Yield offset, address and size of each segment of *kind*."""
        start = self.number(self.layout.word, self.layout.table)
        size, count = (self.number("H", self.layout.sizes + more) for more in (0, 2))
        for position in range(start, start + size * min(count, _MOST), max(size, 1)):
            if self.number("I", position) == kind:
                offset, address, length = (
                    self.number(self.layout.word, position + field)
                    for field in self.layout.segment
                )
                yield offset, address, length

    def number(self, form: str, position: int) -> int:
        (number,) = struct.unpack_from(self.order + form, self.data, position)
        return int(number)

    def _text(self, start: int) -> str:
        end = self.data.find(b"\0", start)
        return self.data[start : max(start, end)].decode("utf-8", "replace")


def run_paths(path: Path) -> tuple[str, ...]:
    """Return the run paths of the file at *path*; none if it is not a readable ELF file.

    Raises OSError.
    """
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            return ()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                lists = list(_Elf(data).run_paths())
            except struct.error, KeyError, IndexError, OverflowError:
                return ()
    return tuple(run_path for paths in lists for run_path in paths.split(":") if run_path)


def reaches(libraries: Iterable[tuple[str, Sequence[str]]]) -> tuple[str, ...]:
    """Return the directories, below the environment and sorted, that *libraries* search.

    *libraries*: their paths below the environment, and their run paths. A directory may belong to
    the library's own distribution: others may have files there too, as the `nvidia-*` do.
    """
    directories = {
        _resolved(path, run_path)
        for path, paths in libraries
        for run_path in paths
        if _ORIGIN.match(run_path)
    }
    return tuple(sorted(directories - {""}))


def _resolved(path: str, run_path: str) -> str:
    """Return the directory that *run_path* of *path* names; empty outside the environment."""
    origin = f"./{posixpath.dirname(path)}"
    below = posixpath.normpath(_ORIGIN.sub(lambda _: origin, run_path, count=1))
    return "" if below in {".", ".."} or below.startswith("../") else below
