"""Packages and versions that an index does not have for this app."""

from cnb_python.errors.kinds import AppError


class NoSuchPackage(AppError):
    """No index knows the package."""

    requirement: str
    wanted_by: str
    """The package that requires it; empty: the app itself, or unknown."""
    pages: tuple[str, ...]
    """Where it was looked for and answered "not found"."""


class NotProvided(AppError):
    """No index may be asked, and the files at hand do not hold the package."""

    requirement: str
    wanted_by: str
    """The package that requires it; empty: the app itself, or unknown."""
    places: tuple[str, ...]
    """The directories and pages that were looked through, as far as known."""


class NoSuchVersion(AppError):
    """The package exists, no version answers the requirement."""

    requirement: str
    newest: tuple[str, ...]
    """The newest that there are, oldest first; empty: unknown."""


class Yanked(AppError):
    """Everything that answers the requirement was withdrawn by its makers."""

    requirement: str
    versions: tuple[str, ...]
    """Empty: all that there are."""
    reason: str
    """In the words of its makers; empty: none was given."""


class WrongPython(AppError):
    """The version exists for other Pythons only."""

    requirement: str
    needs: tuple[str, ...]
    python: str


class NoWheel(AppError):
    """The version exists as ready-made wheels only, none of which fits."""

    requirement: str
    python: str
    pythons: tuple[str, ...]
    """Python lines that its wheels for this kind of machine are for, oldest first."""
    platforms: tuple[str, ...]
    """The platforms of all its wheels, as their tags have them; empty: unknown."""


class VersionConflict(AppError):
    """Requirements that no set of versions satisfies."""

    causes: tuple[str, ...]


type FindingFailure = (
    NoSuchPackage | NotProvided | NoSuchVersion | Yanked | WrongPython | NoWheel | VersionConflict
)
