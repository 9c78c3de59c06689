"""The files in the directory of a store, named by the digests of their contents.

Written completely or not at all, and never read without comparing the digest.
"""

import errno
import hashlib
import os
import re
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from cnb_python.cnb import disk
from cnb_python.errors.machine import DamagedStore, DiskFull
from cnb_python.system import regular_file

_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MODE = 0o644
# The name of a draft contains the time when it was begun: in a restored cache, every file is new.
# Writing takes less than a minute; the hour is for a clock that was changed meanwhile.
_DRAFT = re.compile(r"\.(\d{1,12})-[0-9a-f]{16}\.partial")
_LONG_SECONDS = 3600
# The archives of the largest distributions have 1 GB; a sparse file may have any size.
_LARGEST = 1 << 33
_MISSING = "its archive is no longer in the store"
_UNREADABLE = "its archive cannot be read ({})"
_ARCHIVE_CHANGED = "its archive has changed"


class Draft:
    """A file that is being written and has no final name yet."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()

    def write(self, piece: bytes) -> None:
        """Append *piece*."""
        self._hash.update(piece)
        self._file.write(piece)

    @property
    def digest(self) -> str:
        """SHA-256 in hex of everything written so far."""
        return self._hash.hexdigest()


@contextmanager
def writing(directory: Path, suffix: str, doing: str) -> Iterator[Draft]:
    """Yield a draft, which is named by its digest and *suffix* at the end, or removed on failure.

    Raises DiskFull with *doing*, or OSError.
    """
    path = directory / f".{int(time.time())}-{os.urandom(8).hex()}.partial"
    try:
        with path.open("xb") as file:
            os.fchmod(file.fileno(), _MODE)
            draft = Draft(file)
            yield draft
        # Also if the file exists: it may be damaged.
        _replace(path, directory / f"{draft.digest}{suffix}")
    except OSError as error:
        path.unlink(missing_ok=True)
        if error.errno in _DISK_FULL:
            raise DiskFull(doing) from error
        raise
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _replace(draft: Path, final: Path) -> None:
    try:
        draft.replace(final)
    except IsADirectoryError:
        disk.remove(final)
        draft.replace(final)


@contextmanager
def verified(directory: Path, digest: str, suffix: str, limit: int = _LARGEST) -> Iterator[FileIO]:
    """Yield the file with *digest*, open for reading, after checking its content.

    Raises DamagedStore, also for a link or a pipe in its place, and for more than *limit* bytes.
    """
    if not _DIGEST.fullmatch(digest):
        raise DamagedStore(_MISSING)
    try:
        file = regular_file.opened(directory / f"{digest}{suffix}", follow=False)
    except OSError as error:
        raise DamagedStore(_MISSING) from error
    with file:
        try:
            is_too_large = os.fstat(file.fileno()).st_size > limit
            actual = "" if is_too_large else hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise DamagedStore(_UNREADABLE.format(error.strerror)) from error
        if actual != digest:
            raise DamagedStore(_ARCHIVE_CHANGED)
        file.seek(0)
        yield file


def sizes(directory: Path) -> dict[str, int]:
    """Return the size in bytes of each file in *directory*, by name."""
    with os.scandir(directory) as entries:
        return dict(_sizes(entries))


def _sizes(entries: Iterator[os.DirEntry[str]]) -> Iterator[tuple[str, int]]:
    for entry in entries:
        try:
            if entry.is_file(follow_symlinks=False):
                yield entry.name, entry.stat(follow_symlinks=False).st_size
        except FileNotFoundError:  # a draft of another build, which has its final name by now
            continue


def unused(directory: Path, used: Collection[str]) -> list[Path]:
    """Return the files in *directory*, except those named in *used* and drafts of other builds."""
    now = int(time.time())
    return [
        path
        for path in sorted(directory.iterdir())
        if path.name not in used and not _is_live(path.name, now)
    ]


def _is_live(name: str, now: int) -> bool:
    draft = _DRAFT.fullmatch(name)
    return draft is not None and abs(now - int(draft[1])) < _LONG_SECONDS
