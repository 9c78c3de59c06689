"""What every package manager must answer."""

import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from cnb_python.app import App
from cnb_python.errors.base import BuildpackError
from cnb_python.managers.tool import Bring, not_available
from cnb_python.system.interface import Command, Fetch, Outcome, Run


class Pin(NamedTuple):
    """One distribution of an environment, decided."""

    name: str
    """Normalised (PEP 503): `ruamel-yaml`."""
    version: str
    """Normalised (PEP 440): `5.2.19`."""
    origin: str
    """What besides name and version the bytes depend on, as a digest in hex.

    Over the hashes that are allowed, the archive that was chosen, the commit. Never readable: an
    address may hold a token. Equal pins are the same bytes, so what was kept may be used.
    """
    line: str
    """What installs it and nothing else: a line of a requirements file, hashes included, or a
    `pylock.toml` of that one package, which begins with a comment saying so."""
    is_cacheable: bool = True
    """False for a directory on disk, whose contents change without anyone saying so."""
    extras: tuple[str, ...] = ()


def digest(parts: Iterable[str]) -> str:
    """Return a SHA-256 in hex over *parts*."""
    return hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()


class Resolution(NamedTuple):
    """Everything that the environment is to hold."""

    pins: tuple[Pin, ...]
    """In the order of their names."""
    from_files_alone: bool
    """The deciding files alone led here: the same files lead here again, without asking."""
    by: str
    """The tool that decided, and installs: `pip`, `uv`."""


class NeedsResolving(NamedTuple):
    """The files alone do not say: a manager has to be asked."""

    reason: str
    """Why, for the log: `line 3 of requirements.txt asks for a range`."""
    inputs: str = ""
    """A SHA-256 in hex over everything that the answer depends on; empty: nobody can tell.

    Where the previous build's was the same, so is the answer, and nobody is asked. Nothing secret
    goes into it: it is noted in the image.
    """
    log_line: str = ""
    """What the log shows, `Exporting poetry.lock with Poetry`; empty: `Resolving with` it and the
    reason."""


@dataclass(frozen=True, slots=True)
class InstallContext:
    """Where a manager works."""

    app_dir: Path
    environment: Path
    """The virtual environment, under its final name; without any package manager inside."""
    tool: Path
    """The manager's own files, outside the environment; for pip the directory that holds `pip`."""
    cache: Path | None
    """What it may keep between builds."""
    scratch: Path
    """A temporary directory."""
    environ: Mapping[str, str]
    """The environment variables of its processes."""
    python: str
    """The release of the app's interpreter: `3.14.6`."""
    uv: Path
    """The program."""
    fetch: Fetch | None = None
    """Brings a file from the network; None: nothing is brought from there."""
    processor: str = field(default_factory=lambda: os.uname().machine)
    """As environment markers have it: `x86_64`."""
    bring: Bring = not_available
    """Has another package manager's program, or fetches it."""


class Advice(NamedTuple):
    """What the user should change although it works."""

    title: str
    text: str


class Manager(Protocol):
    """One way to install an app's dependencies."""

    @property
    def name(self) -> str:
        """What users call it."""
        ...

    @property
    def deciding_file(self) -> str:
        """The file that users know it by."""
        ...

    def deciding_files(self, app: App) -> tuple[str, ...]:
        """Return those files of the app by which it decides, the first one first in messages.

        None: it does not decide here.
        """
        ...

    def check(self, app: App) -> tuple[Advice, ...]:
        """Refuse what cannot work before anything is written (AppError)."""
        ...

    def resolve_from_files(
        self, app: App, python: str, environ: Mapping[str, str]
    ) -> Resolution | NeedsResolving:
        """Return what the app's files alone decide, without asking anyone; Undecided: they do not.

        *python* is the release of the app's interpreter, *environ* what processes would be given.
        """
        ...

    def install_pinned(
        self, decision: Resolution, pins: Sequence[Pin], place: InstallContext, run: Run
    ) -> str:
        """Install *pins* of a *decision* of `pins`; return in a sentence why not, or nothing.

        Whoever is told so lets the manager decide, and speak. Raises what the machine refused.
        """
        ...

    def resolve(self, place: InstallContext, run: Run) -> Resolution:
        """Have the manager decide, as if nothing were installed; what it installs is of no use.

        Raises what it says went wrong.
        """
        ...

    def resolve_and_install(self, place: InstallContext, run: Run) -> Resolution:
        """Have the manager decide and install in one go. Raises what it says went wrong."""
        ...

    def install(
        self, decision: Resolution, pins: Sequence[Pin], place: InstallContext, run: Run
    ) -> None:
        """Install exactly *pins* of *decision*. Raises what the manager says went wrong."""
        ...

    def explain(
        self, command: Command, outcome: Outcome, place: InstallContext, run: Run
    ) -> BuildpackError:
        """Say why *command* failed; *run* is for asking again where its output does not tell."""
        ...


class ResolvesOnChange(ABC):
    """What managers share whose files alone decide nothing: they are asked when one changed."""

    __slots__ = ()

    @abstractmethod
    def resolve(self, place: InstallContext, run: Run) -> Resolution:
        """See `Manager`."""

    @abstractmethod
    def install(
        self, decision: Resolution, pins: Sequence[Pin], place: InstallContext, run: Run
    ) -> None:
        """See `Manager`."""

    def install_pinned(
        self, decision: Resolution, pins: Sequence[Pin], place: InstallContext, run: Run
    ) -> str:
        """Refuse: there is nothing that `pins` could have decided."""
        del decision, pins, place, run
        return "its files alone decide nothing"

    def resolve_and_install(self, place: InstallContext, run: Run) -> Resolution:
        """Decide and install. Raises what both do."""
        decision = self.resolve(place, run)
        self.install(decision, decision.pins, place, run)
        return decision
