"""What the outside world offers, as types: tests hand in fakes, `__main__` wires the real ones."""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Command:
    """A program to run, as a value: tests compare it, `process` runs it."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    """The child's whole environment; nothing is inherited."""
    cwd: Path
    shown: str = ""
    """The command as a user would type it, without secrets; empty: not shown."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended."""

    code: int
    """Its exit code; negative: the number of the signal that ended it."""
    output: str
    """What it wrote on stdout and stderr, together, decoded leniently; at most the last MiB."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file to fetch and what proves it is the right one."""

    url: str
    sha256: str
    title: str
    """What the user knows it as: `Python 3.14.6`."""
    network: Mapping[str, str] = MappingProxyType({})
    """Variables for proxies and certificates, over the build's own; an empty value: none."""


class Run(Protocol):
    """Runs a program to its end."""

    def __call__(self, command: Command, on_line: Callable[[str], None] | None = None) -> Outcome:
        """Run *command*, handing each line of output to *on_line* as it comes."""
        ...


class Fetch(Protocol):
    """Brings a file from the network."""

    def __call__(self, download: Download, to: Path) -> None:
        """Write the verified file to *to*, complete or not at all."""
        ...


class Output(Protocol):
    """What the user sees while a phase runs."""

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
        """Print what the user should change although the build goes on."""
        ...

    def progress(self, title: str) -> AbstractContextManager[None]:
        """Show on a terminal how long the step *title* has run, until the block ends."""
        ...


@dataclass(frozen=True, slots=True)
class System:
    """Everything a build may do to the world, as one value."""

    run: Run
    fetch: Fetch
    output: Output
    today: date
    cpus: int
    clock: Callable[[], float] = time.monotonic
    """Seconds since some moment."""
