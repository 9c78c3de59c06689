"""Has uv check its lock, say what it means for this Python, and install that."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cnb_python.cnb import toml
from cnb_python.config.settings import Settings
from cnb_python.errors.base import BuildpackError
from cnb_python.errors.locks import ProjectForOtherPython, StaleLock, UnknownGroup
from cnb_python.managers import install_locked, pylock_file
from cnb_python.managers.base import InstallContext, Pin, Resolution
from cnb_python.managers.pylock_file import Choice
from cnb_python.managers.uv import commands as uv
from cnb_python.system.interface import Command, Outcome, Run

_LOCK, _PYPROJECT = "uv.lock", "pyproject.toml"
_STALE = re.compile(r"The lockfile at \S+ needs to be (updated|created)")
_PYTHON = re.compile(r"Python requirement: `([^`]+)`(?: \(from ([^)]*)\))?")
_UNKNOWN = re.compile(r"(Group|Extra) `([^`]+)` is not defined")
_VERSION = re.compile(r"Required uv version `([^`]+)` does not match")


def resolve(settings: Settings, processor: str, place: InstallContext, run: Run) -> Resolution:
    """Return what the lock of the app holds for its Python. Raises what uv says went wrong."""
    lock = place.scratch / "pylock.toml"
    # uv keeps the choices of a file that is there.
    lock.unlink(missing_ok=True)
    ready = _ready(place)
    outcome = run(command := _export(settings, lock, ready))
    if wanted := _VERSION.search(outcome.output) if outcome.code else None:
        ready = _fetched(wanted[1], place, run)
        outcome = run(command := _export(settings, lock, ready))
    if outcome.code:
        raise _explain(command, outcome, ready)
    # Older releases tell paths from the project, not from the file that they write.
    choice, places = Choice(place.python, processor), (place.app_dir, *place.app_dir.parents)
    return pylock_file.read_lock(lock, choice, _LOCK, directories=places)


def install(pins: Sequence[Pin], place: InstallContext, run: Run) -> None:
    """Install exactly *pins*, with uv's own settings. Raises what uv says went wrong."""
    if pins:
        install_locked.install(pins, _ready(place), run, uv.OWN)


def _export(settings: Settings, lock: Path, place: InstallContext) -> Command:
    chosen = [word for name in settings.groups for word in ("--group", name)]
    chosen += [word for name in settings.extras for word in ("--extra", name)]
    words = ("--locked", "--no-default-groups", *chosen)
    return Command(
        (
            *(str(place.uv), "export", *words, "--format", "pylock.toml", "--no-header"),
            *("--quiet", "--output-file", str(lock)),
            *uv.options(place),
        ),
        place.environ,
        place.app_dir,
        shown=" ".join(("uv export", *words)),
    )


def _ready(place: InstallContext) -> InstallContext:
    """Return *place* with the uv that the app asks for, once it is there, and its variables."""
    ours = uv.own_place(place)
    own = _own_uv(place)
    return replace(ours, uv=own) if own.exists() else ours


def _own_uv(place: InstallContext) -> Path:
    return place.scratch / "uv/bin/uv"


def _fetched(version: str, place: InstallContext, run: Run) -> InstallContext:
    """Install the uv that the app asks for, for this build. Raises what ours says went wrong."""
    target = _own_uv(place).parents[1]
    command = Command(
        (
            *(str(place.uv), "pip", "install", "--no-config", "--no-deps"),
            *("--target", str(target), f"uv{version}", *uv.options(place)),
        ),
        _ready(place).environ,
        place.scratch,
        shown=f"uv pip install 'uv{version}'",
    )
    outcome = run(command)
    if outcome.code:
        raise uv.explain(command, outcome, place)
    return _ready(place)


def _explain(command: Command, outcome: Outcome, place: InstallContext) -> BuildpackError:
    if _STALE.search(outcome.output):
        return StaleLock(_LOCK, _PYPROJECT, "uv lock", uv.last_words(outcome.output))
    if found := _PYTHON.search(outcome.output):
        return ProjectForOtherPython(found[1], found[2] or _PYPROJECT, place.python)
    if found := _UNKNOWN.search(outcome.output):
        kind = found[1].lower()
        return UnknownGroup(_PYPROJECT, kind, found[2], _known(kind, place.app_dir))
    return uv.explain(command, outcome, place)


def _known(kind: str, app_dir: Path) -> tuple[str, ...]:
    """Return the names of the app's groups or extras."""
    document = toml.read(app_dir / _PYPROJECT)
    project = toml.table_at(document, "project")
    table = (
        toml.table_at(document, "dependency-groups")
        if kind == "group"
        else toml.table_at(project, "optional-dependencies")
    )
    return tuple(sorted(table))
