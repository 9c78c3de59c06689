"""The words for packages that are built from source, and fail to."""

from cnb_python.errors.building import (
    MadeForPython2,
    MissingBuildModule,
    MissingBuildRequirement,
    MissingForBuild,
    SourceBuildFailed,
    UndefinedSymbol,
)
from cnb_python.wording.message import Message


def missing_for_build(failure: MissingForBuild) -> Message:
    """A header, library or program that a source build needs."""
    if not failure.package:
        return _missing_program(failure)
    return Message(
        title=f"{failure.package} needs the {failure.kind} {failure.name}",
        body=(
            _from_source(failure.package, failure.python),
            f"Building it needs the {failure.kind} {failure.name}, which the build image lacks.",
        ),
        steps=(
            _easier(failure.package),
            _where_it_is(failure),
            "Another Python may have a wheel of it: choose one in .python-version.",
        ),
    )


def undefined_symbol(failure: UndefinedSymbol) -> Message:
    """A library that is too old, was made without it, or is not named at all."""
    return Message(
        title=f"{failure.package} cannot be linked: no library has {failure.symbol}",
        body=(
            _from_source(failure.package, failure.python),
            (
                f"Its code uses {failure.symbol}, which is in none of the libraries that it is "
                "linked with in this build image."
            ),
        ),
        steps=(
            _easier(failure.package),
            (
                f"The build image's library may be too old for it, or made without it: look in "
                f"the documentation of {failure.package} for the version that it asks for, and "
                "use a build image that holds that."
            ),
            (
                f"If {failure.package} is yours, name the library that has it where its extension "
                "is declared (libraries=[...])."
            ),
        ),
    )


def missing_build_requirement(failure: MissingBuildRequirement) -> Message:
    """Most often a build backend that nobody put beside the vendored files."""
    offline = (
        f"Put it there too: pip download '{failure.requirement}' -d DIRECTORY",
        f"Or put a wheel of {failure.package} there in place of its source: pip wheel.",
    )
    online = (
        *_as_a_program(failure),
        f"Ask for a newer version of {failure.package}, or one that has a wheel for this Python.",
        "If the missing package is a private one, give the build its index as well.",
    )
    return Message(
        title=f"{failure.package} cannot be built without {failure.requirement}",
        body=(
            (
                f"{failure.package} is installed from its source, and its build requires "
                f"{failure.requirement}."
            ),
            (
                "No index may be asked (--no-index), and it is not among the files at hand."
                if failure.is_offline
                else "The index has nothing that answers this."
            ),
        ),
        steps=offline if failure.is_offline else online,
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


def missing_build_module(failure: MissingBuildModule) -> Message:
    """An import that fails in setup.py or a build backend."""
    if failure.removed:
        return _removed_module(failure)
    return Message(
        title=f"{failure.package} needs {failure.module} to be built and does not say so",
        body=(
            _from_source(failure.package, failure.python),
            (
                f"Its build imports {failure.module}, which its pyproject.toml does not list "
                "under [build-system] requires."
            ),
        ),
        steps=(
            _easier(failure.package),
            (
                f"If {failure.package} is yours, add {failure.module} to [build-system] requires "
                "in its pyproject.toml."
            ),
            (
                f"If {failure.module} is the app's own module: setup.py must not import it, for "
                "it is built elsewhere."
            ),
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


def made_for_python2(failure: MadeForPython2) -> Message:
    """`print x`, or `use_2to3`."""
    return Message(
        title=f"{failure.package} is written for Python 2",
        body=(
            f"Building {failure.package} from its source stops with: {failure.sign}",
            "That is how code looks that was made for Python 2, which no image has any more.",
        ),
        steps=(
            f"Ask for a newer version of {failure.package}, if there is one for Python 3.",
            "Or look for a package that took its place: many old ones have a maintained heir.",
        ),
    )


def source_build_failed(failure: SourceBuildFailed) -> Message:
    """A package whose own build fails."""
    return Message(
        title=f"{failure.package} could not be built",
        body=(
            _from_source(failure.package, failure.python),
            f"Its build failed: {failure.problem}",
        ),
        steps=(
            _easier(failure.package),
            (
                "Old versions often do not build on a new Python: choose an older line in "
                ".python-version, or a newer version of the package."
            ),
            "The whole output of its build stands above.",
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
