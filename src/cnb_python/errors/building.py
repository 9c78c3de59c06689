"""Packages that have to be built and cannot be."""

from typing import Literal, override

from cnb_python.errors.base import AppError, Message


class MissingForBuild(AppError):
    """Building a package from source needs what the build image lacks."""

    package: str
    """Empty where unknown."""
    kind: Literal["header", "library", "program"]
    name: str
    python: str
    debian: str
    """The package of Debian that holds it; empty: unknown."""
    ubuntu: str

    @override
    def describe(self) -> Message:
        if not self.package:
            return _missing_program(self)
        return Message(
            title=f"{self.package} needs the {self.kind} {self.name}",
            body=(
                _from_source(self.package, self.python),
                f"Building it needs the {self.kind} {self.name}, which the build image lacks.",
            ),
            steps=(
                _easier(self.package),
                _where_it_is(self),
                "Another Python may have a wheel of it: choose one in .python-version.",
            ),
        )


class MissingBuildRequirement(AppError):
    """What a package's build requires, its build backend for instance, cannot be had."""

    package: str
    requirement: str
    is_offline: bool
    """No index may be asked."""
    debian: str
    """The package of Debian with the same program, which is not asked of an index then; empty:
    none.
    """
    ubuntu: str

    @override
    def describe(self) -> Message:
        offline = (
            f"Put it there too: pip download '{self.requirement}' -d DIRECTORY",
            f"Or put a wheel of {self.package} there in place of its source: pip wheel.",
        )
        online = (
            *_as_a_program(self),
            f"Ask for a newer version of {self.package}, or one that has a wheel for this Python.",
            "If the missing package is a private one, give the build its index as well.",
        )
        return Message(
            title=f"{self.package} cannot be built without {self.requirement}",
            body=(
                (
                    f"{self.package} is installed from its source, and its build requires "
                    f"{self.requirement}."
                ),
                (
                    "No index may be asked (--no-index), and it is not among the files at hand."
                    if self.is_offline
                    else "The index has nothing that answers this."
                ),
            ),
            steps=offline if self.is_offline else online,
        )


class UndefinedSymbol(AppError):
    """What is linked uses a function that none of its libraries has."""

    package: str
    symbol: str
    python: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.package} cannot be linked: no library has {self.symbol}",
            body=(
                _from_source(self.package, self.python),
                (
                    f"Its code uses {self.symbol}, which is in none of the libraries that it is "
                    "linked with in this build image."
                ),
            ),
            steps=(
                _easier(self.package),
                (
                    f"The build image's library may be too old for it, or made without it: look in "
                    f"the documentation of {self.package} for the version that it asks for, and "
                    "use a build image that holds that."
                ),
                (
                    f"If {self.package} is yours, name the library that has it where its extension "
                    "is declared (libraries=[...])."
                ),
            ),
        )


class MissingBuildModule(AppError):
    """A package's own build imports what it does not say that it requires, or what is gone."""

    package: str
    module: str
    removed: str
    """What no longer holds it, with its version: `Python 3.12`; empty: nothing of the kind."""
    python: str

    @override
    def describe(self) -> Message:
        if self.removed:
            return _removed_module(self)
        return Message(
            title=f"{self.package} needs {self.module} to be built and does not say so",
            body=(
                _from_source(self.package, self.python),
                (
                    f"Its build imports {self.module}, which its pyproject.toml does not list "
                    "under [build-system] requires."
                ),
            ),
            steps=(
                _easier(self.package),
                (
                    f"If {self.package} is yours, add {self.module} to [build-system] requires "
                    "in its pyproject.toml."
                ),
                (
                    f"If {self.module} is the app's own module: setup.py must not import it, for "
                    "it is built elsewhere."
                ),
            ),
        )


class Python2OnlyPackage(AppError):
    """A package whose source is written for Python 2."""

    package: str
    sign: str
    """What shows it: a line of its build's output."""

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.package} is written for Python 2",
            body=(
                f"Building {self.package} from its source stops with: {self.sign}",
                "That is how code looks that was made for Python 2, which no image has any more.",
            ),
            steps=(
                f"Ask for a newer version of {self.package}, if there is one for Python 3.",
                "Or look for a package that took its place: many old ones have a maintained heir.",
            ),
        )


class SourceBuildFailed(AppError):
    """A package that is built from source failed to."""

    package: str
    problem: str
    python: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.package} could not be built",
            body=(
                _from_source(self.package, self.python),
                f"Its build failed: {self.problem}",
            ),
            steps=(
                _easier(self.package),
                (
                    "Old versions often do not build on a new Python: choose an older line in "
                    ".python-version, or a newer version of the package."
                ),
                "The whole output of its build stands above.",
            ),
        )


def _as_a_program(failure: MissingBuildRequirement) -> tuple[str, ...]:
    if not failure.debian:
        return ()
    return (
        (
            "Its build asks the index because the build image has no such program: give the "
            f"build {_packages(failure.debian, failure.ubuntu)}, in a build image that holds it "
            "or by a buildpack for apt packages that runs before this one."
        ),
    )


def _removed_module(failure: MissingBuildModule) -> Message:
    constraint = (
        "Or let it be built with an older one: write setuptools<81 to the file build.txt and give "
        "the build --env PIP_BUILD_CONSTRAINT=build.txt (for uv: UV_BUILD_CONSTRAINT)."
    )
    older = "Or use a Python that still has it: write an older line to .python-version."
    return Message(
        title=f"{failure.package} is too old for {failure.removed}",
        body=(
            _from_source(failure.package, failure.python),
            f"Its build imports {failure.module}, which {failure.removed} no longer has.",
        ),
        steps=(
            f"Ask for a newer version of {failure.package}.",
            older if failure.removed.startswith("Python") else constraint,
        ),
    )


def _missing_program(failure: MissingForBuild) -> Message:
    return Message(
        title=f"The build image has no {failure.name}",
        body=(f"A requirement is fetched with {failure.name}, which the build image lacks.",),
        steps=(
            f"Use a build image that holds {failure.name} (Debian and Ubuntu: {failure.debian}),",
            "or name a released version of the package: name==version.",
        ),
    )


def _from_source(package: str, python: str) -> str:
    return (
        f"{package} has no ready-made wheel that fits Python {python} here, so it is built from "
        "its source."
    )


def _easier(package: str) -> str:
    if package.startswith("psycopg2"):
        return "Use psycopg2-binary or psycopg[binary] in its place: both come ready-made."
    return f"Ask for a version of {package} that has a wheel for this Python, if there is one."


def _where_it_is(failure: MissingForBuild) -> str:
    if failure.name == "Python.h":
        return "The interpreter in use has no headers: use one of the supported Python lines."
    if not failure.debian:
        return (
            f"Or use a build image that has the {failure.kind} (on Debian, `apt-file search "
            f"{failure.name}` names the package that holds it)" + _at_run_time(failure)
        )
    return (
        f"Or give the build {_packages(failure.debian, failure.ubuntu)}: in a build image that "
        "holds it, or by a buildpack for apt packages that runs before this one"
        + _at_run_time(failure)
    )


def _packages(debian: str, ubuntu: str) -> str:
    if debian == ubuntu:
        return f"Debian and Ubuntu's package {debian}"
    return f"Debian's package {debian} (Ubuntu: {ubuntu})"


def _at_run_time(failure: MissingForBuild) -> str:
    return "." if failure.kind == "program" else "; the run image needs its library too."
