"""Whether a release is old enough, by the upload times of its files.

Separate from `check`, which makes requests.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from cnb_python.managers.base import Pin
from cnb_python.python.versions import normalized_version
from cnb_python.supply_chain.cooldown.release_files import ReleaseFile, WheelTarget, allowed_hashes


class ReleaseAge(NamedTuple):
    """What the files of a release tell about its age."""

    uploaded: datetime | None
    """When the last of them was uploaded; None: unknown."""
    has_files: bool
    """Whether there are any files of the release."""


def chosen_files(
    pin: Pin, files: Iterable[ReleaseFile], target: WheelTarget
) -> tuple[ReleaseFile, ...]:
    """Return those of *files* that may be installed for *pin*: wheels that fit, else sdists.

    An old release may get new files: each that may be installed counts.
    """
    hashes, version = allowed_hashes(pin), normalized_version(pin.version)
    allowed = [
        file
        for file in files
        if (file.sha256 in hashes if hashes else normalized_version(file.version) == version)
        and file.fits(target)
    ]
    wheels = [file for file in allowed if file.is_wheel]
    sdists = [file for file in allowed if not file.is_wheel]
    return tuple(sdists if (pin.by_itself and sdists) or not wheels else wheels)


def age_of(files: Sequence[ReleaseFile]) -> ReleaseAge:
    """Return the age of a release of which *files* may be installed."""
    times = [file.uploaded for file in files if file.uploaded]
    is_known = bool(files) and len(times) == len(files)
    return ReleaseAge(max(times) if is_known else None, bool(files))


def newest_older(
    pin: Pin, files: Iterable[ReleaseFile], latest: datetime, target: WheelTarget
) -> str:
    """Return the newest release below that of *pin* that was uploaded by *latest*.

    Empty: *files* have none that fits *target*. Pre-releases count if *pin* is one.
    """
    own = _version(pin.version)
    if own is None:
        return ""
    by_version: dict[Version, list[ReleaseFile]] = {}
    for file in files:
        version = _version(file.version)
        if version and version < own and (own.is_prerelease or not version.is_prerelease):
            by_version.setdefault(version, []).append(file)
    fitting = (
        version
        for version in sorted(by_version, reverse=True)
        if _is_installable(by_version[version], latest, target)
    )
    return str(next(fitting, ""))


def _is_installable(files: Iterable[ReleaseFile], latest: datetime, target: WheelTarget) -> bool:
    return any(
        file.uploaded is not None
        and file.uploaded <= latest
        and not file.is_yanked
        and file.fits(target)
        and _admits(file.requires_python, target.python)
        for file in files
    )


def _admits(requires_python: str, python: str) -> bool:
    try:
        return SpecifierSet(requires_python).contains(python, prereleases=True)
    except ValueError:
        return False


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except ValueError:  # also for thousands of digits
        return None
