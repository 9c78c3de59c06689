"""Opens regular files only, and reads them up to a limit: never a pipe, a socket or a device.

Opening or reading those may wait forever, have effects, or never end.
Standard library only: detection imports it.
"""

import errno
import os
import stat
from io import FileIO
from pathlib import Path

LIMIT = 32 << 20
"""Bytes of a file that people or their tools write; large lock files have a few megabytes."""
SECRET_LIMIT = 4 << 20
"""Bytes of a value of a binding; a bundle with all public authorities has 0.3 MB."""
# What `stat` returns for /dev/null, which programs accept in place of an empty file.
_NULL = os.makedev(1, 3)
_KINDS = (
    (stat.S_ISFIFO, "it is a named pipe, not a file"),
    (stat.S_ISSOCK, "it is a socket, not a file"),
    (stat.S_ISCHR, "it is a device, not a file"),
    (stat.S_ISBLK, "it is a device, not a file"),
    (stat.S_ISLNK, "it is a symbolic link, not a file"),
)


class TooLargeToRead(OSError):
    """A file has more bytes than its reader accepts; `limit` is that number."""

    def __init__(self, limit: int, path: Path) -> None:
        super().__init__(errno.EFBIG, f"it is larger than {limit >> 20} MB", str(path))
        self.limit = limit


def opened(path: Path, *, follow: bool = True) -> FileIO:
    """Return the regular file at *path*, or the null device, open for reading, without a buffer.

    *follow*: also through a symbolic link. Raises OSError with a reason in `strerror` for anything
    else, without waiting.
    """
    # The kind first: opening some devices has effects. Then again, since it may have changed.
    _check(path.stat(follow_symlinks=follow), path)
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    descriptor = os.open(path, flags if follow else flags | os.O_NOFOLLOW)
    try:
        _check(os.fstat(descriptor), path)
        return FileIO(descriptor)
    except BaseException:
        os.close(descriptor)
        raise


def read(path: Path, limit: int = LIMIT, *, follow: bool = True) -> bytes:
    """Return the bytes of the regular file at *path*.

    Raises TooLargeToRead for more than *limit* bytes, and what `opened` raises.
    """
    with opened(path, follow=follow) as file:
        if os.fstat(file.fileno()).st_size > limit:
            raise TooLargeToRead(limit, path)
        content = bytearray()
        # The size may be wrong: some files grow, those of /proc have a size of 0.
        while piece := file.read(1 << 20):
            content += piece
            if len(content) > limit:
                raise TooLargeToRead(limit, path)
    return bytes(content)


def _check(status: os.stat_result, path: Path) -> None:
    """Raise OSError if the file with *status* is not regular."""
    mode = status.st_mode
    if stat.S_ISREG(mode) or (stat.S_ISCHR(mode) and status.st_rdev == _NULL):
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    reason = next((words for is_kind, words in _KINDS if is_kind(mode)), "it is not a file")
    raise OSError(errno.EINVAL, reason, str(path))
