"""Interpreters' archives, and where they come from."""

from cnb_python.errors.kinds import OutsideError


class BadMirror(OutsideError):
    """A mirror or a mapping of downloads names no address."""

    origin: str
    found: str
    """Without what may be secret in it."""


class UnusablePythonTable(OutsideError):
    """A table of Python releases that cannot be used."""

    origin: str
    problems: tuple[str, ...]


class DownloadFailed(OutsideError):
    """A file could not be had."""

    title: str
    url: str
    reason: str
    attempts: int
    status: int | None
    """The server's last answer, None where there was none."""


class ChecksumMismatch(OutsideError):
    """A download is complete, and not the file it should be."""

    title: str
    url: str
    expected: str
    found: str


class DamagedArchive(OutsideError):
    """An archive that cannot be unpacked."""

    title: str
    reason: str


class UnsafeArchive(OutsideError):
    """An archive with an entry that would reach outside the directory it is unpacked into."""

    title: str
    member: str
    reason: str


class UnusableInterpreter(OutsideError):
    """The app's interpreter does not run in this build image, or is none."""

    version: str
    reason: str


type RuntimeFailure = (
    BadMirror
    | UnusablePythonTable
    | DownloadFailed
    | ChecksumMismatch
    | DamagedArchive
    | UnsafeArchive
    | UnusableInterpreter
)
