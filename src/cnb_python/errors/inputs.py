"""What the platform or the app hands over that cannot be read."""

from typing import TYPE_CHECKING

from cnb_python.errors.kinds import AppError, OutsideError

if TYPE_CHECKING:
    from pathlib import Path


class UnsupportedApi(OutsideError):
    """The lifecycle or buildpack.toml speaks a Buildpack API we do not."""

    found: str
    supported: tuple[str, ...]


class NotAFile(AppError):
    """A name that decides the build belongs to something other than a file."""

    name: str
    kind: str


class UnreadableFile(AppError):
    """A file that decides the build cannot be read."""

    name: str
    reason: str


class NotUtf8(AppError):
    """A file that decides the build is not text as we and Python's tools read it."""

    name: str
    line: int
    byte: int


class UnknownEncoding(AppError):
    """A file that decides the build declares an encoding that Python does not have."""

    name: str
    encoding: str


class MissingInput(OutsideError):
    """Nothing told us where an input is: no lifecycle is running us."""

    variable: str
    position: int | None
    """Of the positional argument that would do as well, from 1; None: there is none."""


class UnreadableInput(OutsideError):
    """What the lifecycle or the platform handed us cannot be read."""

    path: Path
    reason: str


class UnreadableJson(AppError):
    """A JSON file of the app is none."""

    name: str
    line: int
    reason: str


class UnreadableToml(AppError):
    """A TOML file of the app cannot be read, or is not TOML."""

    path: Path
    reason: str


class WrongForm(AppError):
    """A document of the app holds something of another kind than its tool can read."""

    file: str
    place: str
    """Which of its values: `tool.poetry.dependencies`; empty: only the line is known."""
    line: int | None
    """From 1; None: unknown."""
    found: str
    expected: str
    """As a noun phrase, or in the tool's own words."""


class OutsideApp(AppError):
    """A file of the app names a directory or file that lies outside of the app."""

    file: str
    path: str
    """As the file has it: `../../shared`."""


type InputFailure = (
    UnsupportedApi
    | NotAFile
    | UnreadableFile
    | NotUtf8
    | UnknownEncoding
    | MissingInput
    | UnreadableInput
    | UnreadableJson
    | UnreadableToml
    | WrongForm
    | OutsideApp
)
