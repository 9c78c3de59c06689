"""Unpacks archives that somebody else made. The only module that knows tarfile."""

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
    """A .tar, .tar.gz or .tar.zst, told apart by its content, with one directory at its top."""

    path: Path
    title: str
    """What the user knows it as: `Python 3.14.6`."""


def everything(_name: str) -> bool:
    """Leave nothing out."""
    return True


def unpack(archive: Archive, into: Path, wanted: Callable[[str], bool] = everything) -> None:
    """Write what is below the archive's top directory below *into*, which must exist.

    Entries that *wanted* declines, by their path below the top, are never written. Owners and
    times are not kept; modes become 755 or 644 whatever the umask is. Raises UnsafeArchive,
    DamagedArchive and DiskFull, each of which may leave a part behind.
    """
    try:
        with tarfile.open(archive.path, "r:*") as packed:
            packed.extractall(into, filter=_Filter(archive.title, wanted))  # noqa: S202 - filtered
    except OSError as error:
        if error.errno in _NO_SPACE:
            doing = f"unpacking {archive.title} into {into}"
            raise DiskFull(doing) from error
        if error.errno is not None:
            raise
        # What the decompressors raise for bad data is an OSError without a number.
        raise DamagedArchive(archive.title, str(error)) from error
    except (tarfile.TarError, zlib.error, ZstdError, EOFError, KeyError) as error:
        raise DamagedArchive(archive.title, str(error) or type(error).__name__) from error
    # Directories that have no entry of their own were made as the umask has it.
    for directory, _, _ in into.walk():
        directory.chmod(0o755)


@dataclass(frozen=True, slots=True)
class _Filter:
    """Decides what becomes of each entry, after tarfile's own rules for data (PEP 706)."""

    title: str
    wanted: Callable[[str], bool]

    def __call__(self, member: tarfile.TarInfo, into: str) -> tarfile.TarInfo | None:
        self._refuse_outside(member, member.name)
        below = _without_top(member.name)
        if not below or not self.wanted(below):
            return None
        # A hard link names its target from the top of the archive, a symbolic one from its place.
        target = member.linkname
        if member.islnk():
            self._refuse_outside(member, target)
            target = _without_top(target)
        try:
            safe = tarfile.data_filter(member.replace(name=below, linkname=target), into)
        except tarfile.FilterError as error:
            raise UnsafeArchive(self.title, member.name, _reason(error)) from error
        # None: not set at all. Whoever exports the layer fixes the times.
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
