"""Which files and settings decide, where that is not clear."""

from cnb_python.errors.kinds import AppError


class NoRequirements(AppError):
    """The app has no file that says what to install."""

    misspelt: tuple[str, ...]
    variants: tuple[str, ...]
    """Requirements files of another purpose: `requirements-dev.txt`, `requirements`."""
    names: tuple[str, ...]
    """What the top of the app holds."""
    elsewhere: tuple[str, ...]
    """Directories below it that hold an app of their own."""


class SeveralManagers(AppError):
    """More than one package manager's file decides."""

    files: tuple[tuple[str, str], ...]
    """File and manager, in a fixed order."""


class ChosenManagerMissing(AppError):
    """The package manager that the user chose has no file of the app to decide by."""

    chosen: str
    """Its name."""
    expected: str
    """The file that it would decide by; empty where this release does not know it."""
    found: tuple[tuple[str, str], ...]
    """File and manager of each that has one."""


class ForbiddenVariables(AppError):
    """Variables that send packages where the image does not look."""

    found: tuple[tuple[str, str], ...]
    """Name and what it would do."""


class ForbiddenPipOptions(AppError):
    """A configuration file of pip's sends packages where the image does not look."""

    file: str
    options: tuple[tuple[str, str], ...]
    """Name, as the file has it, and what it would do."""


type ChoiceFailure = (
    NoRequirements
    | SeveralManagers
    | ChosenManagerMissing
    | ForbiddenVariables
    | ForbiddenPipOptions
)
