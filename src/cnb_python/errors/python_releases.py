"""Python releases that do not exist, are not supported, or contradict a range of the app.

Separate from `python_requests`: what the app asks for is understood here.
"""

from typing import TYPE_CHECKING, Self, override

from cnb_python.errors.base import AppError, Message, listed
from cnb_python.errors.python_requests import about

if TYPE_CHECKING:
    from datetime import date

_MIRROR = "BP_PYTHON_MIRROR"


class NoPythonInRange(AppError):
    """No supported Python is in the range that the app requests."""

    ranges: tuple[tuple[str, str], ...]
    """Text and origin of each."""
    supported: tuple[str, ...]
    """Supported lines, newest first."""
    ended: tuple[tuple[str, date], ...]
    """The newest line in the range that is past its end of life, with that date."""

    @override
    def describe(self) -> Message:
        texts = listed((text for text, _ in self.ranges), " and ")
        oldest = self.supported[-1] if self.supported else "3.12"
        return Message(
            title=f"No supported Python satisfies {texts}",
            body=(
                *(f"Found:    {text} ({origin})." for text, origin in self.ranges),
                f"Expected: a range that includes one of {_list(self.supported)}.",
                *(
                    f"Python {line} reached its end of life on {day}. It gets no security fixes "
                    "any more, so this buildpack does not install it."
                    for line, day in self.ended
                ),
            ),
            steps=(
                f"Make the app run on a supported Python, and widen the range: >={oldest}",
                "Update the lock file, if the app has one.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        from datetime import date  # noqa: PLC0415 - detect has no need of it

        return cls(
            (("<3.10", ".python-version, line 1"),),
            ("3.13", "3.11", "3.10"),
            (("3.9", date(2025, 10, 31)),),
        )


class PythonOutsideRange(AppError):
    """The Python version that one file names is not in the range of another."""

    version: str
    asked: str
    origin: str
    range: str
    range_origin: str
    fit: str
    """A line in the range; empty: no supported line is in it."""

    @override
    def describe(self) -> Message:
        change = f"Change the version in {self.origin} to one in that range"
        return Message(
            title=f"{self.origin} and {self.range_origin} contradict each other",
            body=(
                f"Found:    {self.asked}, which is Python {self.version} ({self.origin}).",
                f"Expected: a version in the range {self.range} ({self.range_origin}).",
                "The package manager installs nothing into a Python outside of that range.",
            ),
            fixes=(
                f"{change}: {self.fit}" if self.fit else f"{change}.",
                f"Widen {self.range_origin}, and update the lock file.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(
            *("3.13.13", "3.13", ".python-version, line 1"),
            *(">=3.14", "requires-python in pyproject.toml, line 4", "3.14"),
        )


class UnknownReleaseLine(AppError):
    """The release line does not exist, or this release of the buildpack does not know it."""

    line: str
    origin: str
    supported: tuple[str, ...]
    """Supported lines, newest first."""
    is_newer: bool

    @override
    def describe(self) -> Message:
        body = (
            f"Found:    {self.line} ({self.origin}).",
            f"Expected: one of {_list(self.supported)}.",
            *about(self.origin),
        )
        change = f"Change the version in {self.origin} to one of these."
        if self.is_newer:
            return Message(
                title=f"Python {self.line} is newer than this release of the buildpack",
                body=body,
                fixes=("Update the buildpack, if that Python has been released.", change),
            )
        return Message(title=f"There is no Python {self.line}", body=body, fixes=(change,))

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("3.99", ".python-version, line 1", ("3.14", "3.13"), is_newer=True)


class PythonEndOfLife(AppError):
    """The release line is past its end of life."""

    line: str
    origin: str
    ended: date
    supported: tuple[str, ...]

    @override
    def describe(self) -> Message:
        newest = self.supported[0] if self.supported else "newer"
        if self.line.startswith("2."):
            return _python_2(self, newest)
        return Message(
            title=f"Python {self.line} reached its end of life on {self.ended}",
            body=(
                f"Found:    {self.line} ({self.origin}).",
                f"Expected: one of {_list(self.supported)}.",
                "It gets no security fixes any more, so this buildpack does not install it.",
                *about(self.origin),
            ),
            fixes=(
                (
                    "Move the app to a supported version, and change the version in "
                    f"{self.origin}: {newest}"
                ),
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        from datetime import date  # noqa: PLC0415 - detect has no need of it

        return cls("3.9", ".python-version, line 1", date(2025, 10, 31), ("3.14", "3.13"))


class UnknownPythonPatch(AppError):
    """The release does not exist, though its line does."""

    version: str
    origin: str
    line: str
    newest: tuple[str, ...]
    """The newest releases of the line, newest first."""

    @override
    def describe(self) -> Message:
        return Message(
            title=f"There is no Python {self.version}",
            body=(
                f"Found:    {self.version} ({self.origin}).",
                f"Expected: a release of Python {self.line}. The newest: {_list(self.newest)}",
                *about(self.origin),
            ),
            fixes=(
                f"Change it to {self.line}, which is always the newest release of that line.",
                "Change it to a release that exists.",
                "If it was released recently, update the buildpack.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("3.13.99", ".python-version, line 1", "3.13", ("3.13.13",))


class PythonNotAvailable(AppError):
    """The release is not available for this kind of machine."""

    version: str
    origin: str
    arch: str
    elsewhere: tuple[str, ...]
    """The kinds of machine that it is available for."""
    newest: tuple[str, ...]
    """The newest releases of its line for this kind of machine."""
    table: str
    """The source of the list of releases."""

    @override
    def describe(self) -> Message:
        available = _list(self.elsewhere) if self.elsewhere else "no kind of machine"
        newest = f" Releases of that line for {self.arch}: {_list(self.newest)}"
        return Message(
            title=f"Python {self.version} is not available for {self.arch}",
            body=(
                f"Found:    {self.version} ({self.origin}), which is available for {available}.",
                f"Expected: a release for {self.arch}.{newest if self.newest else ''}",
                f"The list of releases is {self.table}.",
            ),
            fixes=(
                "Use another version.",
                "Build for another kind of machine.",
                f"If the list is your own ({_MIRROR}, or an offline package), add the release.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(
            *("3.13.8", ".python-version, line 1", "amd64", ("arm64",)),
            *(("3.13.10", "3.13.9", "3.13.2"), "https://mirror.example/python.toml"),
        )


def _python_2(failure: PythonEndOfLife, newest: str) -> Message:
    return Message(
        title=f"Python 2 reached its end of life on {failure.ended}",
        body=(
            f"Found:    {failure.line} ({failure.origin}).",
            f"Expected: one of {_list(failure.supported)}.",
            *about(failure.origin),
        ),
        fixes=(
            "Port the app to Python 3: https://docs.python.org/3.12/howto/pyporting.html",
            f"If it runs on Python 3 already, change the version in {failure.origin}: {newest}",
        ),
    )


def _list(items: tuple[str, ...]) -> str:
    return listed(items) if items else "none"
