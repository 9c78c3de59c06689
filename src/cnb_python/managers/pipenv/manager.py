"""Pipenv: `Pipfile.lock`, which Pipenv itself checks and reads; uv installs exactly that.

A `Pipfile` without its lock is resolved in every build. What asks is imported when something
changed.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cnb_python.app import App
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

LOCK, PIPFILE = "Pipfile.lock", "Pipfile"
_LOCAL = re.compile(r'"(?:path|file)": "(?!\w+://)([^"\n]+)"')


@dataclass(frozen=True, slots=True)
class Pipenv(ResolvesOnChange):
    """Apps with a `Pipfile`, most of them with its lock."""

    settings: Settings = DEFAULTS
    name: str = "pipenv"
    deciding_file: str = LOCK
    processor: str = field(default_factory=lambda: os.uname().machine)
    """As environment markers have it: `x86_64`."""

    @property
    def program(self) -> Program:
        """The Pipenv that reads the files."""
        return Program.chosen("pipenv", self.settings.pipenv)

    def deciding_files(self, app: App) -> tuple[str, ...]:
        """Return the app's lock, or what it would be made from."""
        return tuple(name for name in (LOCK, PIPFILE) if name in app.names)

    def check(self, app: App) -> tuple[Advice, ...]:
        """Refuse a lock that is no file, or stands alone; warn where there is none.

        Raises LoneLock, NotAFile or UnreadableFile.
        """
        for name in self.deciding_files(app):
            app.content(name)
        if PIPFILE not in app.names:
            raise LockWithoutProject(LOCK, PIPFILE, "Pipenv")
        if LOCK in app.names:
            return ()
        return (
            Advice(
                f"{PIPFILE} pins nothing",
                f"The app has no {LOCK}, so each build installs what is newest on that day. Run "
                f"pipenv lock, and commit {LOCK}: every build installs the same then, and one "
                "that changes nothing asks nobody.",
            ),
        )

    def resolve_from_files(
        self, app: App, python: str, environ: Mapping[str, str]
    ) -> Resolution | NeedsResolving:
        """Return that Pipenv has to say what its lock means here, and on what that depends."""
        if LOCK not in app.names:
            return NeedsResolving(f"there is no {LOCK}")
        directory = app.directory
        inputs = fingerprint.inputs(
            self,
            python,
            (self.program.digest,),
            fingerprint.variables(environ, "PIPENV_"),
            fingerprint.files(directory, (LOCK, PIPFILE)),
            fingerprint.named_in(directory / LOCK, _LOCAL, app.top),
        )
        return NeedsResolving(f"it alone reads {LOCK}", inputs)

    def resolve(self, place: InstallContext, run: Run) -> Resolution:
        """Have Pipenv check and read its lock. Raises what it, or uv, says went wrong."""
        from cnb_python.managers.pipenv import export  # noqa: PLC0415 - see above

        asked = export.PipenvExport(self.program, self.settings, self.processor, place, run)
        if (place.app_dir / LOCK).is_file():
            return export.read_lock(asked)
        return export.resolve(asked)

    def install(
        self, decision: Resolution, pins: Sequence[Pin], place: InstallContext, run: Run
    ) -> None:
        """Install exactly *pins*. Raises what uv says went wrong."""
        del decision
        from cnb_python.managers.pipenv import export  # noqa: PLC0415 - see above

        export.install(pins, place, run)

    def explain(
        self, command: Command, outcome: Outcome, place: InstallContext, run: Run
    ) -> BuildpackError:
        """Say why Pipenv failed."""
        del place, run
        from cnb_python.managers.pipenv import export  # noqa: PLC0415 - see above

        return export.explain(command, outcome)
