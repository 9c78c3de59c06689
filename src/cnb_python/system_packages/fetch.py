"""Fetches packages with apt into the cache layer.

Separate from `provide`, since unchanged builds do not need it.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from cnb_python.cnb.context import BuildContext
from cnb_python.errors.machine import DamagedArchive
from cnb_python.system.interface import System
from cnb_python.system_packages.apt import Apt, PlannedPackage
from cnb_python.system_packages.request import Requested

_ARCHITECTURES = {"386": "i386", "arm": "armhf", "ppc64le": "ppc64el"}


def fetch(
    requested: Sequence[Requested],
    work: Path,
    into: Path,
    context: BuildContext,
    system: System,
) -> tuple[str, ...]:
    """Put the files of all packages that *requested* ones need into the directory *into*.

    Return a line for each package: name, version, architecture and the digest in the signed index.
    *work* is an empty directory. Raises as `Apt`.
    """
    apt = Apt(work, context.environ, system)
    arch = context.target.arch
    with system.output.progress("apt-get update"):
        apt.update(_ARCHITECTURES.get(arch, arch))
    packages = apt.plan(requested)
    system.output.line(f"Fetching {len(packages)} system packages with apt")
    with system.output.progress("apt-get download"):
        directory = apt.download(packages)
    by_digest = {_digest(path): path for path in directory.glob("*.deb")}
    for package in packages:
        _take(package, by_digest, into)
    return tuple(map(str, packages))


def _take(package: PlannedPackage, by_digest: dict[str, Path], into: Path) -> None:
    path = by_digest.get(package.sha256)
    if path is None:
        raise DamagedArchive(package.name, "its digest is not the one in the signed index")
    path.replace(into / f"{package.name}.deb")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
