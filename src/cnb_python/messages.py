"""Every word shown for a failure: what was found, what is expected, the steps that mend it."""

from dataclasses import dataclass
from typing import assert_never

from cnb_python.errors import (
    Failure,
    NotAFile,
    NotUtf8,
    UnreadableFile,
    UnsupportedApi,
)


@dataclass(frozen=True, slots=True)
class Message:
    """A titled explanation: paragraphs first, then numbered steps."""

    title: str
    body: tuple[str, ...]
    steps: tuple[str, ...] = ()


def describe(failure: Failure) -> Message:
    """Say what went wrong and what to do."""
    match failure:
        case UnsupportedApi():
            return _unsupported_api(failure)
        case NotAFile():
            return _not_a_file(failure)
        case UnreadableFile():
            return _unreadable_file(failure)
        case NotUtf8():
            return _not_utf8(failure)
        case _:
            assert_never(failure)


def _unsupported_api(failure: UnsupportedApi) -> Message:
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


def _not_a_file(failure: NotAFile) -> Message:
    return Message(
        title=f"{failure.name} is not a file",
        body=(
            f"The app has {failure.name}, but it is {failure.kind}.",
            f"{failure.name} must be a text file at the top of the app.",
        ),
        steps=(
            f"Look at it: ls -ld {failure.name}",
            f"Move it out of the way and create the file {failure.name} in its place, "
            "or delete it if the app does not need it.",
        ),
    )


def _unreadable_file(failure: UnreadableFile) -> Message:
    return Message(
        title=f"{failure.name} cannot be read",
        body=(
            f"Reading {failure.name} failed: {failure.reason}.",
            "The build runs as a user of its own, which needs read access to every file.",
        ),
        steps=(f"Give everyone read access: chmod a+r {failure.name}", "Build again."),
    )


def _not_utf8(failure: NotUtf8) -> Message:
    return Message(
        title=f"{failure.name} is not UTF-8 text",
        body=(
            f"Line {failure.line} of {failure.name} holds the byte 0x{failure.byte:02x}, which is "
            "not UTF-8.",
            "Python's tools read this file as UTF-8, so it would be misread.",
        ),
        steps=(
            f"Find out what it is: file {failure.name}",
            f"Save {failure.name} as UTF-8: in your editor choose the encoding UTF-8, or run "
            f"`iconv -f WINDOWS-1252 -t UTF-8 {failure.name} > fixed && mv fixed {failure.name}`.",
        ),
    )
