"""Fetches packages with apt into the cache layer.

Separate from `provide`, since unchanged builds do not need it.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from cnb_python.cnb.context import BuildContext
from cnb_python.errors.downloads import DamagedArchive
from cnb_python.errors.libraries import AptFailed
from cnb_python.system.interface import System
from cnb_python.system_packages.apt import Apt, PlannedPackage
from cnb_python.system_packages.request import Requested, counted

_ARCHITECTURES = {"386": "i386", "arm": "armhf", "ppc64le": "ppc64el"}


def fetch(
    requested: Sequence[Requested],
    recorded: Sequence[str],
    work: Path,
    into: Path,
    context: BuildContext,
    system: System,
) -> tuple[str, ...]:
    """Put the files of all packages that *requested* ones need into the directory *into*.

    Return a line for each package: name, version, architecture and the digest in the signed index.
    *recorded*: those lines of an earlier fetch for the same request, whose versions are taken if
    the sources still have all of them. *work* is an empty directory. Raises as `Apt`.
    """
    apt = Apt(work, context.environ, system)
    arch = context.target.arch
    with system.output.progress("apt-get update"):
        apt.update(_ARCHITECTURES.get(arch, arch))
    packages = _again(apt, recorded, system) or _newest(apt, requested, system)
    by_digest = _by_digest(apt)
    for package in packages:
        _take(package, by_digest, into)
    return tuple(map(str, packages))


def _again(apt: Apt, recorded: Sequence[str], system: System) -> Sequence[PlannedPackage]:
    """Download the *recorded* packages; return none if the sources do not have all of them."""
    packages = [each for line in recorded if (each := PlannedPackage.parsed(line))]
    if not recorded or len(packages) < len(recorded):
        return ()
    system.output.line(f"Fetching {counted(len(packages))} with apt, as in the previous build")
    try:
        with system.output.progress("apt-get download"):
            apt.download(packages)
    except AptFailed:
        has_all = False
    else:
        has_all = {each.sha256 for each in packages} <= _by_digest(apt).keys()
    if not has_all:
        system.output.line("The package sources no longer have these versions")
    return packages if has_all else ()


def _newest(apt: Apt, requested: Sequence[Requested], system: System) -> Sequence[PlannedPackage]:
    packages = apt.plan(requested)
    system.output.line(f"Fetching {counted(len(packages))} with apt")
    with system.output.progress("apt-get download"):
        apt.download(packages)
    return packages


def _take(package: PlannedPackage, by_digest: dict[str, Path], into: Path) -> None:
    path = by_digest.get(package.sha256)
    if path is None:
        raise DamagedArchive(package.name, "its digest is not the one in the signed index")
    path.replace(into / f"{package.name}.deb")


def _by_digest(apt: Apt) -> dict[str, Path]:
    return {_digest(path): path for path in apt.downloads.glob("*.deb")}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
