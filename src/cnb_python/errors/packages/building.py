"""Packages that are built from source, and whose build fails.

Separate from `managers/build_errors`, since an error and its message have one home.
"""

from typing import Literal, Self, override

from cnb_python.errors.base import AppError, Message
from cnb_python.errors.libraries import line_to_add
from cnb_python.errors.packages.finding import Alternative, UnfitVersion

_OLDER_PYTHON = (
    "Use an older Python, since old packages often do not build on a new one: write its version to "
    ".python-version."
)
# system-packages was never tried with a compiler, which has compiled-in paths.
_COMPILER = "build-essential"


class MissingForBuild(UnfitVersion):
    """The build image lacks something that a package's build needs."""

    package: str
    """Empty: unknown."""
    kind: Literal["header", "library", "program"]
    name: str
    python: str
    debian: str
    """Debian's package that contains it; empty: unknown."""
    ubuntu: str

    @override
    def describe(self) -> Message:
        if not self.package:
            return _missing_program(self)
        return Message(
            title=f"{self.package} needs the {self.kind} {self.name}",
            body=(
                _from_source(self, self.package, self.python),
                f"Its build needs the {self.kind} {self.name}, which is not in the build image.",
            ),
            fixes=(
                *_ready_made(self, self.package, self.python),
                *_add_to_images(self),
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("python-ldap", "header", "lber.h", "3.14.6", "libldap-dev", "libldap-dev")


class MissingBuildRequirement(AppError):
    """A package that another package's build requires is not available."""

    package: str
    requirement: str
    is_offline: bool
    """Whether indexes are switched off."""
    debian: str
    """Debian's package with a program that makes the requirement unnecessary; empty: none."""
    ubuntu: str

    @override
    def describe(self) -> Message:
        offline = (
            f"Add it to the directory: pip download '{self.requirement}' -d DIRECTORY",
            f"Replace the source of {self.package} there with a wheel: pip wheel {self.package}",
        )
        online = (
            *_install_program(self),
            f"Use another version of {self.package}, or one that has a wheel for this Python.",
            f"If {self.requirement} is a private package, give the build its index too.",
        )
        return Message(
            title=f"{self.package} cannot be built without {self.requirement}",
            body=(
                f"{self.package} is built from source, and its build requires {self.requirement}.",
                "Indexes are switched off (--no-index), and the local files do not include it."
                if self.is_offline
                else "The index has no version of it that fits.",
            ),
            fixes=offline if self.is_offline else online,
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("backend-missing", "nosuch-backend>=3", is_offline=True, debian="", ubuntu="")


class UndefinedSymbol(UnfitVersion):
    """The code of a package uses a function that no library has."""

    package: str
    symbol: str
    python: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.package} cannot be linked: no library has {self.symbol}",
            body=(
                _from_source(self, self.package, self.python),
                f"Its code uses {self.symbol}, which is in none of the libraries that it is linked with.",
                "The library in the build image may be too old, or built without that function.",
            ),
            fixes=(
                *_ready_made(self, self.package, self.python),
                (
                    "Use a build image with the version of the library that the documentation of "
                    f"{self.package} asks for."
                ),
                (
                    f"If {self.package} is yours, name the library where its extension is declared: "
                    "libraries=[...]."
                ),
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("undef", "foo", "3.14.6")


class MissingBuildModule(UnfitVersion):
    """The build of a package imports a module that is not installed."""

    package: str
    module: str
    removed: str
    """What no longer contains it, with its version: `Python 3.12`; empty: unknown."""
    python: str

    @override
    def describe(self) -> Message:
        if self.removed:
            return _removed_module(self)
        return Message(
            title=f"{self.package} needs {self.module} for its build, but does not declare it",
            body=(
                _from_source(self, self.package, self.python),
                (
                    f"Its build imports {self.module}, which its pyproject.toml does not list under "
                    "[build-system] requires."
                ),
            ),
            fixes=(
                *_ready_made(self, self.package, self.python),
                f"If {self.package} is yours, add {self.module} to [build-system] requires.",
                (
                    f"If {self.module} is a module of the app, do not import it in setup.py: "
                    "packages are built in isolation."
                ),
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        error = cls("numpy", "distutils", "Python 3.12", "3.14.6")
        return error.suggesting(Alternative("2.3.2", "3.11"))


class Python2OnlyPackage(UnfitVersion):
    """The source of a package is written for Python 2."""

    package: str
    sign: str
    """The line of the build's output that shows it."""
    python: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.package} is written for Python 2",
            body=(
                f"Building {self.package} from source failed: {self.sign}",
                "Only code for Python 2 fails in this way.",
            ),
            fixes=self.alternatives(self.package, self.python)
            or (
                f"Use a newer version of {self.package}, if one supports Python 3.",
                "Use a maintained package in its place: many old packages have a successor.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(
            "py2only",
            "SyntaxError: Missing parentheses in call to 'print'. Did you mean print(...)?",
            "3.14.6",
        )


class SourceBuildFailed(UnfitVersion):
    """The build of a package from source failed for another reason."""

    package: str
    problem: str
    python: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.package} could not be built",
            body=(
                _from_source(self, self.package, self.python),
                f"Its build failed: {self.problem}",
                "The complete output of the build is above.",
            ),
            fixes=(
                *_ready_made(self, self.package, self.python),
                *(() if any(self.alternative) else (_OLDER_PYTHON,)),
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("gives-no-reason", "ValueError: of all things", "3.14.6")


def _from_source(failure: UnfitVersion, package: str, python: str) -> str:
    if failure.alternative.is_local:
        return f"{package} is built from source."
    if failure.alternative.is_refused:
        return f"The settings forbid the wheel of {package}, so it is built from source."
    return f"{package} has no wheel for Python {python} on this image, so it is built from source."


def _ready_made(failure: UnfitVersion, package: str, python: str) -> tuple[str, ...]:
    binary = "Use the newest psycopg2-binary or psycopg[binary] in its place: both have wheels."
    alternatives = failure.alternatives(package, python)
    if package == "psycopg2":
        return binary, *alternatives
    if failure.alternative.is_local:
        return ()
    return alternatives or (
        f"Use a version of {package} that has a wheel for this Python, if there is one.",
    )


def _add_to_images(failure: MissingForBuild) -> tuple[str, ...]:
    if failure.name == "Python.h":
        return ("Use one of the supported Python lines: this interpreter has no headers.",)
    run_time = "" if failure.kind == "program" else " The run image needs the library as well."
    if not failure.debian:
        return (
            (
                f"Use a build image that has the {failure.kind} (on Debian, `apt-file search "
                f"{failure.name}` names the package).{run_time}"
            ),
        )
    if failure.debian == _COMPILER:
        return (f"Use a build image that has the Debian or Ubuntu package {_COMPILER}.",)
    return (
        *_system_package(failure.debian, failure.ubuntu),
        f"Use a build image that has the package.{run_time}",
    )


def _install_program(failure: MissingBuildRequirement) -> tuple[str, ...]:
    """Return how to add the same program, which makes the requirement unnecessary."""
    return _system_package(failure.debian, failure.ubuntu) if failure.debian else ()


def _system_package(debian: str, ubuntu: str) -> tuple[str, ...]:
    (sentence,) = line_to_add((debian,))
    return (sentence if debian == ubuntu else f"{sentence} On Ubuntu, the package is {ubuntu}.",)


def _missing_program(failure: MissingForBuild) -> Message:
    return Message(
        title=f"The build image has no {failure.name}",
        body=(f"A requirement is fetched with {failure.name}, which is not in the build image.",),
        fixes=(
            f"Use a build image with {failure.name} (Debian and Ubuntu: {failure.debian}).",
            "Name a released version of the package instead: name==version.",
        ),
    )


def _removed_module(failure: MissingBuildModule) -> Message:
    older_python = "Use a Python that still has it: write an older version to .python-version."
    older_setuptools = (
        "Build it with an older setuptools: write setuptools<81 to the file build.txt, and set "
        "PIP_BUILD_CONSTRAINT=build.txt for the build (with uv, UV_BUILD_CONSTRAINT)."
    )
    other_way = older_python if failure.removed.startswith("Python") else older_setuptools
    return Message(
        title=f"{failure.package} is too old for {failure.removed} and newer",
        body=(
            _from_source(failure, failure.package, failure.python),
            f"Its build imports {failure.module}, which {failure.removed} no longer has.",
        ),
        fixes=failure.alternatives(failure.package, failure.python)
        or (f"Use a newer version of {failure.package}.", other_way),
    )
