"""What the platform or the app hands over that cannot be read."""

from typing import TYPE_CHECKING, override

from cnb_python.errors.base import AppError, Message, OutsideError

if TYPE_CHECKING:
    from pathlib import Path


class UnsupportedApi(OutsideError):
    """The lifecycle or buildpack.toml speaks a Buildpack API we do not."""

    found: str
    supported: tuple[str, ...]

    @override
    def describe(self) -> Message:
        return Message(
            title=f"Buildpack API {self.found or '(none)'} is not supported",
            body=(
                f"buildpack.toml declares Buildpack API {self.found!r}.",
                f"This buildpack speaks {', '.join(self.supported)}.",
            ),
            steps=(
                "Use the buildpack.toml that belongs to this release of the buildpack.",
                "For a lifecycle before 0.21 use the package made with `make package API=0.10`.",
            ),
        )


class NotAFile(AppError):
    """A name that decides the build belongs to something other than a file."""

    name: str
    kind: str

    @override
    def describe(self) -> Message:
        at_the_top = " at the top of the app"
        return Message(
            title=f"{self.name} is not a file",
            body=(
                f"The app has {self.name}, but it is {self.kind}.",
                f"{self.name} must be a text file{'' if '/' in self.name else at_the_top}.",
            ),
            steps=(
                f"Look at it: ls -ld {self.name}",
                (
                    f"Move it out of the way and create the file {self.name} in its place, "
                    "or delete it if the app does not need it."
                ),
            ),
        )


class UnreadableFile(AppError):
    """A file that decides the build cannot be read."""

    name: str
    reason: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.name} cannot be read",
            body=(
                f"Reading {self.name} failed: {self.reason}.",
                "The build runs as a user of its own, which needs read access to every file.",
            ),
            steps=(f"Give everyone read access: chmod a+r {self.name}", "Build again."),
        )


class NotUtf8(AppError):
    """A file that decides the build is not text as we and Python's tools read it."""

    name: str
    line: int
    byte: int

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.name} is not UTF-8 text",
            body=(
                (
                    f"Line {self.line} of {self.name} holds the byte 0x{self.byte:02x}, which"
                    f"{' is not UTF-8' if self.byte else ' no text holds'}."
                ),
                "Python's tools read this file as UTF-8, so it would be misread.",
            ),
            steps=(
                f"Find out what it is: file {self.name}",
                (
                    f"Save {self.name} as UTF-8: choose that encoding in your editor, or iconv -f "
                    f"{_likely_encoding(self)} -t UTF-8 {self.name} > fixed && mv fixed "
                    f"{self.name}"
                ),
            ),
        )


class UnknownEncoding(AppError):
    """A file that decides the build declares an encoding that Python does not have."""

    name: str
    encoding: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.name} declares the encoding {self.encoding}, which is none",
            body=(
                f"One of the first two lines of {self.name} says `coding: {self.encoding}`.",
                "Python knows no text encoding of that name, so nothing can read the file.",
            ),
            steps=(
                f"Save {self.name} as UTF-8 and delete that line.",
                "Or correct the name: https://docs.python.org/3/library/codecs.html lists them.",
            ),
        )


class MissingInput(OutsideError):
    """Nothing told us where an input is: no lifecycle is running us."""

    variable: str
    position: int | None
    """Of the positional argument that would do as well, from 1; None: there is none."""

    @override
    def describe(self) -> Message:
        argument = f" (or as argument {self.position})" if self.position else ""
        return Message(
            title=f"{self.variable} is not set",
            body=(
                f"A Cloud Native Buildpacks lifecycle hands this phase {self.variable}{argument}.",
                "Nothing did, so this does not seem to be run by a lifecycle.",
            ),
            steps=(
                "Build the app with a platform: `pack build my-image --buildpack .`",
                f"To run the phase by hand, set {self.variable} first.",
            ),
        )


class UnreadableInput(OutsideError):
    """What the lifecycle or the platform handed us cannot be read."""

    path: Path
    reason: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.path.name} from the build platform cannot be read",
            body=(f"{self.path}: {self.reason}.",),
            steps=(
                "Check that the file is whole and that the build user may read it.",
                "It is made by the platform or its configuration, not by your app.",
            ),
        )


class UnreadableJson(AppError):
    """A JSON file of the app is none."""

    name: str
    line: int
    reason: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.name} is not valid JSON",
            body=(
                f"Line {self.line} of {self.name}: {self.reason}.",
                "A merge conflict or an edit by hand often leaves such a file behind.",
            ),
            steps=(
                f"Correct {self.name} there, or have its tool write it anew (pipenv lock).",
                "Commit it, and build again.",
            ),
        )


class UnreadableToml(AppError):
    """A TOML file of the app cannot be read, or is not TOML."""

    path: Path
    reason: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.path.name} is not valid TOML",
            body=(f"{self.path}: {self.reason}.",),
            steps=(
                f"Correct {self.path.name} at the place named above.",
                "Commit it, and build again.",
            ),
        )


def _likely_encoding(failure: NotUtf8) -> str:
    if failure.byte == 0:
        return "UTF-16LE"  # every other byte of plain English is 0 in it
    # One of the two bytes that start UTF-16, which the `>` of Windows' own PowerShell writes.
    return "UTF-16" if failure.line == 1 and failure.byte in {0xFE, 0xFF} else "WINDOWS-1252"
