"""Package managers that are programs of their own."""

import re
from typing import override

from cnb_python.errors.base import AppError, Message, OutsideError

_REQUIRES = "requires-poetry"

_UNKNOWN = re.compile(r"there (is|are) (no|only).* versions? of")

_OTHER = (
    "Ask for a release that there is, in the setting {program} or where the app's files ask for "
    "one; without both a build takes the {title} that this buildpack has checked."
)

_TITLES = {"poetry": "Poetry", "pipenv": "Pipenv", "pdm": "PDM"}


class AppNotInstallable(AppError):
    """The app says that it is a package, and its manager finds no code of it."""

    file: str
    manager: str
    problem: str
    """In the manager's own words."""

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.manager} cannot install the app itself",
            body=(
                f"{self.file} describes a package, and {self.manager} says of it:",
                f"  {self.problem}",
            ),
            steps=(
                "Where the app is not to be installed, but only what it needs: add to [tool.poetry]",
                "of pyproject.toml the line package-mode = false.",
                'Where it is a package: name its directory, packages = [{ include = "..." }].',
            ),
        )


class UnknownPoetryKey(AppError):
    """A manager does not know a key of its own table: a later release brought it, or nobody."""

    file: str
    manager: str
    key: str
    said: tuple[str, ...]
    """The manager's own words."""

    @override
    def describe(self) -> Message:
        name = self.manager.lower()
        setting = f"the setting {name} ([tool.cnb-python] {name}, or BP_PYTHON_{name.upper()})"
        steps = (
            f"Look how {self.key} is written, and in which table.",
            f"Or name a release that knows it in {setting}.",
        )
        if self.key == _REQUIRES:
            steps = (
                f"Take {self.key} out: no Poetry before 2.0 reads a file that has it.",
                f"Name the release in {setting} instead.",
            )
        return Message(
            title=f"{self.manager} refuses {self.key} in {self.file}",
            body=(f"The {self.manager} of this build says:", *(f"  {one}" for one in self.said)),
            steps=steps,
        )


class ProgramUnavailable(OutsideError):
    """The program of a package manager could not be fetched."""

    program: str
    version: str
    """The release, or a specifier."""
    reasons: tuple[str, ...]
    """In uv's own words."""

    @override
    def describe(self) -> Message:
        title = _TITLES.get(self.program, self.program)
        is_unknown = any(_UNKNOWN.search(reason) for reason in self.reasons)
        return Message(
            title=f"{title} could not be fetched",
            body=(
                f"The app's packages are decided by {title}, of which this build needs release",
                f"{self.version}. Fetching it from the package index failed. uv says:",
                *(f"  {reason}" for reason in self.reasons),
            ),
            steps=(
                *((_OTHER.format(title=title, program=self.program),) if is_unknown else ()),
                "Without the public index, name one that has this release and what it needs.",
                "PIP_INDEX_URL, UV_DEFAULT_INDEX or a service binding says so (docs/indexes.md).",
                "Or use an offline package of this buildpack: it has the usual release inside.",
                "Or build again, in case the index was out of reach for a moment.",
            ),
        )


class LockTooNew(AppError):
    """A lock file is of a form that a later release of its tool has brought."""

    file: str
    manager: str
    said: tuple[str, ...]
    """The tool's own words."""

    @override
    def describe(self) -> Message:
        name = self.manager.lower()
        return Message(
            title=f"{self.file} was made by a newer {self.manager}",
            body=(
                f"The {self.manager} of this build cannot read it. It says:",
                *(f"  {line}" for line in self.said),
            ),
            steps=(
                f"Name the release that made it in the setting {name} ([tool.cnb-python] {name}).",
                f"Or make {self.file} again with the older {self.manager}: {name} lock.",
            ),
        )
