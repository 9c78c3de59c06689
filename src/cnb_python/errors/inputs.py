"""Files of the app, the platform or the lifecycle that cannot be read."""

import re
from typing import TYPE_CHECKING, Self, override

from cnb_python.errors.base import AppError, Message, OutsideError, listed

if TYPE_CHECKING:
    from pathlib import Path


class UnsupportedApi(OutsideError):
    """`buildpack.toml` declares a Buildpack API that the buildpack does not support."""

    declared: str
    """Empty: none."""
    supported: tuple[str, ...]

    @override
    def describe(self) -> Message:
        declared = self.declared or "(none)"
        return Message(
            title=f"Buildpack API {declared} is not supported",
            body=(
                f"Found:    Buildpack API {declared} in buildpack.toml.",
                f"Expected: one of {listed(self.supported)}.",
            ),
            fixes=(
                "Use the buildpack.toml of this release of the buildpack.",
                "If you assemble it yourself, use the default, which every lifecycle reads: make package",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("0.13", ("0.10", "0.11", "0.12"))


class NotAFile(AppError):
    """A file of the app is a directory, a broken link or a special file."""

    name: str
    kind: str

    @override
    def describe(self) -> Message:
        at_the_top = "" if "/" in self.name else " at the top of the app"
        return Message(
            title=f"{self.name} is not a file",
            body=(f"Found:    {self.kind}.", f"Expected: a text file{at_the_top}."),
            fixes=(
                f"Rename it, and create the file {self.name}.",
                "Delete it, if the app does not need it.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("requirements.txt", "a directory")


class UnreadableFile(AppError):
    """A file of the app cannot be read."""

    name: str
    reason: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.name} cannot be read",
            body=(
                f"Found:    {self.reason}.",
                "Expected: a file that the build's user can read.",
            ),
            fixes=(f"Make it readable: chmod a+r {self.name}",),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("requirements.txt", "Permission denied")


class FileTooLarge(AppError):
    """A file of the app is far larger than its readers expect."""

    name: str
    limit: int
    """Megabytes (2**20 bytes)."""

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.name} is too large",
            body=(
                f"Found:    more than {self.limit} MB.",
                "Expected: a text file that a person or a tool wrote.",
            ),
            fixes=(f"Check the content of {self.name}, and write it again.",),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("pyproject.toml", 32)


class NotUtf8(AppError):
    """A file of the app is not UTF-8 text."""

    name: str
    line: int
    byte: int

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.name} is not UTF-8 text",
            body=(
                f"Found:    the byte 0x{self.byte:02x} in line {self.line}.",
                "Expected: UTF-8, as Python's tools read this file.",
            ),
            fixes=(
                "Save it as UTF-8 in your editor.",
                (
                    f"Convert it: iconv -f {_likely_encoding(self)} -t UTF-8 {self.name} > fixed && "
                    f"mv fixed {self.name}"
                ),
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("requirements.txt", 2, 0xFC)


class UnknownEncoding(AppError):
    """A file of the app declares an encoding that Python does not have."""

    name: str
    encoding: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.name} declares the unknown encoding {self.encoding}",
            body=(
                f"Found:    `coding: {self.encoding}` in one of its first two lines.",
                "Expected: an encoding of Python: https://docs.python.org/3/library/codecs.html",
            ),
            fixes=(
                f"Save {self.name} as UTF-8, and delete that line.",
                "Correct the name of the encoding.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("requirements.txt", "rot13")


class TooManyIncludes(AppError):
    """Requirements files include each other so deeply, or so often, that pip would not end."""

    name: str
    reason: str
    """A noun phrase."""

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.name} includes too many files",
            body=(
                f"Found:    {self.reason}.",
                "Expected: a few files, each of which is included once, with -r or -c.",
            ),
            fixes=("Write the requirements into one file.",),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("requirements.txt", "100 files that include each other in a row")


class MissingInput(OutsideError):
    """The lifecycle did not pass an input: the phase was probably not run by a lifecycle."""

    variable: str
    position: int | None
    """Of the positional argument with the same meaning, from 1; None: only a variable."""

    @override
    def describe(self) -> Message:
        argument = f", and no argument {self.position}" if self.position else ""
        return Message(
            title=f"{self.variable} is not set",
            body=(
                f"Found:    no variable {self.variable}{argument}.",
                "Expected: a Cloud Native Buildpacks lifecycle that runs this phase.",
            ),
            fixes=(
                "Build the app with a platform: pack build my-image --buildpack .",
                f"If you run the phase by hand, set {self.variable}.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("CNB_BUILD_PLAN_PATH", 2)


class UnreadableInput(OutsideError):
    """A file from the lifecycle or the platform cannot be read."""

    path: Path
    reason: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.path.name} from the build platform cannot be read",
            body=(
                f"{self.path}: {self.reason}.",
                "This file comes from the platform or its configuration, not from your app.",
            ),
            fixes=("Check that the file is complete and that the build's user can read it.",),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        from pathlib import Path  # noqa: PLC0415 - only for the docs

        path = Path("/platform/bindings/index/password")
        return cls(path, "Permission denied")


class BadServices(OutsideError):
    """The description of Cloud Foundry's services cannot be read."""

    source: str
    """The variable, or the file that a variable names."""
    reason: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.source} cannot be read",
            body=(
                f"Found:    {self.reason}.",
                (
                    "Expected: a JSON object with a list of services for each label, as Cloud "
                    'Foundry sets it: {"user-provided": [{"name": ..., "credentials": {...}}]}'
                ),
            ),
            fixes=(
                "Correct the value, if you set it yourself.",
                "Unset it, and mount service bindings as directories.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("VCAP_SERVICES", "line 1 is not valid JSON")


class UnreadableJson(AppError):
    """A file of the app is not valid JSON."""

    name: str
    line: int
    reason: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.name} is not valid JSON",
            body=(
                f"Line {self.line}: {self.reason}.",
                "A merge conflict or an edit by hand often causes this.",
            ),
            fixes=(
                f"Correct {self.name} in that line.",
                "Write it again with its tool: pipenv lock",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("Pipfile.lock", 2, "Expecting property name enclosed in double quotes")


class MergeConflict(AppError):
    """A file of the app has the markers of a merge conflict."""

    file: str
    line: int
    """The line of the first marker, from 1."""

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.file} has an unresolved merge conflict",
            body=(f"Line {self.line} of {self.file} starts with <<<<<<<.",),
            fixes=(
                (
                    "Choose one of the versions between <<<<<<< and >>>>>>>, remove the markers, and "
                    "commit the file."
                ),
                "If it is a lock file, write it again with its tool, such as uv lock.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("uv.lock", 4)


def conflict_line(content: bytes) -> int:
    """Return the number of the line with the first marker of a merge conflict; 0 without a conflict.

    https://git-scm.com/docs/git-merge#_how_conflicts_are_presented
    """
    start = re.search(rb"^<{7}(?: .*)?\r?$", content, re.MULTILINE)
    if not start or not re.search(rb"^>{7}(?: .*)?\r?$", content[start.end() :], re.MULTILINE):
        return 0
    return content.count(b"\n", 0, start.start()) + 1


class UnreadableToml(AppError):
    """A file of the app cannot be read, or is not valid TOML."""

    path: Path
    reason: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.path.name} is not valid TOML",
            body=(f"{self.path}: {self.reason}.",),
            fixes=(f"Correct {self.path.name} there.",),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        from pathlib import Path  # noqa: PLC0415 - only for the docs

        path = Path("/workspace/pyproject.toml")
        return cls(path, "Invalid value (at line 3, column 5)")


def _likely_encoding(failure: NotUtf8) -> str:
    if failure.byte == 0:
        return "UTF-16LE"  # every other byte of ASCII text is 0 in it
    # The bytes that start UTF-16, which `>` of Windows PowerShell writes.
    return "UTF-16" if failure.line == 1 and failure.byte in {0xFE, 0xFF} else "WINDOWS-1252"
