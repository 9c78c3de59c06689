"""Versions of Python that are asked for in vain."""

from typing import TYPE_CHECKING

from cnb_python.errors.kinds import AppError

if TYPE_CHECKING:
    from datetime import date


class NoPythonVersion(AppError):
    """A file that should name a Python version names none."""

    name: str


class SeveralPythonVersions(AppError):
    """A file that should name one Python version names more."""

    name: str
    found: tuple[tuple[int, str], ...]
    """Line (from 1) and what it says."""


class InvalidPythonVersion(AppError):
    """Text that is no Python version as we read them."""

    text: str
    origin: str
    likely: str
    """The version that it seems to mean, empty where none is to be seen."""


class InvalidPythonRange(AppError):
    """Text that is no range of Python versions."""

    text: str
    origin: str
    likely: str
    """The same in the form that is read there, empty where it is not understood."""


class OtherImplementation(AppError):
    """Somebody asks for another Python than CPython."""

    text: str
    origin: str
    implementation: str


class MisspeltVersionFile(AppError):
    """Files that nobody reads, since their names are not quite `.python-version`."""

    found: tuple[str, ...]
    name: str
    exists: bool
    """There is one of the right name too."""


class VersionFileNotUtf8(AppError):
    """A file that names a Python in an encoding that version managers do not read."""

    name: str
    encoding: str
    version: str
    """What it names."""


class NoPythonInRange(AppError):
    """No release that can be had is in the range."""

    ranges: tuple[tuple[str, str], ...]
    """Text and origin of each."""
    supported: tuple[str, ...]
    """Lines that can be had, newest first."""
    ended: tuple[tuple[str, date], ...]
    """The newest line that is in the range and has ended, with the date."""


class PythonOutsideRange(AppError):
    """Two files disagree, and the package manager insists on one of them."""

    version: str
    asked: str
    origin: str
    range: str
    range_origin: str
    fit: str
    """The line that the range would have, empty where there is none."""


class UnknownPythonLine(AppError):
    """A release line that does not exist, or not yet for this release of the buildpack."""

    line: str
    origin: str
    supported: tuple[str, ...]
    """Lines that can be had, newest first."""
    is_newer: bool


class EndedPythonLine(AppError):
    """A release line that nobody mends any more."""

    line: str
    origin: str
    ended: date
    supported: tuple[str, ...]


class UnknownPythonPatch(AppError):
    """A release that does not exist in a line that does."""

    version: str
    origin: str
    line: str
    newest: tuple[str, ...]
    """The newest releases of the line, newest first."""


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


type PythonFailure = (
    NoPythonVersion
    | SeveralPythonVersions
    | InvalidPythonVersion
    | InvalidPythonRange
    | OtherImplementation
    | MisspeltVersionFile
    | VersionFileNotUtf8
    | NoPythonInRange
    | PythonOutsideRange
    | UnknownPythonLine
    | EndedPythonLine
    | UnknownPythonPatch
    | PythonNotAvailable
)
