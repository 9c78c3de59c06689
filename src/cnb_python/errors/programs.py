"""Package managers that are programs of their own."""

from cnb_python.errors.kinds import AppError, OutsideError


class AppNotInstallable(AppError):
    """The app says that it is a package, and its manager finds no code of it."""

    file: str
    manager: str
    problem: str
    """In the manager's own words."""


class KeyRefused(AppError):
    """A manager does not know a key of its own table: a later release brought it, or nobody."""

    file: str
    manager: str
    key: str
    said: tuple[str, ...]
    """The manager's own words."""


class ProgramUnavailable(OutsideError):
    """The program of a package manager could not be fetched."""

    program: str
    version: str
    """The release, or a specifier."""
    reasons: tuple[str, ...]
    """In uv's own words."""


type ProgramFailure = AppNotInstallable | KeyRefused | ProgramUnavailable
