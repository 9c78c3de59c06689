"""Settings that do not say what can be done."""

from typing import override

from cnb_python.errors.base import AppError
from cnb_python.errors.message import Message


class BadSettings(AppError):
    """Settings have values that they cannot have."""

    wrong: tuple[tuple[str, str, str, str], ...]
    """Name, who gave it, what it is as written, and what is expected as a noun phrase."""

    @override
    def describe(self) -> Message:
        first = self.wrong[0][0]
        return Message(
            title=f"{first} cannot have this value"
            if len(self.wrong) == 1
            else f"{len(self.wrong)} settings have values that they cannot have",
            body=tuple(
                line
                for name, origin, found, expected in self.wrong
                for line in (
                    f"{name}, by {origin}:",
                    f"  Found:    {found}",
                    f"  Expected: {expected}",
                )
            ),
            steps=("Correct it there, or remove it to have the default.",),
        )


class UnknownSettings(AppError):
    """Settings were given that do not exist."""

    found: tuple[tuple[str, str, str], ...]
    """Name, who gave it, and the one that was probably meant, empty where none is similar."""
    known: tuple[tuple[str, str], ...]
    """Every setting, with its variable."""

    @override
    def describe(self) -> Message:
        first = self.found[0][0]
        return Message(
            title=f"There is no setting {first}"
            if len(self.found) == 1
            else f"{len(self.found)} settings do not exist",
            body=(
                *(
                    f"  - {name}{'' if name == origin else f' ({origin})'}"
                    + (f": did you mean {likely}?" if likely else "")
                    for name, origin, likely in self.found
                ),
                "The settings, as [tool.cnb-python] in pyproject.toml and as variables have them:",
                *(f"  {name:<14}{variable}" for name, variable in self.known),
            ),
            steps=("Correct the name, or remove it: a setting that nobody reads has no effect.",),
        )


class NoSuchRequirements(AppError):
    """Requirements files that a setting names, and the app does not have."""

    missing: tuple[str, ...]
    variants: tuple[str, ...]
    """Requirements files and directories of another name at the top of the app."""

    @override
    def describe(self) -> Message:
        variants = tuple(f"  - {one}" for one in self.variants)
        return Message(
            title=f"The app has no {' and no '.join(self.missing)}",
            body=(
                "The setting requirements names every file that pip reads, relative to the app.",
                *(("The app has:", *variants) if variants else ()),
            ),
            steps=(
                "Correct BP_PYTHON_REQUIREMENTS, or requirements in [tool.cnb-python].",
                "If you have the file on your machine: is it committed, and in no .gitignore?",
            ),
        )


class NoSuchProject(AppError):
    """The app is said to be in a directory that is none of the repository."""

    project: str
    candidates: tuple[str, ...]
    """Directories that seem to hold an app."""

    @override
    def describe(self) -> Message:
        candidates = tuple(f"  - {one}" for one in self.candidates)
        return Message(
            title=f"The app has no directory {self.project}",
            body=(
                (
                    f"The setting project names {self.project}, which is no directory of what is "
                    "being built, or a link that leads out of it."
                ),
                *(("These hold a Python app:", *candidates) if candidates else ()),
            ),
            steps=(
                (
                    "Correct BP_PYTHON_PROJECT, or project in [tool.cnb-python]: a path from the top "
                    "of the repository, such as services/api."
                ),
                "Build from the top of the repository: what is not there cannot be found.",
            ),
        )
