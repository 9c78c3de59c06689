"""The inputs of installing an environment, and its result.

Apart from the installer, so that unchanged builds do not load it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cnb_python.app import App
from cnb_python.cnb.disk import State
from cnb_python.config.settings import UV
from cnb_python.distributions.model import Distribution
from cnb_python.install.upload_limit import UploadLimit
from cnb_python.managers.base import Manager, PackageIndexes, Pin, Resolution

if TYPE_CHECKING:
    # Loads the store, which an unchanged build does not need.
    from cnb_python.install.finishing import Archives
    from cnb_python.install.tools import ToolCache


def _is_ready() -> None:
    """Return at once: there is nothing to wait for."""


def _check_nothing(packages: Sequence[str]) -> None:
    """Return at once: there is nothing that code of *packages* could have changed."""
    del packages


type CheckResolved = Callable[[Resolution, Sequence[Pin], Callable[[], PackageIndexes]], object]
"""Raises the failure that forbids installing a resolution.

Called with the pins that the store does not have, and what returns the indexes of all, after
resolving and before anything is fetched or built.
"""


def _allow(
    resolution: Resolution, new: Sequence[Pin], indexes: Callable[[], PackageIndexes]
) -> None:
    """Return at once: every resolution may be installed."""
    del resolution, new, indexes


@dataclass(frozen=True, slots=True)
class EnvironmentRequest:
    """Everything that the app's environment depends on."""

    app: App
    manager: Manager
    interpreter: Path
    """The app's interpreter at its final path: `.../layers/.../bin/python3.14`."""
    python: str
    """The interpreter's release: `3.14.6`."""
    pip: Path
    """A wheel of pip, or the directory `pip` of an installation."""
    uv: Path
    """The program uv."""
    environ: Mapping[str, str]
    """The environment variables of the build phase."""
    environment: Path
    """The path of the environment in the image, where nothing exists yet."""
    staging: Path
    """An empty directory on the same file system, for everything temporary."""
    installer: str
    """The value of the setting: `auto`, `pip` or `uv`."""
    tool_cache: ToolCache | None = None
    """Provides the manager's own program; None if no manager of this build has one."""
    wait_for_interpreter: Callable[[], object] = _is_ready
    """Returns when the interpreter's bytecode is complete; raises the error of compiling it.

    A manager that runs in it earlier would write other bytecode: pip does, since it runs isolated
    from the variable that prevents it.
    """

    after_foreign_code: Callable[[Sequence[str]], object] = _check_nothing
    """Repairs what code of packages may have changed: the interpreter, the layers directory.

    Called with the names of the packages whose code ran, none if they are not known, when none of
    their processes is alive and before anything else is installed.
    """

    check_resolved: CheckResolved = _allow
    resolving: UploadLimit | None = None
    """The limit with which managers resolve first."""
    building: UploadLimit | None = None
    """The limit with which pip and uv download build requirements or a manager's program: their
    code runs, but no resolution contains them."""

    @property
    def resolver(self) -> str:
        """The name of the tool that resolves what the app's files leave open, for the log."""
        return UV if self.installer == UV else self.manager.name

    @property
    def line(self) -> str:
        """The release line of the interpreter, as in its directories: `3.14`, `3.14t`."""
        return self.interpreter.name.removeprefix("python")


class SameAsPrevious(NamedTuple):
    """The environment depends on nothing that changed since the previous build."""

    names: frozenset[str]
    """The distributions that the previous build installed.

    The store has an entry for each of them, but not always their files.
    """
    development: frozenset[str] = frozenset()
    """The names of those that only tests and development need."""


@dataclass(frozen=True, slots=True)
class InstallResult:
    """Every distribution of the environment, and the directories of their files."""

    resolution: Resolution | None
    """None: that of the previous build, since no input has changed."""
    distributions: tuple[Distribution, ...]
    """In the order of their names."""
    roots: Mapping[str, Path]
    """The directory with a distribution's files at their paths, by its name.

    Only for distributions whose files were installed or unpacked.
    """
    installed: frozenset[str]
    """Names of the distributions that this build installed."""
    archives: Mapping[str, Archives]
    """What the store has got of them, by their names."""
    python_patch: str
    """The release of Python, if the resolution depends on its last number; else empty."""
    known_missing: str = ""
    """The dependency that the pins lack, so that the manager had to resolve; else empty."""
    placed: Mapping[str, Mapping[str, State]] = field(default_factory=dict)
    """The states of a distribution's files that are at their places already, by its name."""
    written: tuple[str, ...] = ()
    """Paths, below the top of the repository, that installing wrote into the app."""
    development: frozenset[str] = frozenset()
    """The names of the distributions that only tests and development need."""
