"""Python versions that are not valid, not supported or not available."""

from shlex import quote
from typing import TYPE_CHECKING, Self, override

from cnb_python.errors.base import AppError, Message, listed

if TYPE_CHECKING:
    from datetime import date

_FORM = "a release line such as 3.14, or a release such as 3.14.6"
_MIRROR = "BP_PYTHON_MIRROR"


class NoPythonVersion(AppError):
    """A version file is empty."""

    name: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.name} names no Python version",
            body=("Found:    only blank lines and comments, if any.", f"Expected: {_FORM}."),
            fixes=(
                f"Write the version that you want into it: echo 3.14 > {self.name}",
                f"Delete {self.name} to use the default version of this buildpack.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(".python-version")


class SeveralPythonVersions(AppError):
    """A version file names more than one version."""

    name: str
    versions: tuple[tuple[int, str], ...]
    """Line (from 1) and text."""

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.name} names {len(self.versions)} Python versions",
            body=(
                "Found:",
                *(f"  line {number}: {text}" for number, text in self.versions),
                "Expected: one version, since an image has one Python.",
            ),
            fixes=(f"Keep the version the app runs on, and delete the others in {self.name}.",),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(".python-version", ((1, "3.13"), (2, "3.14")))


class InvalidPythonVersion(AppError):
    """A text is not a Python version."""

    text: str
    origin: str
    likely: str
    """The version that it seems to mean; empty: unknown."""

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.text!r} is not a Python version",
            body=(
                f"Found:    {self.text!r} ({self.origin}).",
                f"Expected: {_FORM}. Ranges, wildcards and pre-releases are not allowed here.",
                *_invisible(self.text),
                *_about(self.origin),
            ),
            fixes=(
                (
                    "Write only digits and dots, without quotes, prefix or comment: "
                    f"{self.likely or '3.14'}"
                ),
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(">=3.13", ".python-version, line 1", "3.13")


class InvalidPythonRange(AppError):
    """A text is not a range of Python versions."""

    text: str
    origin: str
    likely: str
    """The same range in the standard form; empty: unknown."""

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.text!r} is not a range of Python versions",
            body=(
                f"Found:    {self.text!r} ({self.origin}).",
                "Expected: conditions with commas between them, such as >=3.12,<3.15 or ==3.13.*",
                (
                    "All forms: "
                    "https://packaging.python.org/en/latest/specifications/version-specifiers/"
                ),
            ),
            fixes=(
                f"Write it in the standard form: {self.likely or '>=3.12'}",
                *_and_newer(self.text),
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("^3.12", "requires-python in pyproject.toml, line 5", ">=3.12,<4")


def _and_newer(text: str) -> tuple[str, ...]:
    """Return the fix for a version alone, such as `3.12`, which may mean newer ones as well."""
    is_version = text.replace(".", "").isdecimal()
    return (f"If newer Pythons are right too: >={text}",) if is_version else ()


class OtherImplementation(AppError):
    """The app requests a Python that is not CPython."""

    text: str
    origin: str
    implementation: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.implementation} is not supported",
            body=(
                f"Found:    {self.text} ({self.origin}).",
                "Expected: a version of CPython, the Python of python.org.",
            ),
            fixes=(
                "If the app runs on CPython too, name its version: 3.14",
                f"If the app needs {self.implementation}, use another buildpack or a Dockerfile.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("pypy3.11", ".python-version, line 1", "PyPy")


class MisspelledVersionFile(AppError):
    """The name of a file is similar to `.python-version`, but no tool reads it."""

    names: tuple[str, ...]
    expected: str
    exists: bool
    """Whether a file of the expected name exists too."""

    @override
    def describe(self) -> Message:
        wrong = self.names[0]
        also = f", besides {self.expected}" if self.exists else ""
        rename = (
            f"Delete it, and write the version to {self.expected}: git rm {quote(wrong)}"
            if self.exists
            else f"Rename it: git mv {quote(wrong)} {self.expected}"
        )
        return Message(
            title=f"{wrong!r} is not read: the version file is named {self.expected}",
            body=(
                f"Found:    {listed(map(repr, self.names))}{also}.",
                f"Expected: {self.expected}, with one dot at the beginning.",
                "Without that name, the app may get a different Python than it needs.",
            ),
            fixes=(rename, "If it is for another purpose, give it a name that is less similar."),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(("python-version",), ".python-version", exists=False)


class VersionFileNotUtf8(AppError):
    """A version file has an encoding that version managers do not read."""

    name: str
    encoding: str
    version: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.name} is {self.encoding} text",
            body=(
                f"Found:    {self.version}, in {self.encoding}.",
                "Expected: UTF-8, since version managers read nothing else.",
                "Windows PowerShell writes UTF-16 when output is redirected to a file.",
            ),
            fixes=(
                (
                    "If you use PowerShell, write it with: "
                    f'Set-Content -Encoding ascii {self.name} "{self.version}"'
                ),
                f"If you use another shell, write it with: echo {self.version} > {self.name}",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(".python-version", "UTF-16", "3.12")


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
            *_about(self.origin),
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
                *_about(self.origin),
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
                *_about(self.origin),
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
            *_about(failure.origin),
        ),
        fixes=(
            "Port the app to Python 3: https://docs.python.org/3.12/howto/pyporting.html",
            f"If it runs on Python 3 already, change the version in {failure.origin}: {newest}",
        ),
    )


def _about(origin: str) -> tuple[str, ...]:
    """Return a hint if the file in *origin* is not the right one to edit."""
    if "Pipfile.lock" in origin:
        return (
            "This comes from [requires] in the Pipfile. Change it there, and run pipenv lock.",
        )
    if "runtime.txt" in origin:
        return ("runtime.txt is outdated: move the version to .python-version.",)
    return ()


def _invisible(text: str) -> tuple[str, ...]:
    if "\\" not in text:
        return ()
    return ("It contains invisible characters: delete the line, and type it again.",)


def _list(items: tuple[str, ...]) -> str:
    return listed(items) if items else "none"
