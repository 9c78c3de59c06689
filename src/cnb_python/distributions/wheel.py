"""Makes the root of a distribution from its own wheel: unpacked by uv, or unpacked here.

A wheel decides about its own files alone. Its names never lead out of the directory that it is
unpacked into, and nothing in it becomes a link. Separate from `install/staging`, which runs the
managers that fetch wheels.
https://packaging.python.org/en/latest/specifications/binary-distribution-format/
"""

import errno
import os
import shutil
import stat
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

from packaging.utils import canonicalize_name

from cnb_python.cnb import disk
from cnb_python.distributions import dist_info, entry_points, scan
from cnb_python.distributions.dist_info import INFO, DistributionRoot
from cnb_python.errors.machine import DiskFull
from cnb_python.errors.packages.install import DamagedPackage

_DATA = ".data"
_UNPACKING = "unpacking {}"
_ENCRYPTED = 0x1
_LINKED = "lib64"
# A wheel of models or libraries may have gigabytes, but then it is not a hundredth of that packed.
_LARGEST = 1 << 30
_HIGHEST_RATIO = 100
# Characters of a name that a message shows.
_SHOWN = 100


class UnpackedWheel(NamedTuple):
    """The files of a wheel, as they are in it."""

    directory: Path
    name: str
    """That of the distribution, normalized (PEP 503)."""
    info: str
    """The name of its `*.dist-info`."""


def unpack(wheel: Path, into: Path) -> None:
    """Write the files of *wheel* into the new directory *into*; of equal names the last counts.

    Raises DamagedPackage, DiskFull, or OSError.
    """
    into.mkdir(parents=True)
    try:
        with zipfile.ZipFile(wheel) as archive:
            members = {member.filename: member for member in archive.infolist()}
            _check_size(sum(member.file_size for member in archive.infolist()), wheel)
            for member in members.values():
                _extract(archive, member, wheel.name, into)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise DamagedPackage(wheel.name, str(error) or type(error).__name__) from error
    except OSError as error:
        if disk.is_full(error):
            raise DiskFull(_UNPACKING.format(wheel.name)) from error
        if error.errno == errno.EINVAL:
            # An offset before the start of the file, from which zipfile tries to read.
            raise DamagedPackage(wheel.name, "it is not a valid zip file") from error
        if disk.is_in_the_way(error):
            raise DamagedPackage(wheel.name, _impossible_path(error, into)) from error
        raise


def _impossible_path(error: OSError, into: Path) -> str:
    """Return why a path of a wheel could not be made in *into*."""
    name = str(error.filename).removeprefix(f"{into}/")
    if error.errno in {errno.EEXIST, errno.ENOTDIR, errno.EISDIR}:
        return f"it contains {name[:_SHOWN]!a} both as a file and as a directory"
    shown = f"{name[:_SHOWN]!a}{'...' if len(name) > _SHOWN else ''}"
    return f"the file system does not accept the name {shown}: {error.strerror}"


def _check_size(unpacked: int, wheel: Path) -> None:
    """Refuse a wheel that would fill the disk. Raises DamagedPackage."""
    packed = max(1, wheel.stat().st_size)
    if unpacked > _LARGEST and unpacked / packed > _HIGHEST_RATIO:
        problem = f"its {packed:,} bytes would become {unpacked >> 20:,} MB"
        raise DamagedPackage(wheel.name, problem)


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, wheel: str, into: Path) -> None:
    name = member.filename
    parts = name.removesuffix("/").split("/")
    if not {"", ".", ".."}.isdisjoint(parts) or "\0" in name:
        raise DamagedPackage(wheel, f"the name {name!a} leads out of it")
    if len(parts) > scan.DEEPEST:
        raise DamagedPackage(wheel, f"the name {name[:_SHOWN]!a}... has too many directories")
    if member.flag_bits & _ENCRYPTED:
        raise DamagedPackage(wheel, f"{name!a} is encrypted")
    target = into.joinpath(*parts)
    if name.endswith("/"):
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    mode = member.external_attr >> 16
    is_program = stat.S_ISREG(mode) and bool(mode & 0o111)
    # A link of the archive becomes a file with its target, as it does with pip and uv.
    with archive.open(member) as source, target.open("xb") as file:
        os.fchmod(file.fileno(), disk.PROGRAM_MODE if is_program else disk.FILE_MODE)
        shutil.copyfileobj(source, file)


def read(directory: Path) -> UnpackedWheel:
    """Return the wheel whose files are in *directory*.

    Raises DamagedPackage if it has not exactly one `*.dist-info`, OSError.
    """
    infos = sorted(path.name for path in directory.iterdir() if path.name.endswith(INFO))
    if len(infos) != 1:
        named = ", ".join(infos) or "none"
        raise DamagedPackage(directory.name, f"a wheel has one *{INFO}, this one: {named}")
    (info,) = infos
    metadata = directory / info / "METADATA"
    if metadata.is_symlink() or not metadata.is_file():
        raise DamagedPackage(info.removesuffix(INFO), "it has no METADATA")
    name, _ = dist_info.identity(dist_info.read_file(metadata), info)
    return UnpackedWheel(directory, name, info)


def make_root(wheel: UnpackedWheel, root: DistributionRoot) -> None:
    """Move the files of *wheel* to their paths below *root*, which does not exist yet.

    `*.data` is spread over the directories of the environment, and its scripts get the first line
    that they need. Raises DamagedPackage, or OSError.
    """
    root.site_packages.parent.mkdir(parents=True)
    wheel.directory.rename(root.site_packages)
    data = root.site_packages / f"{wheel.info.removesuffix(INFO)}{_DATA}"
    if not data.is_dir():
        return
    name = canonicalize_name(wheel.name)
    into = {
        "purelib": root.site_packages,
        "platlib": root.site_packages,
        "scripts": root.path / "bin",
        "headers": root.path / f"include/site/python{root.line}/{name}",
        "data": root.path,
    }
    for scheme in sorted(data.iterdir()):
        if scheme.name not in into or not scheme.is_dir():
            problem = f"{scheme.name!a} is no kind of data that a wheel may have"
            raise DamagedPackage(wheel.name, problem)
    for kind, target in into.items():
        if (data / kind).is_dir():
            if kind == "scripts":
                _set_interpreter(data / kind, str(root.final))
            target.mkdir(parents=True, exist_ok=True)
            _merge(data / kind, target, wheel.name, is_top=kind == "data")
    disk.remove(data)


def _set_interpreter(scripts: Path, final: str) -> None:
    for script in scripts.iterdir():
        if script.is_file():
            content = script.read_bytes()
            if (changed := entry_points.with_placeholder(content, final)) != content:
                disk.write(script, changed, disk.PROGRAM_MODE)


def _merge(source: Path, target: Path, wheel: str, *, is_top: bool = False) -> None:
    """Move what is in *source* into *target*, in place of files that are there.

    *is_top*: it is the top of an environment, where `lib64` is `lib`.
    """
    for path in sorted(source.iterdir()):
        into = target / ("lib" if is_top and path.name == _LINKED else path.name)
        if into.is_dir() and path.is_dir():
            _merge(path, into, wheel)
        elif into.is_dir() or (path.is_dir() and into.exists()):
            raise DamagedPackage(wheel, f"{path.name!a} is a file and a directory")
        else:
            path.replace(into)
