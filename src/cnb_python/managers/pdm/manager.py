"""PDM: `pdm.lock`, which PDM itself checks and reads; uv installs exactly that.

What asks it is imported when something changed.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cnb_python.app import App
from cnb_python.cnb import toml
from cnb_python.config.settings import DEFAULTS, Settings
from cnb_python.errors.base import BuildpackError
from cnb_python.errors.locks import LockWithoutProject
from cnb_python.managers import fingerprint
from cnb_python.managers.base import (
    Advice,
    InstallContext,
    NeedsResolving,
    Pin,
    Resolution,
    ResolvesOnChange,
)
from cnb_python.managers.tool import Program
from cnb_python.system.interface import Command, Outcome, Run

LOCK, PYPROJECT = "pdm.lock", "pyproject.toml"
# What PDM reads besides: settings of the project.
_SETTINGS = "pdm.toml"
_LOCAL = re.compile(r'^path = "([^"\n]+)"', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Pdm(ResolvesOnChange):
    """Apps with a `pdm.lock`."""

    settings: Settings = DEFAULTS
    name: str = "pdm"
    deciding_file: str = LOCK
    processor: str = field(default_factory=lambda: os.uname().machine)
    """As environment markers have it: `x86_64`."""

    @property
    def program(self) -> Program:
        """The PDM that reads the lock."""
        return Program.chosen("pdm", self.settings.pdm)

    def deciding_files(self, app: App) -> tuple[str, ...]:
        """Return the app's lock, if it has one."""
        return (LOCK,) if LOCK in app.names else ()

    def check(self, app: App) -> tuple[Advice, ...]:
        """Refuse a lock that is no file, or stands alone.

        Raises LoneLock, NotAFile, UnreadableFile or UnreadableToml.
        """
        app.content(LOCK)
        if PYPROJECT not in app.names:
            raise LockWithoutProject(LOCK, PYPROJECT, "PDM")
        toml.read(app.directory / PYPROJECT)
        return ()

    def resolve_from_files(
        self, app: App, python: str, environ: Mapping[str, str]
    ) -> Resolution | NeedsResolving:
        """Return that PDM has to say what its lock means here, and on what that depends."""
        directory = app.directory
        inputs = fingerprint.inputs(
            self,
            python,
            (self.program.digest, fingerprint.project_digest(directory, is_editable=True)),
            fingerprint.variables(environ, "PDM_"),
            fingerprint.files(directory, (LOCK, _SETTINGS)),
            fingerprint.named_in(directory / LOCK, _LOCAL, app.top),
        )
        return NeedsResolving(f"it alone reads {LOCK}", inputs)

    def resolve(self, place: InstallContext, run: Run) -> Resolution:
        """Have PDM check and read its lock. Raises what it says went wrong."""
        from cnb_python.managers.pdm import export  # noqa: PLC0415 - see above

        asked = export.PdmExport(self.program, self.settings, self.processor, place, run)
        return export.resolve(asked)

    def install(
        self, decision: Resolution, pins: Sequence[Pin], place: InstallContext, run: Run
    ) -> None:
        """Install exactly *pins*. Raises what uv says went wrong."""
        del decision
        from cnb_python.managers.pdm import export  # noqa: PLC0415 - see above

        export.install(pins, place, run)

    def explain(
        self, command: Command, outcome: Outcome, place: InstallContext, run: Run
    ) -> BuildpackError:
        """Say why PDM failed."""
        del place, run
        from cnb_python.managers.pdm import export  # noqa: PLC0415 - see above

        return export.explain(command, outcome)
