"""uv's projects: `uv.lock`, which uv itself checks and reads.

What asks it is imported when something changed.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cnb_python.errors.kinds import BuildpackError
from cnb_python.errors.locks import BadLock
from cnb_python.managers import local_projects, locked, uv_settings
from cnb_python.managers.decision import Decision, Pin, Undecided
from cnb_python.managers.manager import AskedAnew, Workplace
from cnb_python.project import Project
from cnb_python.settings import DEFAULTS, Settings
from cnb_python.system.outside import Command, Outcome, Run

LOCK = "uv.lock"
PYPROJECT = "pyproject.toml"
# uv writes each source of its lock on a line of its own.
_LOCAL = re.compile(rb'source = \{ (editable|directory|virtual|path) = "([^"]+)"')


@dataclass(frozen=True, slots=True)
class UvProject(AskedAnew):
    """Apps with a `uv.lock`."""

    settings: Settings = DEFAULTS
    name: str = "uv"
    deciding_file: str = LOCK
    processor: str = field(default_factory=lambda: os.uname().machine)
    """As environment markers have it: `x86_64`."""

    def deciding_files(self, project: Project) -> tuple[str, ...]:
        """Return the app's lock: its own, or that of the workspace above the chosen directory."""
        return (LOCK,) if _holder(project) else ()

    def check(self, project: Project) -> tuple[str, ...]:
        """Refuse a lock that is no file, or stands alone.

        Raises BadLock, NotAFile or UnreadableFile.
        """
        holder = _holder(project) or project
        holder.content(LOCK)
        if PYPROJECT not in holder.names:
            raise BadLock(LOCK, f"the app has no {PYPROJECT} beside it, from which uv makes it")
        return ()

    def pins(
        self, project: Project, python: str, environ: Mapping[str, str]
    ) -> Decision | Undecided:
        """Return that uv has to say what its lock means here, and on what that depends."""
        holder = _holder(project)
        parts = [self.name, python, self.processor]
        parts += locked.chosen(self.settings.groups, self.settings.extras)
        parts += locked.variables(environ, "UV_")
        for file in uv_settings.configuration_files(environ, project.directory):
            parts += locked.files(file.parent, (file.name,))
        parts += locked.files(project.directory, (PYPROJECT,))
        if holder:
            content = holder.contents.get(LOCK, b"")
            parts += locked.lock(content)
            parts += locked.files(holder.directory, (PYPROJECT,))
            parts += _local_sources(content, holder.directory)
        return Undecided(f"{LOCK} holds what each Python and system needs", locked.inputs(parts))

    def decide(self, place: Workplace, run: Run) -> Decision:
        """Have uv check and read its lock. Raises what it says went wrong."""
        from cnb_python.managers import uv_exporting  # noqa: PLC0415 - see above

        return uv_exporting.decide(self.settings, self.processor, place, run)

    def install(self, decision: Decision, pins: Sequence[Pin], place: Workplace, run: Run) -> None:
        """Install exactly *pins*. Raises what uv says went wrong."""
        del decision
        from cnb_python.managers import uv_exporting  # noqa: PLC0415 - see above

        uv_exporting.install(pins, place, run)

    def explain(
        self, command: Command, outcome: Outcome, place: Workplace, run: Run
    ) -> BuildpackError:
        """Say why uv failed."""
        del run
        from cnb_python.managers import uv  # noqa: PLC0415 - see above

        return uv.explain(command, outcome, place)


def _holder(project: Project) -> Project | None:
    """Return the directory with the lock: that of a workspace is above its members."""
    return next((one for one in (project, *project.above) if LOCK in one.names), None)


def _local_sources(lock: bytes, beside: Path) -> Iterator[str]:
    """Yield what each directory and file of the app that *lock* names comes to."""
    for pair in sorted(set(_LOCAL.findall(lock))):
        kind, name = (one.decode("utf-8", "replace") for one in pair)
        place = (beside / name).resolve()
        yield from (kind, name)
        if kind == "virtual":
            yield from locked.files(place, (PYPROJECT,))
        else:
            yield local_projects.digest(place, is_editable=kind == "editable")
