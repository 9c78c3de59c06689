"""`pylock.toml` and `pylock.<name>.toml`, the lock of the standard, whoever made it.

https://packaging.python.org/en/latest/specifications/pylock-toml/
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cnb_python.app import App
from cnb_python.cnb import toml
from cnb_python.config.settings import DEFAULTS, Settings
from cnb_python.errors.base import BuildpackError
from cnb_python.errors.locks import SeveralLocks
from cnb_python.managers import fingerprint
from cnb_python.managers.base import (
    Advice,
    InstallContext,
    NeedsResolving,
    Pin,
    Resolution,
    ResolvesOnChange,
)
from cnb_python.managers.uv import config as uv_config
from cnb_python.system.interface import Command, Outcome, Run

LOCK = "pylock.toml"
_NAMED = re.compile(r"pylock\.[^.]+\.toml")


@dataclass(frozen=True, slots=True)
class Pylock(ResolvesOnChange):
    """Apps with a lock of the standard form."""

    settings: Settings = DEFAULTS
    name: str = "pylock"
    deciding_file: str = LOCK
    processor: str = field(default_factory=lambda: os.uname().machine)
    """As environment markers have it: `x86_64`."""

    def deciding_files(self, app: App) -> tuple[str, ...]:
        """Return the lock without a name of its own, or else every one with a name."""
        if LOCK in app.names:
            return (LOCK,)
        return tuple(sorted(name for name in app.names if _NAMED.fullmatch(name)))

    def check(self, app: App) -> tuple[Advice, ...]:
        """Refuse several locks with names. Raises SeveralLocks, NotAFile or UnreadableFile."""
        names = self.deciding_files(app)
        if len(names) > 1:
            raise SeveralLocks(names, LOCK)
        app.content(names[0])
        return ()

    def resolve_from_files(
        self, app: App, python: str, environ: Mapping[str, str]
    ) -> Resolution | NeedsResolving:
        """Return that the lock has to be read, and on what the answer depends."""
        (name,) = self.deciding_files(app)
        content = app.contents.get(name, b"")
        inputs = fingerprint.inputs(
            self,
            python,
            fingerprint.variables(environ, "UV_", "PIP_"),
            uv_config.contents(environ, app.directory),
            fingerprint.lock(content),
            _directories(content, app.directory / name, app.top),
        )
        return NeedsResolving("a lock holds what each Python and system needs", inputs)

    def resolve(self, place: InstallContext, run: Run) -> Resolution:
        """Read the lock. Raises BadLock, LockForOtherPython, UnknownGroup and UnreadableToml."""
        del run
        from cnb_python.managers import install_locked  # noqa: PLC0415 - heavy

        files = sorted(place.app_dir.glob("pylock.*.toml"))
        lock = place.app_dir / LOCK if (place.app_dir / LOCK).exists() else files[0]
        choice = install_locked.Choice(
            place.python, self.processor, self.settings.extras, self.settings.groups
        )
        return install_locked.read_lock(lock, choice)

    def install(
        self, decision: Resolution, pins: Sequence[Pin], place: InstallContext, run: Run
    ) -> None:
        """Install exactly *pins*. Raises what uv says went wrong."""
        del decision
        from cnb_python.managers import install_locked  # noqa: PLC0415 - heavy
        from cnb_python.managers.uv import commands as uv  # noqa: PLC0415 - heavy

        install_locked.install(pins, uv.own_place(place, as_pip=True), run, uv.OWN)

    def explain(
        self, command: Command, outcome: Outcome, place: InstallContext, run: Run
    ) -> BuildpackError:
        """Say why uv failed."""
        del run
        from cnb_python.managers.uv import commands as uv  # noqa: PLC0415 - heavy

        return uv.explain(command, outcome, place)


def _directories(content: bytes, lock: Path, top: Path) -> Iterator[str]:
    """Yield what each directory of the app that *lock* names comes to."""
    # Reading a large one takes longer than all else that a build does where nothing changed.
    if b"directory" not in content:
        return
    try:
        document = toml.parse(content.decode("utf-8", "replace"), lock)
    except BuildpackError:
        return  # it is refused when it is read in earnest
    for package in toml.tables_at(document, "packages"):
        source = toml.table_at(package, "directory")
        if isinstance(path := source.get("path"), str):
            place = fingerprint.place(path, lock.name, lock.parent, top)
            yield path
            yield fingerprint.project_digest(place, is_editable=source.get("editable") is True)
