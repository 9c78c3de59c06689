"""Unpacks downloaded archives; only this module uses tarfile."""

import errno
import tarfile
import zlib
from collections.abc import Callable
from compression.zstd import ZstdError
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from cnb_python.errors.machine import DamagedArchive, DiskFull, UnsafeArchive

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True, slots=True)
class Archive:
    """A .tar, .tar.gz or .tar.zst with one directory at its top."""

    path: Path
    title: str
    """Its name in messages: `Python 3.14.6`."""


def everything(_name: str) -> bool:
    """Return True for every name."""
    return True


def unpack(archive: Archive, into: Path, includes: Callable[[str], bool] = everything) -> None:
    """Write the files below the archive's top directory to *into*, which must exist.

    Only entries that *includes* admits, by their path below the top, are written. Owners and times
    are not kept; modes become 755 or 644 under any umask. Raises UnsafeArchive, DamagedArchive and
    DiskFull, which may leave a part of the files.
    """
    try:
        with tarfile.open(archive.path, "r:*") as packed:
            packed.extractall(into, filter=_Filter(archive.title, includes))  # noqa: S202 - filtered
    except OSError as error:
        if error.errno in _NO_SPACE:
            doing = f"unpacking {archive.title} into {into}"
            raise DiskFull(doing) from error
        if error.errno is not None:
            raise
        # For bad data, the decompressors raise an OSError without a number.
        raise DamagedArchive(archive.title, str(error)) from error
    except (tarfile.TarError, zlib.error, ZstdError, EOFError, KeyError) as error:
        raise DamagedArchive(archive.title, str(error) or type(error).__name__) from error
    # Directories without an entry of their own got a mode from the umask.
    for directory, _, _ in into.walk():
        directory.chmod(0o755)


@dataclass(frozen=True, slots=True)
class _Filter:
    """Includes and changes entries, by the data filter of tarfile (PEP 706)."""

    title: str
    includes: Callable[[str], bool]

    def __call__(self, member: tarfile.TarInfo, into: str) -> tarfile.TarInfo | None:
        self._refuse_outside(member, member.name)
        below = _without_top(member.name)
        if not below or not self.includes(below):
            return None
        # The target of a hard link is relative to the top of the archive, that of a symbolic link
        # to the link.
        target = member.linkname
        if member.islnk():
            self._refuse_outside(member, target)
            target = _without_top(target)
        try:
            safe = tarfile.data_filter(member.replace(name=below, linkname=target), into)
        except tarfile.FilterError as error:
            raise UnsafeArchive(self.title, member.name, _reason(error)) from error
        # None: not set. The lifecycle sets all times when it exports the layer.
        return safe.replace(mode=_mode(member), mtime=None, deep=False)  # type: ignore[arg-type]  # documented, not in the stubs

    def _refuse_outside(self, member: tarfile.TarInfo, path: str) -> None:
        # tarfile would turn an absolute name into a relative one.
        if path.startswith("/") or ".." in PurePosixPath(path).parts:
            raise UnsafeArchive(self.title, member.name, _OUTSIDE)


_OUTSIDE = "leads outside the archive's directory"


def _reason(error: tarfile.FilterError) -> str:
    if isinstance(error, tarfile.SpecialFileError):
        return "is a device or a pipe"
    return _OUTSIDE


def _without_top(name: str) -> str:
    return "/".join(PurePosixPath(name).parts[1:])


def _mode(member: tarfile.TarInfo) -> int:
    return 0o755 if member.isdir() or member.mode & 0o111 else 0o644
