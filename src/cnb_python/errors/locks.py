"""Lock files, and projects that do not fit them."""

from cnb_python.errors.kinds import AppError


class BadLock(AppError):
    """A lock file is not of the form that it should have, or contradicts itself."""

    file: str
    problem: str


class LoneLock(AppError):
    """A lock file is there without what its tool makes it from."""

    file: str
    source: str
    """What is missing: `Pipfile`."""
    manager: str
    """The tool: `Pipenv`."""


class SeveralLocks(AppError):
    """Several locks of the standard form have names of their own, and none has the plain one."""

    files: tuple[str, ...]
    plain: str


class StaleLock(AppError):
    """A lock file does not fit what it was made from."""

    file: str
    source: str
    """What it was made from: `pyproject.toml`."""
    command: str
    """What brings it up to date: `uv lock`."""
    said: tuple[str, ...]
    """The tool's own words."""


class LockTooNew(AppError):
    """A lock file is of a form that a later release of its tool has brought."""

    file: str
    manager: str
    said: tuple[str, ...]
    """The tool's own words."""


class UnsetVariable(AppError):
    """The address of an index names a variable, most often for a login, that there is not."""

    file: str
    """Where the address stands: `Pipfile`."""
    source: str
    """As the file calls the index."""
    variables: tuple[str, ...]


class LockForOtherPython(AppError):
    """A lock file, or one of its packages, is not meant for the app's Python."""

    file: str
    package: str
    """Empty: the whole file."""
    requires: str
    python: str


class ProjectForOtherPython(AppError):
    """What the app says of its Python excludes the one that it gets."""

    requires: str
    where: str
    """Who says so: `pyproject.toml`, or words of uv's that name a member of a workspace."""
    python: str


class UnknownGroup(AppError):
    """A group or an extra was chosen that the lock does not know."""

    file: str
    kind: str
    """`group` or `extra`."""
    name: str
    known: tuple[str, ...]


type LockFailure = (
    BadLock
    | LoneLock
    | SeveralLocks
    | StaleLock
    | LockTooNew
    | UnsetVariable
    | LockForOtherPython
    | ProjectForOtherPython
    | UnknownGroup
)
