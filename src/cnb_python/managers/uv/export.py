"""Has uv check `uv.lock` and export it for the app's Python, and installs that."""

import re
from collections.abc import Sequence
from pathlib import Path

from cnb_python.cnb import toml
from cnb_python.config.settings import Settings
from cnb_python.errors.base import BuildpackError
from cnb_python.errors.locks import ProjectForOtherPython, StaleLock, UnknownGroup
from cnb_python.managers import from_source
from cnb_python.managers.base import InstallContext, Pin, Resolution
from cnb_python.managers.index_config import check_uv_addresses
from cnb_python.managers.pylock_file import Choice, read_lock
from cnb_python.managers.uv import address_variables
from cnb_python.managers.uv import commands as uv
from cnb_python.managers.uv.build_needs import with_needs
from cnb_python.managers.uv.required_version import with_required_uv
from cnb_python.system.interface import Command, Outcome, Run

_LOCK, _PYPROJECT = "uv.lock", "pyproject.toml"
_STALE = re.compile(r"The lockfile at \S+ needs to be (updated|created)")
_PYTHON = re.compile(r"Python requirement: `([^`]+)`(?: \(from ([^)]*)\))?")
_UNKNOWN_NAME = re.compile(r"(Group|Extra) `([^`]+)` is not defined")


def resolve(settings: Settings, processor: str, context: InstallContext, run: Run) -> Resolution:
    """Return what the lock file holds for the app's Python. Raises the failure that uv reports."""
    lock = context.scratch / "pylock.toml"
    # uv keeps the choices of an existing file.
    lock.unlink(missing_ok=True)
    check_uv_addresses(context.environ, context.app_dir)
    document = toml.read(context.app_dir / _PYPROJECT)
    address_variables.check_project(document, settings, context.environ, _PYPROJECT)
    ready = uv.own_context(context)
    outcome = with_required_uv(context, run)(command := _export(settings, lock, ready))
    if outcome.code:
        raise _explain(command, outcome, ready, run)
    # Older releases write paths relative to the project, not to the exported file.
    directories = (context.app_dir, *context.app_dir.parents)
    choice = Choice(context.python, processor)
    resolution = read_lock(lock, choice, _LOCK, directories=directories)
    address_variables.check_pins(resolution.pins, _LOCK)
    resolution = from_source.apply(from_source.of_uv(context.environ), resolution)
    return with_needs(resolution, ready.environ, context.app_dir)


def install(pins: Sequence[Pin], context: InstallContext, run: Run) -> frozenset[str]:
    """Install *pins* with uv's own settings, see `Manager`. Raises the failure that uv reports.

    The lock has the URL of each file; other indexes are asked for what builds a package.
    """
    own = uv.own_context(context, as_pip=True)
    return uv.install(pins, own, with_required_uv(context, run), uv.OWN)


def _export(settings: Settings, lock: Path, context: InstallContext) -> Command:
    chosen = [word for name in settings.groups for word in ("--group", name)]
    chosen += [word for name in settings.extras for word in ("--extra", name)]
    words = ("--locked", "--no-default-groups", *chosen)
    return Command(
        (
            *(str(context.uv), "export", *words, "--format", "pylock.toml", "--no-header"),
            *("--quiet", "--output-file", str(lock)),
            *uv.options(context),
        ),
        context.environ,
        context.app_dir,
        shown=" ".join(("uv export", *words)),
    )


def _explain(
    command: Command, outcome: Outcome, context: InstallContext, run: Run
) -> BuildpackError:
    if _STALE.search(outcome.output):
        return StaleLock(_LOCK, _PYPROJECT, "uv lock", uv.last_words(outcome.output))
    if python := _PYTHON.search(outcome.output):
        return ProjectForOtherPython(python[1], python[2] or _PYPROJECT, context.python)
    if unknown := _UNKNOWN_NAME.search(outcome.output):
        kind = unknown[1].lower()
        return UnknownGroup(_PYPROJECT, kind, unknown[2], _defined(kind, context.app_dir))
    return uv.explain(command, outcome, context, run)


def _defined(kind: str, app_dir: Path) -> tuple[str, ...]:
    """Return the names of the app's groups or extras."""
    document = toml.read(app_dir / _PYPROJECT)
    project = toml.table_at(document, "project")
    table = (
        toml.table_at(document, "dependency-groups")
        if kind == "group"
        else toml.table_at(project, "optional-dependencies")
    )
    return tuple(sorted(table))
