"""Where native libraries look for others: the run paths of ELF files.

The formats: https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html
"""

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
