"""Packages and versions that the indexes do not have for this app."""

import re
from typing import NamedTuple, Self, override

from cnb_python.errors.base import AppError, Message, listed

_LINUX = re.compile(r"(manylinux|musllinux|linux)(?:\d+|_(\d+)_(\d+))?_(\w+)")
# https://peps.python.org/pep-0600/#legacy-manylinux-tags
_LEGACY_LINUX = re.compile(r"(manylinux)(?:1|2010|2014)_(\w+)")


class Alternative(NamedTuple):
    """What an app can use in place of a version that has no wheel for its Python."""

    version: str = ""
    """The oldest later version with a wheel for the app's Python; empty: none, or unknown."""
    python: str = ""
    """The newest supported release line that has a wheel of this version; empty: as above."""
    is_refused: bool = False
    """Whether this version has a wheel for the app's Python, but the settings forbid wheels."""
    is_local: bool = False
    """Whether it is a directory of the app, so that no index has other versions."""


class UnfitVersion(AppError):
    """A version of a package that cannot be installed here; another one, or Python, may do."""

    @property
    def alternative(self) -> Alternative:
        """What the index has in its place, as far as known."""
        alternative = self.__dict__.get("alternative")
        return alternative if isinstance(alternative, Alternative) else Alternative()

    def suggesting(self, alternative: Alternative) -> Self:
        """Return the error, whose message names the *alternative*."""
        self.__dict__["alternative"] = alternative
        return self

    def alternatives(self, package: str, python: str) -> tuple[str, ...]:
        """Return the fixes that name another version of *package*, or another Python than *python*.

        Empty: none is known.
        """
        version, other_python, is_refused, _ = self.alternative
        line = ".".join(python.split(".")[:2])
        if is_refused:
            return (
                (
                    f"Allow the wheel of {package}, which exists for Python {line}: remove the package "
                    "from --no-binary (PIP_NO_BINARY, UV_NO_BINARY, UV_NO_BINARY_PACKAGE)."
                ),
            )
        newer = f"Use a newer version, which has a wheel for Python {line}: {package}=={version}"
        older = (
            f"Use Python {other_python}, for which this version has a wheel: "
            f"echo {other_python} > .python-version"
        )
        return (*((newer,) if version else ()), *((older,) if other_python else ()))


class OnlySource(AppError):
    """A version has only source code, and settings forbid to build from source."""

    requirement: str

    @override
    def describe(self) -> Message:
        name = _name_of(self.requirement)
        return Message(
            title=f"{self.requirement} has no wheel, and source code is forbidden",
            body=(
                (
                    "The option --only-binary (PIP_ONLY_BINARY, UV_NO_BUILD) forbids to build it from "
                    "source, and no wheel of it fits."
                ),
            ),
            fixes=(
                f"Allow it for this package, in a line below --only-binary: --no-binary {name}",
                "Use a version that has a wheel for this Python.",
                "Remove --only-binary.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("docopt==0.6.2")


class OnlyWheels(AppError):
    """A release has only wheels, but settings require that it is built from source."""

    package: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.package} has only wheels, but a setting forbids them",
            body=(
                (
                    "UV_NO_BINARY or UV_NO_BINARY_PACKAGE requires that it is built from source, but "
                    "the lock file lists no source distribution of it."
                ),
            ),
            fixes=(
                "Name only packages with a source distribution in UV_NO_BINARY_PACKAGE.",
                "Use a release that has one.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("one-tool")


class NoSuchPackage(AppError):
    """No index has the package."""

    requirement: str
    needed_by: str
    """The package that requires it; empty: the app itself, or unknown."""
    pages: tuple[str, ...]
    """The addresses that answered "not found"."""

    @override
    def describe(self) -> Message:
        pages = tuple(f"  - {page}" for page in self.pages)
        spelling = (
            f"Use another version of {self.needed_by}, if the package it requires was removed."
            if self.needed_by
            else "Correct the spelling: the name to install is not always the name to import."
        )
        return Message(
            title=f"There is no package {self.requirement}",
            body=(
                f"The index does not have {self.requirement}{_required_by(self.needed_by)}.",
                *(("Not found at:", *pages) if pages else ()),
                "A private index may answer in the same way if the build has no login for it.",
            ),
            fixes=(
                spelling,
                (
                    "If it is in a private index, give the build the address and the login of that "
                    "index: --env PIP_EXTRA_INDEX_URL (with uv, UV_INDEX), or a service binding."
                ),
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        page = "https://index.example.org/simple/nosuch-package-zzq/"
        return cls("nosuch-package-zzq==1.0", needed_by="", pages=(page,))


class NotInFindLinks(AppError):
    """Indexes are switched off, and the local files do not include the package."""

    requirement: str
    needed_by: str
    """The package that requires it; empty: the app itself, or unknown."""
    locations: tuple[str, ...]
    """The directories and pages that were searched, as far as known."""

    @override
    def describe(self) -> Message:
        locations = tuple(f"  - {location}" for location in self.locations)
        return Message(
            title=f"{self.requirement} is not among the files to install from",
            body=(
                (
                    f"Indexes are switched off (--no-index), and no local file satisfies "
                    f"{self.requirement}{_required_by(self.needed_by)}."
                ),
                *(("Searched:", *locations) if locations else ()),
            ),
            fixes=(
                (
                    "Download all files again, for the app's Python and on the same kind of machine: "
                    "pip download -r requirements.txt -d DIRECTORY"
                ),
                (
                    "If the file is on your machine, check that no .gitignore or project.toml "
                    "excludes it."
                ),
                "Remove --no-index (PIP_NO_INDEX, UV_NO_INDEX) to use the index too.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("good", needed_by="", locations=("vendor (not there)",))


class NoSuchVersion(AppError):
    """The index has the package, but no version that the requirement allows."""

    requirement: str
    newest: tuple[str, ...]
    """The newest versions, oldest first; empty: unknown."""

    @override
    def describe(self) -> Message:
        versions = listed(self.newest)
        example = f", such as {self.newest[-1]}" if self.newest else ""
        return Message(
            title=f"No version satisfies {self.requirement}",
            body=(
                f"The package exists, but no version of it satisfies {self.requirement}.",
                *((f"The newest versions for this Python: {versions}",) if versions else ()),
            ),
            fixes=(
                *_without_label(self.requirement),
                f"Use a version that exists{example}.",
                (
                    "If the version exists, check that it supports the app's Python, and that the "
                    "build uses the index that has it."
                ),
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("flask==99.1", ("3.0.3", "3.1.0", "3.1.1", "3.1.2", "3.1.3"))


class Yanked(AppError):
    """All versions that the requirement allows were yanked from the index."""

    requirement: str
    versions: tuple[str, ...]
    """Empty: all versions of the package."""
    reason: str
    """As the maintainers give it; empty: no reason."""

    @override
    def describe(self) -> Message:
        all_of = f"Yanked: {listed(self.versions)}" if self.versions else "Yanked: all versions"
        return Message(
            title=f"{self.requirement} was yanked from the index",
            body=(
                f"Its maintainers withdrew every version that satisfies {self.requirement}.",
                all_of,
                *((f"Reason: {self.reason}",) if self.reason else ()),
            ),
            fixes=(
                "Use another version, or another package.",
                "If you must use the yanked version, name it exactly: name==version.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("good", versions=(), reason="broken by mistake")


class WrongPython(UnfitVersion):
    """The version is for other Pythons only."""

    requirement: str
    needs: tuple[str, ...]
    python: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.requirement} needs another Python",
            body=(
                f"Found:    Python {self.python}, the Python of the app.",
                f"Expected: Python {listed(self.needs, ' or ')}, for {self.requirement}.",
            ),
            fixes=self.alternatives(_name_of(self.requirement), self.python)
            or (
                "Use a Python that fits: write its version to .python-version.",
                f"Use a version of the package that supports Python {self.python}.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        error = cls("numpy==2.3.0", (">=3.11",), "3.10.16")
        return error.suggesting(Alternative(python="3.14"))


class NoWheel(UnfitVersion):
    """The version is published only as wheels, and none of them fits."""

    requirement: str
    python: str
    pythons: tuple[str, ...]
    """Python lines that its wheels for this kind of machine are for, oldest first."""
    platforms: tuple[str, ...]
    """The platform tags of all its wheels; empty: unknown."""

    @override
    def describe(self) -> Message:
        if not self.pythons:
            return _no_wheel_for_machine(self)
        return Message(
            title=f"{self.requirement} has no wheel for Python {self.python}",
            body=(
                (
                    f"Found:    wheels for Python {listed(self.pythons)} on Linux, and no source "
                    "code."
                ),
                f"Expected: a wheel for Python {self.python} on this image.",
            ),
            fixes=self.alternatives(_name_of(self.requirement), self.python)
            or (f"Use another version of the package that supports Python {self.python}.",),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        platforms = (
            *("macosx_10_15_x86_64", "macosx_12_0_arm64", "manylinux2014_aarch64"),
            *("manylinux2014_x86_64", "manylinux_2_17_aarch64", "manylinux_2_17_x86_64"),
            "win_amd64",
        )
        error = cls("tensorflow==2.15.0", "3.14.6", ("3.9", "3.10", "3.11"), platforms)
        return error.suggesting(Alternative(python="3.11"))


class VersionConflict(AppError):
    """No set of versions satisfies all requirements."""

    causes: tuple[str, ...]

    @override
    def describe(self) -> Message:
        return Message(
            title="Requirements contradict each other",
            body=(
                "No set of versions satisfies all of these:",
                *(f"  - {cause}" for cause in self.causes),
            ),
            fixes=(
                "Loosen or change one of them in the app's files.",
                "Find versions that fit on your machine, with the command that the log shows above.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(
            ("The user requested werkzeug==2.0.0", "flask 3.1.2 depends on werkzeug>=3.1.0")
        )


def _no_wheel_for_machine(failure: NoWheel) -> Message:
    platforms = tuple(dict.fromkeys(map(_platform_name, failure.platforms)))
    wheels_for = f" for {listed(platforms)}" if platforms else ""
    machine = "this kind of machine" if platforms else "this Python and this kind of machine"
    return Message(
        title=f"{failure.requirement} has no wheel for {machine}",
        body=(
            f"Found:    wheels{wheels_for}, and no source code.",
            f"Expected: a wheel for Python {failure.python} on this image.",
            *_libc_differs(failure.platforms),
        ),
        fixes=(
            *_fixes_for(failure.platforms),
            *(
                failure.alternatives(_name_of(failure.requirement), failure.python)
                or ("Use another version of the package.",)
            ),
        ),
    )


def _linux_processors(platforms: tuple[str, ...]) -> list[str]:
    """Return the processors of those *platforms* that are Linux with glibc."""
    matches = [match for name in platforms if (match := _LINUX.fullmatch(name))]
    return sorted({match[4] for match in matches if match[1] != "musllinux"})


def _libc_differs(platforms: tuple[str, ...]) -> tuple[str, ...]:
    if not any(name.startswith("musllinux") for name in platforms) or _linux_processors(platforms):
        return ()
    return ("These wheels are for images with musl, such as Alpine's. This image has glibc.",)


def _fixes_for(platforms: tuple[str, ...]) -> tuple[str, ...]:
    if not platforms:
        return ("Use an older Python: write its version to .python-version.",)
    if not any(map(_LINUX.fullmatch, platforms)):
        return (
            (
                "Replace it, or guard the line with a marker, since it does not run on Linux: "
                "`; sys_platform == 'win32'`"
            ),
        )
    processors = _linux_processors(platforms)
    if not processors:
        return ()
    return (
        (
            f"If the image is to run on {listed(processors, ' or ')}, build it for that: pack build "
            "--platform linux/amd64 (x86_64) or linux/arm64 (aarch64)."
        ),
        "If it already is, use newer build and run images: the wheels need a newer glibc.",
    )


def _platform_name(tag: str) -> str:
    """Return what a platform tag means: `manylinux_2_39_aarch64` → `Linux on aarch64 (glibc 2.39)`."""
    if tag.startswith("win"):
        return "Windows"
    if tag.startswith("macosx"):
        return "macOS"
    if legacy := _LEGACY_LINUX.fullmatch(tag):
        return f"Linux on {legacy[2]}"
    if not (match := _LINUX.fullmatch(tag)):
        return tag
    library = "musl" if match[1] == "musllinux" else "glibc"
    version = f" ({library} {match[2]}.{match[3]})" if match[2] else ""
    return f"Linux on {match[4]}{version}"


def _without_label(requirement: str) -> tuple[str, ...]:
    """Return the fixes for a local version, such as `torch==2.13.0+cpu`."""
    version, label, _ = requirement.partition("+")
    if not label or "==" not in requirement:
        return ()
    return (
        (
            "Add the index of the project, which alone has versions with a + in them: "
            "--extra-index-url URL, as its installation guide shows it."
        ),
        f"Leave out the part from the + on: {version}",
    )


def _name_of(requirement: str) -> str:
    """Return the name in *requirement*: `numpy` of `numpy==1.24.1`."""
    match = re.match(r"[\w.-]*\w(?:\[[^]]*\])?", requirement)
    return match[0] if match else requirement


def _required_by(package: str) -> str:
    return f", which {package} requires" if package else ""
