"""Files that are named by the digest of what they hold, in one directory.

Builds may share the directory: a file appears complete, never changes, and may vanish at any time.
"""

import errno
import hashlib
import os
import re
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

from cnb_python.errors.machine import DamagedStore, DiskFull

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MODE = 0o644
# A draft says when it was begun: a cache that is restored makes every file a new one. No file
# takes a minute to write; a clock that was set is no reason to take one from under a writer.
_DRAFT = re.compile(r"\.(\d{1,12})-[0-9a-f]{16}\.partial")
_LONG_SECONDS = 3600
_MISSING = "its archive is not in the store any more"
_UNREADABLE = "its archive cannot be read ({})"
_CHANGED = "its archive is not as it was kept"


class Draft:
    """A file that is being written, until its name is known."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._sum = hashlib.sha256()

    def write(self, piece: bytes) -> None:
        """Add *piece*."""
        self._sum.update(piece)
        self._file.write(piece)

    @property
    def digest(self) -> str:
        """SHA-256 in hex of what was written so far."""
        return self._sum.hexdigest()


@contextmanager
def writing(directory: Path, suffix: str, doing: str) -> Iterator[Draft]:
    """Give what to write to; afterwards it is there as its digest with *suffix*, or not at all.

    Raises DiskFull with *doing*, or OSError.
    """
    path = directory / f".{int(time.time())}-{token_hex(8)}.partial"
    try:
        # In place of a file of that name, too: what it holds may have been damaged.
        with path.open("xb") as file:
            os.fchmod(file.fileno(), _MODE)
            draft = Draft(file)
            yield draft
        path.replace(directory / f"{draft.digest}{suffix}")
    except OSError as error:
        path.unlink(missing_ok=True)
        if error.errno in _NO_SPACE:
            raise DiskFull(doing) from error
        raise
    except BaseException:
        path.unlink(missing_ok=True)
        raise


@contextmanager
def verified(directory: Path, digest: str, suffix: str) -> Iterator[BinaryIO]:
    """Give the file of *digest* to read, when it holds what it should.

    Raises DamagedStore.
    """
    if not _DIGEST.fullmatch(digest):
        raise DamagedStore(_MISSING)
    try:
        # Unbuffered: whoever reads it takes large pieces.
        file = (directory / f"{digest}{suffix}").open("rb", buffering=0)
    except OSError as error:
        raise DamagedStore(_MISSING) from error
    with file:
        try:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise DamagedStore(_UNREADABLE.format(error.strerror)) from error
        if found != digest:
            raise DamagedStore(_CHANGED)
        file.seek(0)
        yield file


def sizes(directory: Path) -> dict[str, int]:
    """Return the size in bytes of each file in *directory*, by name."""
    with os.scandir(directory) as found:
        return dict(_sizes(found))


def _sizes(found: Iterator[os.DirEntry[str]]) -> Iterator[tuple[str, int]]:
    for one in found:
        try:
            if one.is_file(follow_symlinks=False):
                yield one.name, one.stat(follow_symlinks=False).st_size
        except FileNotFoundError:  # another build's draft, which has its name by now
            continue


def unwanted(directory: Path, wanted: Collection[str]) -> list[Path]:
    """Return what is in *directory* but for *wanted* and what another build is writing now."""
    now = int(time.time())
    return [
        path
        for path in sorted(directory.iterdir())
        if path.name not in wanted and not _is_live(path.name, now)
    ]


def _is_live(name: str, now: int) -> bool:
    draft = _DRAFT.fullmatch(name)
    return draft is not None and abs(now - int(draft[1])) < _LONG_SECONDS
