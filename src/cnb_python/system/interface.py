"""The outside world as types: `__main__` passes the real functions, tests pass fakes."""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from cnb_python.system.limits import DEFAULT_LIMITS, Limits


@dataclass(frozen=True, slots=True)
class Command:
    """A program to run, as a value."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    """All variables of the process; it inherits none."""
    cwd: Path
    shown: str = ""
    """The command as a user would type it, without secrets; empty: not shown."""
    note: str = ""
    """What the log adds to the command, such as `9 pinned packages`."""
    foreign: bool = False
    """Whether it runs code of the app or of its packages: alone, and no process outlives it."""
    limits: Limits = DEFAULT_LIMITS
    """Those of the settings, from `System.limited`."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a program."""

    code: int
    """The exit code; negative: the signal that ended it."""
    output: str
    """Stdout and stderr together, at most the last MiB; invalid UTF-8 is replaced."""
    ended: int = 0
    """How many processes of a foreign command were left at its end, and killed."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file to download, and its hash."""

    url: str
    sha256: str
    title: str
    """Its name in the log: `Python 3.14.6`."""
    network: Mapping[str, str] = MappingProxyType({})
    """Variables for proxies and certificates; they win over those of the build."""
    is_small: bool = False
    """It has some kilobytes: one plain request is tried first."""
    largest: int = 1 << 30
    """More bytes than that are refused; the largest release of Python has 0.1 GB."""
    accept: str = ""
    """The media types that the client prefers; empty: any."""


type SaveChunks = Callable[[Iterable[bytes]], str]
"""Writes the chunks of a file; returns the SHA-256 of them."""

type Receive = Callable[[Download, SaveChunks], str]
"""Downloads a file: passes its chunks on, once for each attempt; returns the SHA-256."""


class Run(Protocol):
    """Runs a program to its end."""

    def __call__(self, command: Command, on_line: Callable[[str], None] | None = None) -> Outcome:
        """Run *command*; pass each line of its output to *on_line* at once.

        A foreign command waits for those that run, and holds back new ones.
        """
        ...


class HelperLost(Exception):
    """A helper ended before it answered."""


class Helper(Protocol):
    """A process of the buildpack that does a part of its work."""

    def ask(self, request: bytes) -> bytes:
        """Send a line without its end; return the line that is the answer. Raises HelperLost."""
        ...

    def close(self) -> None:
        """End the process, whatever it does."""
        ...


type StartHelper = Callable[[str], Helper]
"""Starts a process that runs the function `serve` of the module with this name.

Raises ProgramNotStarted.
"""


class Fetch(Protocol):
    """Downloads a file."""

    def __call__(self, download: Download, to: Path) -> None:
        """Write the file to *to* after checking its hash, complete or not at all."""
        ...


class Output(Protocol):
    """The log of a phase."""

    def step(self, title: str) -> None:
        """Start a step of the build."""
        ...

    def line(self, text: str) -> None:
        """Print one line about the current step."""
        ...

    def detail(self, text: str) -> None:
        """Print a line of a tool's own output."""
        ...

    def warning(self, title: str, body: tuple[str, ...]) -> None:
        """Print a warning; the build continues."""
        ...

    def progress(self, title: str) -> AbstractContextManager[None]:
        """Show on a terminal how long the step *title* has run, until the block ends."""
        ...


@dataclass(frozen=True, slots=True)
class System:
    """All that a build uses of the outside world."""

    run: Run
    fetch: Fetch
    output: Output
    today: date
    cpus: int
    clock: Callable[[], float] = time.monotonic
    """Seconds since an arbitrary moment."""
    root: Path = Path("/")
    """The file system of the build image."""
    start_helper: StartHelper | None = None
    """None: everything is done in this process."""
    now: datetime | None = None
    """The time in UTC; None: the beginning of `today`."""
    open_fetch: Callable[[], AbstractContextManager[Fetch]] | None = None
    """Opens a `fetch` that keeps its connections; None: `fetch` is used for many files too."""

    @property
    def moment(self) -> datetime:
        """The time of the build, in UTC."""
        return self.now or datetime(self.today.year, self.today.month, self.today.day, tzinfo=UTC)

    def fetch_many(self) -> AbstractContextManager[Fetch]:
        """Open a `fetch` for many small files of a few hosts. Several threads may use it."""
        return self.open_fetch() if self.open_fetch else nullcontext(self.fetch)

    def limited(self, limits: Limits) -> System:
        """Return this system with *limits* for every program that it runs."""

        def run(command: Command, on_line: Callable[[str], None] | None = None) -> Outcome:
            return self.run(replace(command, limits=limits), on_line)

        return replace(self, run=run)
