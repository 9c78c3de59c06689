"""Exports a lock file with the tool that wrote it: what Poetry, PDM and Pipenv have in common.

Each tool checks its lock file and prints it as requirements lines, which uv installs from the
indexes that the lock file names.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

from packaging.utils import canonicalize_name

from cnb_python.config.settings import Settings
from cnb_python.errors.base import BuildpackError
from cnb_python.errors.install import InstallFailed
from cnb_python.errors.locks import StaleLock
from cnb_python.errors.programs import LockTooNew
from cnb_python.managers import build_errors, exported_requirements, install_locked, schema
from cnb_python.managers.base import InstallContext, Pin, Resolution, digest
from cnb_python.managers.install_locked import Home, IndexedLock
from cnb_python.managers.pylock_file import Choice
from cnb_python.managers.tool import Program
from cnb_python.managers.uv import commands as uv
from cnb_python.system.interface import Command, Outcome, Run

INDEX_LINE = re.compile(r"(-i|--index-url|--extra-index-url)\s+(\S+)")
"""A requirements line that names an index: the option and the URL."""
_LAST_LINES = 8


class LockTool(NamedTuple):
    """A tool, its files, and the words in which it refuses them."""

    title: str
    """As users write it: `Poetry`."""
    command: str
    """As users type it: `poetry`."""
    lock: str
    source: str
    """What the lock file is made from: `pyproject.toml`."""
    stale: re.Pattern[str]
    """The tool's words if the lock file does not fit its source."""
    newer: re.Pattern[str] | None
    """The tool's words if a newer release wrote the lock file; None: it does not look."""
    owned: re.Pattern[str]
    """Variables that the build sets itself, so that the tool changes neither the app nor the
    environment."""
    options: tuple[str, ...] = ()
    """Arguments in front of each command."""


class LockSources(NamedTuple):
    """The indexes of the packages in a lock file."""

    indexes_of: Home
    lines: tuple[str, ...]
    """Index options for all packages, as lines of a requirements file."""


@dataclass(frozen=True, slots=True)
class LockExport(ABC):
    """One build's export of a lock file by its tool."""

    settings: Settings
    processor: str
    context: InstallContext
    run: Run
    tool: ClassVar[LockTool]

    @property
    @abstractmethod
    def program(self) -> Program:
        """The release of the tool that reads the lock file."""

    @abstractmethod
    def variables(self) -> Mapping[str, str]:
        """Return the environment variables of the tool."""

    @property
    def choice(self) -> Choice:
        """The Python and machine that the lock file is read for."""
        return Choice(self.context.python, self.processor)

    @property
    def lock(self) -> Path:
        """The lock file."""
        return self.context.app_dir / self.tool.lock

    def command(self, words: Sequence[str], hidden: Sequence[str] = ()) -> Command:
        """Return the tool's command *words*; the log does not show the *hidden* arguments."""
        return Command(
            (*self.context.bring(self.program), *self.tool.options, *words, *hidden),
            self.variables(),
            self.context.app_dir,
            shown=" ".join((self.tool.command, *words)),
        )

    def user_variables(self) -> dict[str, str]:
        """Return the user's environment variables without those that the build sets itself."""
        owned = self.tool.owned
        return {
            name: value
            for name, value in self.context.environ.items()
            if not owned.fullmatch(name)
        }

    def resolution(self, exported: str, app: Pin | None = None) -> Resolution:
        """Return the pins of the *exported* requirements lines, and of the *app* itself.

        Raises BadLock.
        """
        text, tool = exported_requirements.without_extras(exported), self.tool
        resolution = exported_requirements.read_export(
            text, tool.lock, self.context.app_dir, self.choice, uv.NAME
        )
        pins = (*resolution.pins, app) if app else resolution.pins
        return resolution._replace(pins=tuple(sorted(pins)))

    def app_pin(self, name: str) -> Pin:
        """Return the pin of the app itself, installed in place, with its project's *name*."""
        line = f"-e {self.context.app_dir}"
        return Pin(canonicalize_name(name), "", digest((line,)), line, is_cacheable=False)

    def install_with_uv(
        self, pins: Sequence[Pin], indexes_of: Home, variables: Mapping[str, str]
    ) -> None:
        """Install exactly *pins* with uv, each from its indexes; *variables* set up the others.

        Raises uv's failure and SourceRefused.
        """
        install_locked.install_from_indexes(
            pins,
            IndexedLock(self.tool.title, indexes_of),
            self.context,
            self.run,
            uv.UvSources(is_own=False, variables=variables),
        )

    def explain(self, command: Command, outcome: Outcome) -> BuildpackError:
        """Return the failure of *command*: of the machine, of the lock file, or InstallFailed."""
        tool, output = self.tool, outcome.output
        if failure := build_errors.machine_failure(outcome.code, output, tool.title):
            return failure
        if tool.newer and tool.newer.search(output):
            return LockTooNew(tool.lock, tool.title, last_lines(output))
        if tool.stale.search(output):
            return StaleLock(tool.lock, tool.source, f"{tool.command} lock", last_lines(output))
        return InstallFailed(tool.title, command.shown, outcome.code, last_lines(output))

    def explain_export(self, command: Command, outcome: Outcome) -> BuildpackError:
        """Return the failure of *command*, which reads the lock file and its source.

        Raises UnexpectedType if a value in them has the wrong type: the tools do not report it.
        """
        failure = self.explain(command, outcome)
        if isinstance(failure, InstallFailed | StaleLock | LockTooNew):
            schema.check(self.context.app_dir, self.tool.lock, self.tool.source)
        return failure


def last_lines(output: str) -> tuple[str, ...]:
    """Return the last lines of a tool's *output*, which have its reasons, without blank ones."""
    lines = tuple(line.strip() for line in output.splitlines() if line.strip())
    return lines[-_LAST_LINES:]
