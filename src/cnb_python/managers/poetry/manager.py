"""Poetry: `poetry.lock`, which Poetry itself checks and reads; uv installs exactly that.

What asks it is imported when something changed.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

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
from cnb_python.managers.poetry import pyproject
from cnb_python.managers.poetry.pyproject import PYPROJECT, PoetryProject
from cnb_python.system.interface import Command, Outcome, Run

LOCK = "poetry.lock"
# What Poetry reads besides: settings of the project.
_SETTINGS = "poetry.toml"
_LOCAL = re.compile(
    r'\[package\.source\]\ntype = "(?:directory|file)"\nurl = "([^"\n]+)"', re.MULTILINE
)
_QUOTED = re.compile(r"(readme|licen[cs]e|copying|notice|authors)\b.*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Poetry(ResolvesOnChange):
    """Apps with a `poetry.lock`."""

    settings: Settings = DEFAULTS
    name: str = "poetry"
    deciding_file: str = LOCK
    processor: str = field(default_factory=lambda: os.uname().machine)
    """As environment markers have it: `x86_64`."""

    def deciding_files(self, app: App) -> tuple[str, ...]:
        """Return the app's lock, if it has one."""
        return (LOCK,) if LOCK in app.names else ()

    def check(self, app: App) -> tuple[Advice, ...]:
        """Refuse a lock that is no file, or stands alone.

        Raises LoneLock, NotAFile, UnreadableFile or UnreadableToml.
        """
        app.content(LOCK)
        if PYPROJECT not in app.names:
            raise LockWithoutProject(LOCK, PYPROJECT, "Poetry")
        pyproject.read(app.directory)
        return ()

    def resolve_from_files(
        self, app: App, python: str, environ: Mapping[str, str]
    ) -> Resolution | NeedsResolving:
        """Return that Poetry has to say what its lock means here, and on what that depends."""
        directory = app.directory
        found = pyproject.read(directory)
        inputs = fingerprint.inputs(
            self,
            python,
            (found.program(self.settings).digest, fingerprint.public(found.relevant)),
            fingerprint.variables(environ, "POETRY_"),
            fingerprint.files(directory, (LOCK, _SETTINGS)),
            _of_the_app(directory, found),
            fingerprint.named_in(directory / LOCK, _LOCAL, app.top),
        )
        return NeedsResolving(f"it alone reads {LOCK}", inputs)

    def resolve(self, place: InstallContext, run: Run) -> Resolution:
        """Have Poetry check and read its lock. Raises what it says went wrong."""
        from cnb_python.managers.poetry import export  # noqa: PLC0415 - see above

        return export.resolve(self.settings, self.processor, place, run)

    def install(
        self, decision: Resolution, pins: Sequence[Pin], place: InstallContext, run: Run
    ) -> None:
        """Install exactly *pins*. Raises what Poetry or uv says went wrong."""
        del decision
        from cnb_python.managers.poetry import export  # noqa: PLC0415 - see above

        export.install(self.settings, pins, place, run)

    def explain(
        self, command: Command, outcome: Outcome, place: InstallContext, run: Run
    ) -> BuildpackError:
        """Say why Poetry failed."""
        del place, run
        from cnb_python.managers.poetry import export  # noqa: PLC0415 - see above

        return export.explain(command, outcome)


def _of_the_app(directory: Path, found: PoetryProject) -> Iterator[str]:
    """Yield what the installation of the app itself depends on besides `pyproject.toml`.

    Poetry makes it lead to directories and modules that it finds by their names; the metadata
    quote a few texts. Code may change without anything else.
    """
    if found.has_build:
        yield fingerprint.project_digest(directory, is_editable=False)
    elif found.is_package:
        for place in (directory, directory / "src"):
            names = sorted(one.name for one in place.iterdir()) if place.is_dir() else []
            yield from (one for one in names if one.endswith(".py") or (place / one).is_dir())
            yield from fingerprint.files(place, filter(_QUOTED.fullmatch, names))
