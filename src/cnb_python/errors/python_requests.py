"""Requests for a Python version that cannot be understood."""

from shlex import quote
from typing import Self, override

from cnb_python.errors.base import AppError, Message, listed

_FORM = "a release line such as 3.14, or a release such as 3.14.6"


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
                *about(self.origin),
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


def about(origin: str) -> tuple[str, ...]:
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
