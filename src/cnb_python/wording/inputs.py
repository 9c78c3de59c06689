"""The words for what cannot be read, of the app or of the platform."""

from cnb_python.errors.inputs import (
    MissingInput,
    NotAFile,
    NotUtf8,
    UnknownEncoding,
    UnreadableFile,
    UnreadableInput,
    UnreadableJson,
    UnreadableToml,
    UnsupportedApi,
)
from cnb_python.wording.message import Message


def unsupported_api(failure: UnsupportedApi) -> Message:
    """Which there are, and how to get the other package."""
    return Message(
        title=f"Buildpack API {failure.found or '(none)'} is not supported",
        body=(
            f"buildpack.toml declares Buildpack API {failure.found!r}.",
            f"This buildpack speaks {', '.join(failure.supported)}.",
        ),
        steps=(
            "Use the buildpack.toml that belongs to this release of the buildpack.",
            "For a lifecycle before 0.21 use the package made with `make package API=0.10`.",
        ),
    )


def not_a_file(failure: NotAFile) -> Message:
    """What it is instead, and how to look at it."""
    at_the_top = " at the top of the app"
    return Message(
        title=f"{failure.name} is not a file",
        body=(
            f"The app has {failure.name}, but it is {failure.kind}.",
            f"{failure.name} must be a text file{'' if '/' in failure.name else at_the_top}.",
        ),
        steps=(
            f"Look at it: ls -ld {failure.name}",
            (
                f"Move it out of the way and create the file {failure.name} in its place, "
                "or delete it if the app does not need it."
            ),
        ),
    )


def unreadable_file(failure: UnreadableFile) -> Message:
    """Who has to read it, and how to let them."""
    return Message(
        title=f"{failure.name} cannot be read",
        body=(
            f"Reading {failure.name} failed: {failure.reason}.",
            "The build runs as a user of its own, which needs read access to every file.",
        ),
        steps=(f"Give everyone read access: chmod a+r {failure.name}", "Build again."),
    )


def not_utf8(failure: NotUtf8) -> Message:
    """The first byte that is not, and the likely encoding."""
    return Message(
        title=f"{failure.name} is not UTF-8 text",
        body=(
            (
                f"Line {failure.line} of {failure.name} holds the byte 0x{failure.byte:02x}, which"
                f"{' is not UTF-8' if failure.byte else ' no text holds'}."
            ),
            "Python's tools read this file as UTF-8, so it would be misread.",
        ),
        steps=(
            f"Find out what it is: file {failure.name}",
            (
                f"Save {failure.name} as UTF-8: choose that encoding in your editor, or iconv -f "
                f"{_likely_encoding(failure)} -t UTF-8 {failure.name} > fixed && mv fixed "
                f"{failure.name}"
            ),
        ),
    )


def unknown_encoding(failure: UnknownEncoding) -> Message:
    """Where it is declared."""
    return Message(
        title=f"{failure.name} declares the encoding {failure.encoding}, which is none",
        body=(
            f"One of the first two lines of {failure.name} says `coding: {failure.encoding}`.",
            "Python knows no text encoding of that name, so nothing can read the file.",
        ),
        steps=(
            f"Save {failure.name} as UTF-8 and delete that line.",
            "Or correct the name: https://docs.python.org/3/library/codecs.html lists them.",
        ),
    )


def _likely_encoding(failure: NotUtf8) -> str:
    if failure.byte == 0:
        return "UTF-16LE"  # every other byte of plain English is 0 in it
    # One of the two bytes that start UTF-16, which the `>` of Windows' own PowerShell writes.
    return "UTF-16" if failure.line == 1 and failure.byte in {0xFE, 0xFF} else "WINDOWS-1252"


def missing_input(failure: MissingInput) -> Message:
    """Who should have set it."""
    argument = f" (or as argument {failure.position})" if failure.position else ""
    return Message(
        title=f"{failure.variable} is not set",
        body=(
            f"A Cloud Native Buildpacks lifecycle hands this phase {failure.variable}{argument}.",
            "Nothing did, so this does not seem to be run by a lifecycle.",
        ),
        steps=(
            "Build the app with a platform: `pack build my-image --buildpack .`",
            f"To run the phase by hand, set {failure.variable} first.",
        ),
    )


def unreadable_input(failure: UnreadableInput) -> Message:
    """Whose file it is."""
    return Message(
        title=f"{failure.path.name} from the build platform cannot be read",
        body=(f"{failure.path}: {failure.reason}.",),
        steps=(
            "Check that the file is whole and that the build user may read it.",
            "It is made by the platform or its configuration, not by your app.",
        ),
    )


def unreadable_toml(failure: UnreadableToml) -> Message:
    """Where it is wrong."""
    return Message(
        title=f"{failure.path.name} is not valid TOML",
        body=(f"{failure.path}: {failure.reason}.",),
        steps=(
            f"Correct {failure.path.name} at the place named above.",
            "Commit it, and build again.",
        ),
    )


def unreadable_json(failure: UnreadableJson) -> Message:
    """Where it is wrong."""
    return Message(
        title=f"{failure.name} is not valid JSON",
        body=(
            f"Line {failure.line} of {failure.name}: {failure.reason}.",
            "A merge conflict or an edit by hand often leaves such a file behind.",
        ),
        steps=(
            f"Correct {failure.name} there, or have its tool write it anew (pipenv lock).",
            "Commit it, and build again.",
        ),
    )
