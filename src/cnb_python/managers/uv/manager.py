"""uv's projects: `uv.lock`, which uv itself checks and reads.

What asks it is imported when something changed.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cnb_python.app import Project
from cnb_python.config.settings import DEFAULTS, Settings
from cnb_python.errors.base import BuildpackError
from cnb_python.errors.locks import LoneLock
from cnb_python.managers import fingerprint
from cnb_python.managers.base import Advice, AskedAnew, Workplace
from cnb_python.managers.resolution import Decision, Pin, Undecided
from cnb_python.managers.uv import config as uv_config
from cnb_python.managers.uv import workspace
from cnb_python.managers.uv.workspace import LOCK, PYPROJECT
from cnb_python.system.interface import Command, Outcome, Run


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

    def check(self, project: Project) -> tuple[Advice, ...]:
        """Refuse a lock that is no file, or stands alone.

        Raises LoneLock, NotAFile or UnreadableFile.
        """
        holder = _holder(project) or project
        holder.content(LOCK)
        if PYPROJECT not in holder.names:
            raise LoneLock(LOCK, PYPROJECT, "uv")
        return ()

    def pins(
        self, project: Project, python: str, environ: Mapping[str, str]
    ) -> Decision | Undecided:
        """Return that uv has to say what its lock means here, and on what that depends."""
        inputs = fingerprint.inputs(
            self,
            python,
            fingerprint.variables(environ, "UV_"),
            uv_config.contents(environ, project.directory),
            fingerprint.files(project.directory, (PYPROJECT,)),
            workspace.counting(project, _holder(project) or project, self.settings),
        )
        return Undecided(f"{LOCK} holds what each Python and system needs", inputs)

    def decide(self, place: Workplace, run: Run) -> Decision:
        """Have uv check and read its lock. Raises what it says went wrong."""
        from cnb_python.managers.uv import export as uv_export  # noqa: PLC0415 - see above

        return uv_export.decide(self.settings, self.processor, place, run)

    def install(self, decision: Decision, pins: Sequence[Pin], place: Workplace, run: Run) -> None:
        """Install exactly *pins*. Raises what uv says went wrong."""
        del decision
        from cnb_python.managers.uv import export as uv_export  # noqa: PLC0415 - see above

        uv_export.install(pins, place, run)

    def explain(
        self, command: Command, outcome: Outcome, place: Workplace, run: Run
    ) -> BuildpackError:
        """Say why uv failed."""
        del run
        from cnb_python.managers.uv import commands as uv  # noqa: PLC0415 - see above

        return uv.explain(command, outcome, place)


def _holder(project: Project) -> Project | None:
    """Return the directory with the lock: that of a workspace is above its members."""
    return next((one for one in (project, *project.above) if LOCK in one.names), None)
