"""Settings that do not say what can be done."""

from cnb_python.errors.kinds import AppError


class BadSettings(AppError):
    """Settings have values that they cannot have."""

    wrong: tuple[tuple[str, str, str, str], ...]
    """Name, who gave it, what it is as written, and what is expected as a noun phrase."""


class UnknownSettings(AppError):
    """Settings were given that do not exist."""

    found: tuple[tuple[str, str, str], ...]
    """Name, who gave it, and the one that was probably meant, empty where none is similar."""
    known: tuple[tuple[str, str], ...]
    """Every setting, with its variable."""


class NoSuchRequirements(AppError):
    """Requirements files that a setting names, and the app does not have."""

    missing: tuple[str, ...]
    variants: tuple[str, ...]
    """Requirements files and directories of another name at the top of the app."""


class NoSuchProject(AppError):
    """The app is said to be in a directory that is none of the repository."""

    project: str
    candidates: tuple[str, ...]
    """Directories that seem to hold an app."""


type SettingFailure = BadSettings | UnknownSettings | NoSuchRequirements | NoSuchProject
