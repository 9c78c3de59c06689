"""Commands of `[tool.cnb-python.commands]` that fail, or do not do what they declare."""

from collections.abc import Sequence
from typing import Self, override

from cnb_python.errors.base import AppError, Message

_SHOWN = 3


class BuildCommandFailed(AppError):
    """A command of the setting `commands` failed."""

    name: str
    command: str
    code: int
    missing: str
    """The program that was not found; empty: another cause."""
    package: str = ""
    """The Debian package that has the program; empty: none is known."""

    @override
    def describe(self) -> Message:
        cause = (
            (f"There is no program {self.missing} in the build image.",) if self.missing else ()
        )
        return Message(
            title=f"The command {self.name} failed",
            body=(
                f"`{self.command}` ended with exit code {self.code}. Its output is above.",
                *cause,
            ),
            fixes=self._fixes(),
        )

    def _fixes(self) -> tuple[str, ...]:
        if not self.missing:
            return (
                "Correct the cause that the last lines of its output show.",
                f"To see the failure, run it in a new checkout, as the build does: {self.command}",
            )
        package = (
            (
                f"The Debian package {self.package} has it. Add the package to the setting: "
                f'system-packages = ["{self.package}"]'
            ),
        )
        return (
            *(package if self.package else ()),
            f"If a Python package has {self.missing}, add it to the app's requirements.",
            "Use a build image that has it, or a buildpack before this one that installs it.",
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("messages", "python manage.py compilemessages", 1, "msgfmt", "gettext")


class OutputsMissing(AppError):
    """A command of the setting `commands` did not make its outputs."""

    name: str
    command: str
    patterns: tuple[str, ...]
    """Those of its outputs that match no file."""
    left: tuple[str, ...]
    """New files that no output matches."""

    @override
    def describe(self) -> Message:
        instead = (f"It made {_first(self.left)}.",) if self.left else ("It made no other files.",)
        return Message(
            title=f"The command {self.name} did not make its outputs",
            body=(
                f"`{self.command}` succeeded, but no file matches {', '.join(self.patterns)}.",
                *instead,
            ),
            fixes=(
                (
                    f"Correct outputs in [tool.cnb-python.commands.{self.name}]: paths relative to "
                    "the directory of the app, in which the command runs."
                ),
                "Correct the command so that it writes them there.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("messages", "true", ("locale/**/*.mo",), ())


class UndeclaredChanges(AppError):
    """A command of the setting `commands` changed files of the app that are not its outputs."""

    name: str
    command: str
    paths: tuple[str, ...]

    @override
    def describe(self) -> Message:
        return Message(
            title=f"The command {self.name} changed files that are not its outputs",
            body=(
                f"`{self.command}` changed or removed {_first(self.paths)}.",
                (
                    "The next build takes the outputs from the cache, without the other changes, so "
                    "builds of the same app would give different images."
                ),
            ),
            fixes=(
                f"Add them to outputs in [tool.cnb-python.commands.{self.name}].",
                "Change the command so that it does not write to them.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("assets", "touch app.py", ("app.py",))


class OutputOutsideApp(AppError):
    """An output of a command is a link that leads out of the app."""

    name: str
    path: str
    target: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"An output of the command {self.name} is outside the app",
            body=(
                f"{self.path} is a link to {self.target}.",
                "The image has only what is below the app's directory.",
            ),
            fixes=("Let the command write the file itself, or a link to a path in the app.",),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("assets", "static/app.css", "/tmp/app.css")  # noqa: S108 - an example


def left_by_commands(paths: Sequence[str]) -> Message:
    """Return a warning that files which commands left outside their outputs were removed."""
    return Message(
        title="Files that commands left outside their outputs are not in the image",
        body=(
            f"Removed: {_first(paths)}.",
            "If the app needs them, add them to the outputs of the command that makes them.",
        ),
    )


def _first(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return ", ".join(paths[:_SHOWN]) + more
