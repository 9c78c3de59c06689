"""Shared libraries that do not exist, and system packages that cannot be added.

Separate from `provision/native_libraries`, since an error and its message have one home.
"""

import re
from typing import Literal, NamedTuple, Self, override

from cnb_python.errors.base import AppError, Message, OutsideError, listed

_SETTING = "BP_PYTHON_LIBRARIES=warn"


class MissingLibrary(NamedTuple):
    """A library that importing a package certainly needs."""

    package: str
    library: str
    version: str
    """What the library has to define and does not; empty: there is no such library."""
    file: str
    """The file that is linked with it; empty: the package loads it by name."""
    debian: str
    """Debian's package that contains it; empty: unknown."""
    ubuntu: str
    instead: str
    """A package that needs no such library; empty: unknown."""

    @property
    def sentence(self) -> str:
        """Return what needs the library, and what contains it."""
        by = f" ({self.file} is linked with it)" if self.file else " (it loads it by name)"
        if self.version:
            return f"{self.package} needs {self.version} of {self.library}{by}."
        return f"{self.package} needs {self.library}{by}.{_held(self.debian, self.ubuntu)}"


class MissingLibraries(AppError):
    """Importing installed packages fails, since shared libraries do not exist."""

    missing: tuple[MissingLibrary, ...]
    system_packages: tuple[str, ...]
    """The value of the setting that adds them; empty if no package is known."""

    @override
    def describe(self) -> Message:
        names = listed(dict.fromkeys(each.package for each in self.missing))
        kinds = {each.version or each.library for each in self.missing}
        what = f"{min(kinds)} is" if len(kinds) == 1 else "shared libraries are"
        return Message(
            title=f"{names} cannot be imported: {what} missing",
            body=(
                *(each.sentence for each in self.missing),
                "Neither the app's packages nor the build image contain what is missing.",
            ),
            fixes=(
                *_instead(self.missing),
                *line_to_add(self.system_packages),
                _images(self.missing),
                (
                    f"If the app does not import the package, or only the run image has the library, "
                    f"set {_SETTING}."
                ),
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(
            (
                MissingLibrary(
                    "opencv-python",
                    "libGL.so.1",
                    "",
                    "cv2/cv2.abi3.so",
                    "libgl1",
                    "libgl1",
                    "opencv-python-headless",
                ),
            ),
            ("libgl1",),
        )


def _held(debian: str, ubuntu: str) -> str:
    if debian == ubuntu:
        return f" Debian and Ubuntu have it in the package {debian}." if debian else ""
    named = ((debian, "Debian 12"), (ubuntu, "Ubuntu 24.04"))
    names = listed((f"{name} ({system})" for name, system in named if name), " and ")
    return f" It is in the package {names}."


def _instead(missing: tuple[MissingLibrary, ...]) -> tuple[str, ...]:
    pairs = dict.fromkeys((each.package, each.instead) for each in missing if each.instead)
    return tuple(f"Use {instead} in place of {package}." for package, instead in pairs)


def line_to_add(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the fix that adds the system packages *names*; nothing without names."""
    if not names:
        return ()
    quoted = ", ".join(f'"{name}"' for name in names)
    return (
        (
            f"Add the line `system-packages = [{quoted}]` to [tool.cnb-python] in pyproject.toml, "
            f"or set BP_PYTHON_SYSTEM_PACKAGES={','.join(names)}."
        ),
    )


def _images(missing: tuple[MissingLibrary, ...]) -> str:
    if all(each.version for each in missing):
        return "Use a builder and a run image with a newer release of their Linux distribution."
    return "Use a builder and a run image that contain the libraries."


type AptCause = Literal["unsigned", "gone", "network", "other"]

_CAUSES: tuple[tuple[AptCause, str], ...] = (
    (
        "unsigned",
        (
            r"is not signed|NO_PUBKEY|not signed by|EXPKEYSIG|BADSIG|REVKEYSIG|no longer has a Release"
            r"|cannot be authenticated|unauthenticated packages|invalid signature|At least one invalid"
            r"|Signed-By|signatures? (?:were|was) invalid|couldn't be verified"
        ),
    ),
    ("gone", r"404 +Not Found|does not have a Release file|Hash Sum mismatch|410 +Gone"),
    (
        "network",
        (
            r"(?i)could not (?:resolve|connect)|timed out|temporary failure|unable to connect|refused"
            r"|certificate verif|no route|network is unreachable|407 |403 |401 "
        ),
    ),
)


class BadSystemPackages(AppError):
    """The setting lists something that cannot be the name of a Debian package."""

    entries: tuple[str, ...]
    setting: str

    @override
    def describe(self) -> Message:
        return Message(
            title="The list of system packages is not valid",
            body=(
                *(f"Found:    {entry!r} in {self.setting}" for entry in self.entries),
                (
                    'Expected: each package once, by its name in lower case ("libgl1"), or with a '
                    'version ("libgl1=1.6.0-1").'
                ),
            ),
            fixes=("Correct these entries.",),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(("libgl1; id",), "BP_PYTHON_SYSTEM_PACKAGES")


class NoApt(OutsideError):
    """The build image has no apt, so it is not based on Debian or Ubuntu."""

    system: str
    """The name in its `os-release`; empty: unknown."""

    @override
    def describe(self) -> Message:
        name = f" ({self.system})" if self.system else ""
        return Message(
            title="System packages need a build image with apt",
            body=(
                f"The app lists system packages, but this build image{name} has no apt-get.",
                "System packages are Debian or Ubuntu packages.",
            ),
            fixes=(
                "Use a builder that is based on Debian or Ubuntu.",
                "Use a builder and a run image that have the libraries, and remove the setting.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("Alpine Linux v3.22")


class OtherDistribution(OutsideError):
    """Build image and run image have different releases, so packages of one do not fit the other."""

    build: str
    run: str

    @override
    def describe(self) -> Message:
        return Message(
            title="System packages of the build image do not fit the run image",
            body=(
                f"The build image is {self.build}, but the run image is {self.run}.",
                "Packages are made for one release of a distribution.",
            ),
            fixes=("Use a builder and a run image of the same release.",),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("debian 12", "debian 13")


class AptFailed(OutsideError):
    """Apt could not fetch an index or a package."""

    action: str
    """The command of apt-get: update, install, download."""
    cause: AptCause
    lines: tuple[str, ...]
    """What apt printed about it."""

    @override
    def describe(self) -> Message:
        titles: dict[AptCause, str] = {
            "unsigned": "apt does not trust a package source of the build image",
            "gone": "A package source of the build image has no such file",
            "network": "apt cannot reach a package source of the build image",
            "other": f"apt-get {self.action} failed",
        }
        fixes: dict[AptCause, tuple[str, ...]] = {
            "unsigned": (
                "Add the key of the source to the build image (`Signed-By`), or remove the source.",
            ),
            "gone": (
                "Use a newer build image, whose package sources exist.",
                "If the setting gives a version, remove it: mirrors keep only the newest.",
            ),
            "network": (
                "Build again.",
                "Set the proxy with http_proxy and https_proxy, or in the build image's apt.conf.",
            ),
            "other": ("Correct the apt configuration of the build image.",),
        }
        return Message(
            title=titles[self.cause],
            body=("apt-get printed:", *(f"  {line}" for line in self.lines)),
            fixes=fixes[self.cause],
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(
            "update",
            "unsigned",
            (
                "E: The repository 'http://deb.example.org/debian bookworm InRelease' is not signed.",
            ),
        )


class UnknownSystemPackage(NamedTuple):
    """An entry of the setting that no source of the build image has."""

    entry: str
    nearest: tuple[str, ...]
    """Packages with similar names, or the versions of the package that exist."""
    providers: tuple[str, ...]
    """The packages that provide it, if it is a virtual one."""

    @property
    def sentence(self) -> str:
        """Return what is wrong, and what may be meant."""
        if self.providers:
            return f"{self.entry} is provided by several packages: {listed(self.providers)}."
        if self.nearest:
            return f"{self.entry} does not exist. Similar: {listed(self.nearest)}."
        return f"{self.entry} does not exist."


class UnknownSystemPackages(AppError):
    """No source of the build image has the packages."""

    unknown: tuple[UnknownSystemPackage, ...]

    @override
    def describe(self) -> Message:
        names = listed([each.entry for each in self.unknown])
        return Message(
            title=f"No such system package: {names}",
            body=(
                *(each.sentence for each in self.unknown),
                (
                    "Only the package sources of the build image are searched. Names differ between "
                    "releases of Debian and Ubuntu."
                ),
            ),
            fixes=(
                "Correct the names in system-packages.",
                "Use a build image whose sources have the packages.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls((UnknownSystemPackage("libmagik1", ("libmagic1",), ()),))


class SystemPackagesConflict(AppError):
    """The packages cannot be installed together."""

    requested: tuple[str, ...]
    lines: tuple[str, ...]

    @override
    def describe(self) -> Message:
        return Message(
            title="The system packages cannot be installed together",
            body=(
                f"Requested: {listed(self.requested)}",
                "apt-get printed:",
                *(f"  {line}" for line in self.lines),
            ),
            fixes=("Remove the package, or the version, that conflicts with the others.",),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(
            ("libmagic1", "libpq5"),
            ("E: Unable to correct problems, you have held broken packages.",),
        )


class RefusedSystemPackages(AppError):
    """Listed packages do not work if their files are only unpacked."""

    refused: tuple[tuple[str, str], ...]
    """Pairs of package and reason."""

    @override
    def describe(self) -> Message:
        names = listed([name for name, _ in self.refused])
        return Message(
            title=f"Packages that cannot be system packages: {names}",
            body=(
                *(f"{name}: {reason}." for name, reason in self.refused),
                (
                    "System packages are unpacked into a layer. They are not installed, since that "
                    "needs root."
                ),
            ),
            fixes=(
                "List the library or the client program alone, if there is a package for it.",
                (
                    "Use a builder and a run image that contain the package, and remove it from "
                    "system-packages."
                ),
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls((("dbus", "its installation adds a user or a group"),))


def cause_of(output: str) -> AptCause:
    """Return the probable cause of a failure of apt that printed *output*."""
    return next((name for name, pattern in _CAUSES if re.search(pattern, output)), "other")
