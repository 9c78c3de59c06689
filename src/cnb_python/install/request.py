"""What an environment is made from, and what comes of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cnb_python.app import App
from cnb_python.config.settings import UV
from cnb_python.distributions.model import Distribution
from cnb_python.managers.base import Manager, Resolution

if TYPE_CHECKING:
    # Loads the store, which an unchanged build does not need.
    from cnb_python.install.tools import ToolCache


def _at_once() -> None:
    """There is nothing to wait for."""


@dataclass(frozen=True, slots=True)
class EnvironmentRequest:
    """Everything the app's environment depends on."""

    app: App
    manager: Manager
    interpreter: Path
    """The app's interpreter, by its final path: `.../layers/.../bin/python3.14`."""
    python: str
    """Its release: `3.14.6`."""
    tool: Path
    """pip's own files: a wheel, or the directory `pip` of an installation."""
    uv: Path
    """The program."""
    environ: Mapping[str, str]
    """The environment variables of the build phase."""
    directory: Path
    """Where the environment is in the image, and where nothing is yet."""
    work: Path
    """An empty directory on the same file system, for everything that does not last."""
    installer: str
    """One of the settings `auto`, `pip`, `uv`."""
    tool_cache: ToolCache | None = None
    """Where a manager has its program from; None: those of this build have none."""
    ready: Callable[[], object] = _at_once
    """Returns when the interpreter has all of its bytecode, or raises what prevents that.

    Before, a manager that runs in it would write some of its own: pip does, being isolated from
    the variable that forbids it.
    """

    @property
    def decider(self) -> str:
        """Who is asked what the app's files leave open, by the name that users know."""
        return UV if self.installer == UV else self.manager.name

    @property
    def line(self) -> str:
        """The release line of the interpreter, as its directories have it: `3.14`, `3.14t`."""
        return self.interpreter.name.removeprefix("python")


class SameAsPrevious(NamedTuple):
    """The environment depends on nothing that changed since the previous build."""

    names: frozenset[str]
    """The distributions that the previous build installed.

    The store has an entry for each of them, but not always their files.
    """


@dataclass(frozen=True, slots=True)
class InstallResult:
    """Every distribution that the environment is to hold, and where their files are."""

    decision: Resolution | None
    """None: that of the previous build, since nothing that it depends on has changed."""
    distributions: tuple[Distribution, ...]
    """In the order of their names."""
    roots: Mapping[str, Path]
    """By name: a directory that holds the distribution's files at their paths.

    None for those whose files are in the previous image's layer and not needed here.
    """
    fresh: frozenset[str]
    """The names of those that were installed in this build."""
    python_patch: str
    """The release of Python, where the decision depends on its last number; else empty."""
    known_missing: str = ""
    """What the app's exact lines lack, so that the manager had to be asked; empty: nothing."""
    written: tuple[str, ...] = ()
    """Paths of what installing wrote into the app, below the top of its repository."""
