"""Every way a phase can stop, as data. The words live in `messages`.

Three families say who must act; only their leaves are raised. They are dataclasses with
`eq=False` and never frozen: a frozen exception cannot take its traceback.
"""

from dataclasses import dataclass
from pathlib import Path


class BuildpackError(Exception):
    """The phase stops here and the user is told why."""


class AppError(BuildpackError):
    """The app's author can mend it."""


class OutsideError(BuildpackError):
    """The network, an index, the machine or the platform is at fault."""


class BuildpackBug(BuildpackError):
    """We are at fault: shown with a traceback."""


@dataclass(eq=False)
class UnsupportedApi(OutsideError):
    """The lifecycle or buildpack.toml speaks a Buildpack API we do not."""

    found: str
    supported: tuple[str, ...]


@dataclass(eq=False)
class NotAFile(AppError):
    """A name that decides the build belongs to something other than a file."""

    name: str
    kind: str


@dataclass(eq=False)
class UnreadableFile(AppError):
    """A file that decides the build cannot be read."""

    name: str
    reason: str


@dataclass(eq=False)
class NotUtf8(AppError):
    """A file that decides the build is not text as we and Python's tools read it."""

    name: str
    line: int
    byte: int


@dataclass(eq=False)
class MissingInput(OutsideError):
    """Nothing told us where an input is: no lifecycle is running us."""

    variable: str
    position: int | None
    """Of the positional argument that would do as well, from 1; None: there is none."""


@dataclass(eq=False)
class UnreadableInput(OutsideError):
    """What the lifecycle or the platform handed us cannot be read."""

    path: Path
    reason: str


@dataclass(eq=False)
class UnreadableToml(AppError):
    """A TOML file of the app cannot be read, or is not TOML."""

    path: Path
    reason: str


@dataclass(eq=False)
class ContractBroken(BuildpackBug):
    """We were about to write what the buildpack specification forbids."""

    document: str
    problem: str


Failure = (
    UnsupportedApi
    | NotAFile
    | UnreadableFile
    | NotUtf8
    | MissingInput
    | UnreadableInput
    | UnreadableToml
)
