"""Reads the dynamic section of ELF files: which libraries they load, from where, which versions.

pyelftools has no bounds, and this needs a hundredth of it. Here a damaged or hostile file neither
raises nor takes long. Every native file of an environment is read once.

Separate from `scan`, which reads all files of an environment: the app's own programs are read too.
https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html and, for versions,
https://refspecs.linuxfoundation.org/LSB_5.0.0/LSB-Core-generic/LSB-Core-generic/symversion.html
"""

import mmap
import re
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

MAGIC = b"\x7fELF"
_LOAD, _DYNAMIC = 1, 2
_NEEDED, _STRING_TABLE, _SONAME, _RPATH, _RUNPATH = 1, 5, 14, 15, 29
_DEFINED_VERSIONS, _NEEDED_VERSIONS = 0x6FFFFFFC, 0x6FFFFFFE
# Flag of a version whose absence the dynamic linker only warns of.
_WEAK = 2
_VERSIONS = ("GLIBC_", "GLIBCXX_", "CXXABI_")
# No real file has more segments, more entries in its dynamic section, or longer strings there.
_MOST = 4096
_MOST_BYTES = 16 * 1024
# The name of a copy that is bundled in a wheel (`libpython3-4fd5a3a2.14.so.1.0`) does not match.
_LIBPYTHON = re.compile(r"(?:.*/)?(libpython3(?:\.\d+)?[a-z]*\.so(?:\.\d+)*)", re.DOTALL)


class Dynamic(NamedTuple):
    """The dynamic section of an ELF file, as far as it is used here."""

    run_paths: tuple[str, ...] = ()
    """The directories in which its libraries are searched for first."""
    libraries: tuple[str, ...] = ()
    """The file names or paths of the libraries that it is linked with."""
    versions: tuple[tuple[str, str], ...] = ()
    """Pairs of library and version that it needs: `("libc.so.6", "GLIBC_2.28")`.

    Only versions of the C and C++ libraries.
    """
    machine: int = 0
    """Its word size and kind of processor: equal for files that run in one process."""


NOT_ELF = Dynamic()
_DAMAGED = (struct.error, KeyError, IndexError, OverflowError)


def may_be_elf(path: str, *, is_program: bool) -> bool:
    """Whether the file at *path* is worth reading: a program, or a library by its name."""
    return is_program or ".so" in path


def read(path: Path) -> Dynamic:
    """Return the dynamic section of the file at *path*; NOT_ELF if it has no section to read.

    Raises OSError.
    """
    return _read(path, _Elf.read, NOT_ELF)


def is_elf(path: Path) -> bool:
    """Whether the file at *path* starts as an ELF file does. Raises OSError."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def _read[T](path: Path, part: Callable[[_Elf], T], otherwise: T) -> T:
    """Return *part* of the ELF file at *path*; *otherwise* if it is damaged or no ELF file."""
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            return otherwise
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                return part(_Elf(data))
            except _DAMAGED:
                return otherwise


def machine_of(program: Path) -> int:
    """Return the `Dynamic.machine` of *program*, 0 if it cannot be read."""
    try:
        return read(program).machine
    except OSError:
        return 0


def defined_versions(path: Path) -> frozenset[str]:
    """Return the versions that the library at *path* defines: `GLIBC_2.36`, and its own name.

    Raises OSError.
    """
    return _read(path, lambda file: frozenset(file.defined()), frozenset())


def soname(path: Path) -> str:
    """Return the name by which programs load the library at *path*, empty if it has none.

    Raises OSError.
    """
    return _read(path, _Elf.soname, "")


def libpython_names(files: Iterable[Dynamic]) -> tuple[str, ...]:
    """Return the names of Python's shared library that *files* are linked with, sorted.

    They are file names, even where a file is linked with a path.

    >>> libpython_names([Dynamic(libraries=("libc.so.6", "$ORIGIN/../lib/libpython3.14t.so.1.0"))])
    ('libpython3.14t.so.1.0',)
    """
    matches = (_LIBPYTHON.fullmatch(name) for file in files for name in file.libraries)
    return tuple(sorted({match[1] for match in matches if match}))


class _Layout(NamedTuple):
    """Positions of fields, which differ between 32 and 64 bits. Formats are those of `struct`."""

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

    def read(self) -> Dynamic:
        entries = list(self.dynamic())
        strings = self.offset(entries, _STRING_TABLE)
        if strings is None:
            return NOT_ELF
        paths = (self.text(strings + at) for tag, at in entries if tag in {_RPATH, _RUNPATH})
        run_paths = tuple(path for joined in paths for path in joined.split(":") if path)
        needed = tuple(self.text(strings + at) for tag, at in entries if tag == _NEEDED)
        versions = tuple(self.needed_versions(entries, strings))
        machine = self.data[4] << 16 | self.number("H", 18)
        return Dynamic(run_paths, needed, versions, machine)

    def soname(self) -> str:
        entries = list(self.dynamic())
        strings = self.offset(entries, _STRING_TABLE)
        names = (value for tag, value in entries if tag == _SONAME)
        name = next(names, None)
        return "" if strings is None or name is None else self.text(strings + name)

    def offset(self, entries: Iterable[tuple[int, int]], key: int) -> int | None:
        """Return the position in the file of the table that the entry *key* has the address of.

        None if there is no such entry, or no segment holds the table.
        """
        table = next((value for tag, value in entries if tag == key), None)
        if table is None:
            return None
        for offset, address, length in self.segments(_LOAD):
            if address <= table < address + length:
                return table - address + offset
        return None

    def needed_versions(
        self, entries: Sequence[tuple[int, int]], strings: int
    ) -> Iterator[tuple[str, str]]:
        """Yield library and version of each version that is needed, without weak ones."""
        start = self.offset(entries, _NEEDED_VERSIONS)
        left = _MOST
        for position, (_, _, library, first, _) in self.chain("HHIII", 4, start):
            name = self.text(strings + library)
            for _, (_, flags, _, version, _) in self.chain("IHHII", 4, position + first):
                left -= 1
                if left < 0:
                    return
                text = self.text(strings + version)
                if not flags & _WEAK and text.startswith(_VERSIONS):
                    yield name, text

    def defined(self) -> Iterator[str]:
        """Yield each version that the library defines, the first of which is its own name."""
        entries = list(self.dynamic())
        strings = self.offset(entries, _STRING_TABLE)
        if strings is None:
            return
        start = self.offset(entries, _DEFINED_VERSIONS)
        for position, (*_, first, _) in self.chain("HHHHIII", 6, start):
            yield self.text(strings + self.number("I", position + first))

    def chain(
        self, form: str, following: int, start: int | None
    ) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Yield position and fields of each record from *start*.

        *form*: the record, as for `struct`. *following*: the index of the field with the distance
        to the next record, which is 0 in the last one.
        """
        if start is None:
            return
        position = start
        for _ in range(_MOST):
            record = struct.unpack_from(self.order + form, self.data, position)
            yield position, record
            if not record[following]:
                return
            position += record[following]

    def dynamic(self) -> Iterator[tuple[int, int]]:
        """Yield tag and value of each entry of the dynamic section."""
        step = struct.calcsize(self.order + self.layout.word)
        offset, _, length = next(self.segments(_DYNAMIC), (0, 0, 0))
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

    def text(self, start: int) -> str:
        end = self.data.find(b"\0", start, start + _MOST_BYTES)
        return self.data[start : max(start, end)].decode("utf-8", "replace")
