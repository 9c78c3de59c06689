"""What every package manager must answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cnb_python.errors import BuildpackError
from cnb_python.project import Project
from cnb_python.system.outside import Command, Outcome, Run


@dataclass(frozen=True, slots=True)
class Workplace:
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


class Manager(Protocol):
    """One way to install an app's dependencies."""

    @property
    def name(self) -> str:
        """What users call it."""
        ...

    @property
    def deciding_file(self) -> str:
        """The file whose presence chooses it."""
        ...

    def check(self, project: Project) -> tuple[str, ...]:
        """Refuse what cannot work before anything is written (AppError).

        Returns what the user should change although it works.
        """
        ...

    def commands(self, place: Workplace) -> tuple[Command, ...]:
        """Return the commands that fill the environment, in order."""
        ...

    def explain(
        self, command: Command, outcome: Outcome, place: Workplace, run: Run
    ) -> BuildpackError:
        """Say why *command* failed; *run* is for asking again where its output does not tell."""
        ...
