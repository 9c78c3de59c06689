"""Reads a `.deb` file: its control files, and the members of its file system.

Nothing is written here: `tree` decides which members it takes, and where they go.
https://manpages.debian.org/bookworm/dpkg-dev/deb.5.en.html
"""

import io
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from compression.zstd import ZstdError
from contextlib import contextmanager
from dataclasses import dataclass
from email.parser import HeaderParser
from functools import partial
from lzma import LZMAError
from pathlib import Path
from typing import BinaryIO, NamedTuple, override

from cnb_python.errors.downloads import DamagedArchive

_MAGIC = b"!<arch>\n"
_HEADER = 60
_SCRIPTS = frozenset({"preinst", "postinst"})
_NOT_DEB = "it is not a .deb file"
_LARGEST_CONTROL = 1 << 24
_DAMAGED = (tarfile.TarError, zlib.error, ZstdError, LZMAError, EOFError, ValueError)


class Control(NamedTuple):
    """The control files of a package."""

    fields: Mapping[str, str]
    """Those of the file `control`: `Package`, `Version`, `Depends`, ..."""
    scripts: Mapping[str, str]
    """The maintainer scripts by name, such as `postinst`."""

    @property
    def name(self) -> str:
        """The name of the package."""
        return self.fields.get("Package", "")

    @property
    def version(self) -> str:
        """The version of the package."""
        return self.fields.get("Version", "")


@dataclass(frozen=True, slots=True)
class Deb:
    """A `.deb` file."""

    path: Path

    def control(self) -> Control:
        """Return the control files. Raises DamagedArchive and OSError."""
        files: dict[str, str] = {}
        for member, read in self._members("control.tar"):
            if member.isreg() and member.size <= _LARGEST_CONTROL:
                files[member.name.removeprefix("./")] = read().decode("utf-8", "replace")
        fields = HeaderParser().parsestr(files.get("control", ""))
        scripts = {name: text for name, text in files.items() if name in _SCRIPTS}
        return Control(dict(fields.items()), scripts)

    def members(self) -> Iterator[tuple[tarfile.TarInfo, Callable[[], bytes]]]:
        """Yield each member of the file system, and what reads it at once.

        Raises DamagedArchive and OSError.
        """
        yield from self._members("data.tar")

    def _members(self, prefix: str) -> Iterator[tuple[tarfile.TarInfo, Callable[[], bytes]]]:
        with self._damage_named(), self.path.open("rb") as file:
            part = _part(file, prefix)
            with tarfile.open(fileobj=io.BufferedReader(part), mode="r|*") as packed:
                for member in packed:
                    yield member, partial(self._content, packed, member)

    def _content(self, packed: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
        # The caller reads it, outside the block of `_members`.
        with self._damage_named(), packed.extractfile(member) or io.BytesIO() as stream:
            return stream.read()

    @contextmanager
    def _damage_named(self) -> Iterator[None]:
        try:
            yield
        except _DAMAGED as error:
            raise DamagedArchive(self.path.name, str(error) or type(error).__name__) from error


class _Part(io.RawIOBase):
    """A part of a file, for reading from its start to its end."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        super().__init__()
        self._file = file
        self._left = size

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        content = self._file.read(min(len(buffer), self._left))
        buffer[: len(content)] = content
        self._left -= len(content)
        return len(content)


def _part(file: BinaryIO, prefix: str) -> _Part:
    """Return the member of the `ar` archive *file* whose name starts with *prefix*."""
    if file.read(len(_MAGIC)) != _MAGIC:
        raise tarfile.ReadError(_NOT_DEB)
    while header := file.read(_HEADER):
        name = header[:16].decode("ascii", "replace").strip().rstrip("/")
        size = int(header[48:58])
        if len(header) != _HEADER or size < 0:
            break
        if name.startswith(prefix):
            return _Part(file, size)
        file.seek(size + size % 2, io.SEEK_CUR)
    raise tarfile.ReadError(prefix)
