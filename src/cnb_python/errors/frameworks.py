"""Steps that run the app's own code."""

from typing import Literal

from cnb_python.errors.kinds import AppError

type CollectstaticCause = Literal[
    "no settings",
    "static root",
    "variable",
    "secret key",
    "manifest",
    "referenced file",
    "directory",
    "database",
    "module",
    "library",
    "syntax",
    "permission",
    "settings",
    "other",
]


class PackagesChanged(AppError):
    """What the app runs while it is built has changed files of Python or of its packages."""

    path: str
    """The first of them."""
    count: int


class PackagesAdded(AppError):
    """What the app runs while it is built has installed packages."""

    by: str
    """Who may have: `bin/post_compile`."""
    names: tuple[str, ...]
    """As their metadata is called: `six-1.17.0`."""


class CollectstaticFailed(AppError):
    """Django could not collect the app's static files."""

    command: str
    code: int
    cause: CollectstaticCause
    """What it probably is."""
    detail: str
    """The variable, file, module or line that it is about; may be empty."""


class HookFailed(AppError):
    """A script of the app that runs while it is built ended with an error."""

    script: str
    """`bin/post_compile`."""
    code: int
    """Its exit code; negative: the number of the signal that ended it."""
    installer: str
    """What it called and is not there, `pip` or `uv`; empty: nothing of the kind."""


class HookNotStarted(AppError):
    """A script of the app that runs while it is built could not be started."""

    script: str
    program: str
    """What its first line names."""
    reason: str


class NltkFailed(AppError):
    """Data that nltk.txt names could not be had."""

    name: str
    """The first such name."""
    cause: Literal["unknown", "network", "index", "damaged", "other"]
    detail: str
    """What NLTK says."""


type FrameworkFailure = (
    PackagesChanged
    | PackagesAdded
    | CollectstaticFailed
    | HookFailed
    | HookNotStarted
    | NltkFailed
)
