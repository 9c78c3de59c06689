"""Versions of Python that are asked for in vain."""

from typing import TYPE_CHECKING, override

from cnb_python.errors.base import AppError, Message

if TYPE_CHECKING:
    from datetime import date
from shlex import quote

_FORM = "A version is a release line such as 3.14, or one release of it such as 3.14.6."

_MIRROR = "the setting BP_PYTHON_MIRROR"


class NoPythonVersion(AppError):
    """A file that should name a Python version names none."""

    name: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.name} names no Python version",
            body=(f"It is empty, or holds blank lines and comments alone. {_FORM}",),
            steps=(
                f"Write the line you want into it: echo 3.14 > {self.name}",
                f"Or delete {self.name} to get this buildpack's default.",
            ),
        )


class SeveralPythonVersions(AppError):
    """A file that should name one Python version names more."""

    name: str
    found: tuple[tuple[int, str], ...]
    """Line (from 1) and what it says."""

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.name} names {len(self.found)} Python versions",
            body=(
                *(f"  line {number}: {text}" for number, text in self.found),
                "An image has one Python, so the file must name exactly one.",
            ),
            steps=(f"Keep the one the app runs on and delete the other lines of {self.name}.",),
        )


class InvalidPythonVersion(AppError):
    """Text that is no Python version as we read them."""

    text: str
    origin: str
    likely: str
    """The version that it seems to mean, empty where none is to be seen."""

    @override
    def describe(self) -> Message:
        exact = "Write digits and dots alone, without quotes, prefix or comment behind"
        return Message(
            title=f"{self.text!r} is not a Python version",
            body=(
                f"It is asked for by {self.origin}.",
                f"{_FORM} Ranges, wildcards, pre-releases and other words are not understood there.",
            ),
            steps=(
                f"{exact}: {self.likely or '3.14'}",
                *_if_invisible(self.text),
                *_about(self.origin),
            ),
        )


class InvalidPythonRange(AppError):
    """Text that is no range of Python versions."""

    text: str
    origin: str
    likely: str
    """The same in the form that is read there, empty where it is not understood."""

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.text!r} is not a range of Python versions",
            body=(
                f"It is asked for by {self.origin}.",
                (
                    "A range is one or more of such conditions with commas between them: >=3.12, "
                    "<3.15, ==3.13.*, !=3.12.1"
                ),
            ),
            steps=(
                f"Write it so: {self.likely or '>=3.12'}",
                "https://packaging.python.org/en/latest/specifications/version-specifiers/ has all.",
            ),
        )


class OtherImplementation(AppError):
    """Somebody asks for another Python than CPython."""

    text: str
    origin: str
    implementation: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"This buildpack has no {self.implementation}",
            body=(
                f"{self.origin} asks for {self.text}.",
                "This buildpack installs CPython alone, the Python of python.org.",
            ),
            steps=(
                "If the app runs on CPython too, ask for that by its version: 3.14",
                f"If it needs {self.implementation}, use another buildpack or a Dockerfile.",
            ),
        )


class MisspeltVersionFile(AppError):
    """Files that nobody reads, since their names are not quite `.python-version`."""

    found: tuple[str, ...]
    name: str
    exists: bool
    """There is one of the right name too."""

    @override
    def describe(self) -> Message:
        several = len(self.found) > 1
        wrong = self.found[0]
        rename = (
            f"Delete it and keep {self.name}, where the version belongs: git rm {quote(wrong)}"
            if self.exists
            else f"Give it that name: git mv {quote(wrong)} {self.name}"
        )
        return Message(
            title=f"{wrong!r} is not the name of the file that asks for a Python",
            body=(
                *(f"  {name!r}" for name in self.found if several),
                f"The file that tools read is called {self.name}, with one dot, in front.",
                "As it is, nothing reads this one, and the app would get another Python.",
                *((f"There is a {self.name} besides.",) if self.exists else ()),
            ),
            steps=(rename, "If it is something else, give it a name that is less like that one."),
        )


class VersionFileNotUtf8(AppError):
    """A file that names a Python in an encoding that version managers do not read."""

    name: str
    encoding: str
    version: str
    """What it names."""

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.name} is {self.encoding} text",
            body=(
                f"It says {self.version}, but in an encoding in which no version manager reads it.",
                "Windows PowerShell writes files so when a command's output is redirected to one.",
            ),
            steps=(
                f'In PowerShell: Set-Content -Encoding ascii {self.name} "{self.version}"',
                f"In another shell: echo {self.version} > {self.name}",
            ),
        )


class NoPythonInRange(AppError):
    """No release that can be had is in the range."""

    ranges: tuple[tuple[str, str], ...]
    """Text and origin of each."""
    supported: tuple[str, ...]
    """Lines that can be had, newest first."""
    ended: tuple[tuple[str, date], ...]
    """The newest line that is in the range and has ended, with the date."""

    @override
    def describe(self) -> Message:
        texts = " and ".join(text for text, _ in self.ranges)
        ended = tuple(
            (
                f"Python {line} does, but it has ended on {day}: nobody mends its security holes "
                "since, so this buildpack no longer installs it."
            )
            for line, day in self.ended
        )
        oldest = self.supported[-1] if self.supported else "3.12"
        return Message(
            title=f"No Python that can be installed satisfies {texts}",
            body=(
                *(f"{origin} asks for {text}." for text, origin in self.ranges),
                *ended,
                f"Supported are {_list(self.supported)}.",
            ),
            steps=(
                f"Make the app run on a supported Python, and widen the range to hold it: >={oldest}",
                "Then have the package manager write its lock file anew, if there is one.",
            ),
        )


class PythonOutsideRange(AppError):
    """Two files disagree, and the package manager insists on one of them."""

    version: str
    asked: str
    origin: str
    range: str
    range_origin: str
    fit: str
    """The line that the range would have, empty where there is none."""

    @override
    def describe(self) -> Message:
        change = f"Change {self.origin} to ask for a Python in that range"
        return Message(
            title=f"{self.origin} and {self.range_origin} disagree",
            body=(
                f"{self.origin} asks for {self.asked}, which is Python {self.version}.",
                f"{self.range_origin} says {self.range}, which leaves that out.",
                "The package manager goes by the latter, and installs nothing into another Python.",
            ),
            steps=(
                f"{change}: {self.fit}" if self.fit else f"{change}.",
                f"Or widen {self.range_origin}, and have the lock file written anew.",
            ),
        )


class UnknownPythonLine(AppError):
    """A release line that does not exist, or not yet for this release of the buildpack."""

    line: str
    origin: str
    supported: tuple[str, ...]
    """Lines that can be had, newest first."""
    is_newer: bool

    @override
    def describe(self) -> Message:
        known = f"It knows {_list(self.supported)}."
        steps = (f"Ask for one of these instead ({self.origin}).", *_about(self.origin))
        if self.is_newer:
            return Message(
                title=f"Python {self.line} is newer than this release of the buildpack",
                body=(
                    f"It is asked for by {self.origin}, but this release does not know it.",
                    known,
                ),
                steps=("If it has been released, update the buildpack.", *steps),
            )
        return Message(
            title=f"There is no Python {self.line}",
            body=(
                f"It is asked for by {self.origin}, but no such line exists, or it is very old.",
                known,
            ),
            steps=steps,
        )


class EndedPythonLine(AppError):
    """A release line that nobody mends any more."""

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
            title=f"Python {self.line} has ended on {self.ended}",
            body=(
                f"It is asked for by {self.origin}.",
                "Nobody mends its security holes since, so this buildpack no longer installs it.",
                f"Supported are {_list(self.supported)}.",
            ),
            steps=(
                f"Move the app to a supported line; the newest is {newest}.",
                f"Ask for it where {self.line} is asked for now: {self.origin}.",
                *_about(self.origin),
            ),
        )


class UnknownPythonPatch(AppError):
    """A release that does not exist in a line that does."""

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
                f"It is asked for by {self.origin}.",
                f"The newest releases of Python {self.line} are {_list(self.newest)}.",
            ),
            steps=(
                f"Ask for {self.line} to get the newest of the line always, or for one of these.",
                "If it was released a short while ago, update the buildpack.",
                *_about(self.origin),
            ),
        )


class PythonNotAvailable(AppError):
    """A release that nobody has built for this kind of machine."""

    version: str
    origin: str
    arch: str
    elsewhere: tuple[str, ...]
    """The kinds of machine it is built for."""
    newest: tuple[str, ...]
    """The newest releases of its line for this kind of machine."""
    table: str
    """Where the list of builds comes from."""

    @override
    def describe(self) -> Message:
        built = _list(self.elsewhere) if self.elsewhere else "no kind of machine"
        others = f"For {self.arch} it has {_list(self.newest)} of that line."
        return Message(
            title=f"Python {self.version} is not available for {self.arch}",
            body=(
                f"It is asked for by {self.origin}.",
                f"The list of builds, {self.table}, has it for {built}.",
                *((others,) if self.newest else ()),
            ),
            steps=(
                "Ask for another version, or build for another kind of machine.",
                f"If the list is your own ({_MIRROR}, or an offline package), add the build to it.",
            ),
        )


def _python_2(failure: EndedPythonLine, newest: str) -> Message:
    return Message(
        title=f"Python 2 has ended on {failure.ended}",
        body=(
            f"{failure.origin} asks for {failure.line}.",
            "It is another language than Python 3, no longer mended, and not installed here.",
            f"Supported are {_list(failure.supported)}.",
        ),
        steps=(
            "Port the app: https://docs.python.org/3.12/howto/pyporting.html",
            f"If it runs on Python 3 already, ask for that ({failure.origin}): {newest}",
            *_about(failure.origin),
        ),
    )


def _about(origin: str) -> tuple[str, ...]:
    """What to know of a file that is better not edited where the version stands."""
    if "Pipfile.lock" in origin:
        return ("It comes from [requires] in the Pipfile: change it there, then run pipenv lock.",)
    if "runtime.txt" in origin:
        return ("Better still, put it into .python-version, and delete runtime.txt.",)
    return ()


def _list(items: tuple[str, ...]) -> str:
    return ", ".join(items) if items else "none"


def _if_invisible(text: str) -> tuple[str, ...]:
    if "\\" not in text:
        return ()
    return ("Delete the line and type it anew: it holds characters that cannot be seen.",)
