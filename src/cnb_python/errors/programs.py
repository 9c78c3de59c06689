"""Package managers that are programs of their own: Poetry, Pipenv and PDM."""

import re
from typing import Self, override

from cnb_python.errors.base import AppError, Message, OutsideError

_REQUIRES_POETRY = "requires-poetry"
_NO_SUCH_RELEASE = re.compile(r"there (is|are) (no|only).* versions? of")
_TITLES = {"poetry": "Poetry", "pipenv": "Pipenv", "pdm": "PDM"}


_NAME_THE_PACKAGE = (
    "If the app is a package, name its directory in [tool.poetry]: "
    'packages = [{ include = "my_shop" }]'
)


class AppNotInstallable(AppError):
    """The app is declared as a package, but its package manager finds no code of it."""

    file: str
    manager: str
    problem: str
    """As the manager reports it."""
    needed_by: str
    """What needs it to be installed, as a sentence."""

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.manager} cannot install the app itself",
            body=(
                f"{self.file} describes a package.",
                f"{self.manager} reports: {self.problem}",
                f"The app needs to be installed: {self.needed_by}.",
            ),
            fixes=(_NAME_THE_PACKAGE,),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(
            "pyproject.toml",
            "Poetry",
            "No file/folder found for my-shop",
            "the process web of the Procfile runs shop, a script of it",
        )


def app_left_out(file: str, manager: str, problem: str) -> Message:
    """Return the warning that the app itself is not installed; *problem* in its words."""
    return Message(
        title=f"{manager} cannot install the app itself, only its dependencies",
        body=(
            f"{file} describes a package. {manager} reports: {problem}",
            "The app's code is in the image all the same, in the app's directory.",
            "If the app is not a package, add package-mode = false to [tool.poetry] of pyproject.toml.",
            _NAME_THE_PACKAGE,
        ),
    )


class UnknownPoetryKey(AppError):
    """A manager does not know a key of its table in `pyproject.toml`."""

    file: str
    manager: str
    key: str
    output: tuple[str, ...]
    """The last lines of the manager's output."""

    @override
    def describe(self) -> Message:
        name = self.manager.lower()
        setting = f"the setting {name} (BP_PYTHON_{name.upper()})"
        fixes: tuple[str, ...] = (
            f"Correct the spelling of {self.key}, or move it to the right table.",
            f"If a newer release knows it, name that release in {setting}.",
        )
        if self.key == _REQUIRES_POETRY:
            fixes = (
                (
                    f"Remove {self.key}, which no Poetry before 2.0 accepts, and name the release in "
                    f"{setting}."
                ),
            )
        return Message(
            title=f"{self.manager} does not know {self.key} in {self.file}",
            body=(f"{self.manager} reports:", *(f"  {line}" for line in self.output)),
            fixes=fixes,
        )

    @classmethod
    @override
    def example(cls) -> Self:
        line = "- Additional properties are not allowed ('requires-poetry' was unexpected)"
        return cls("pyproject.toml", "Poetry", "requires-poetry", (line,))


class ToolUnavailable(OutsideError):
    """A package manager could not be downloaded."""

    program: str
    version: str
    """A release, or a specifier."""
    reasons: tuple[str, ...]
    """As uv reports them."""

    @override
    def describe(self) -> Message:
        title = _TITLES.get(self.program, self.program)
        other_release = (
            f"Name a release that exists in the setting {self.program}, or where the app's files "
            f"name one. Without either, the build uses the {title} that this buildpack tests."
        )
        exists = not any(_NO_SUCH_RELEASE.search(reason) for reason in self.reasons)
        return Message(
            title=f"{title} could not be downloaded",
            body=(
                f"The build needs {title} {self.version}. uv reports:",
                *(f"  {reason}" for reason in self.reasons),
            ),
            fixes=(
                *(() if exists else (other_release,)),
                "Build again: the failure may have been temporary.",
                (
                    "If builds cannot reach the public index, name an index that has this release in "
                    "PIP_INDEX_URL, UV_DEFAULT_INDEX or a service binding."
                ),
                f"Use an offline package of this buildpack, which contains {title}.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("poetry", "2.5.1", ("no route",))


class LockTooNew(AppError):
    """A lock file was written by a newer release of its tool."""

    file: str
    manager: str
    output: tuple[str, ...]
    """The last lines of the tool's output."""

    @override
    def describe(self) -> Message:
        name = self.manager.lower()
        return Message(
            title=f"{self.file} was written by a newer {self.manager}",
            body=(
                f"The {self.manager} of this build cannot read it. It reports:",
                *(f"  {line}" for line in self.output),
            ),
            fixes=(
                f"Name the release that wrote it in the setting {name} (BP_PYTHON_{name.upper()}).",
                f"Write {self.file} again with the older {self.manager}: {name} lock",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(
            "poetry.lock",
            "Poetry",
            ("The lock file is not compatible with the current version of Poetry.",),
        )
