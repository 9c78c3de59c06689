"""Has uv check `uv.lock` and export it for the app's Python, and installs that."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from cnb_python.cnb import toml
from cnb_python.config.settings import Settings
from cnb_python.errors.base import BuildpackError
from cnb_python.errors.locks import ProjectForOtherPython, StaleLock, UnknownGroup
from cnb_python.managers import from_source
from cnb_python.managers.base import InstallContext, Pin, Resolution
from cnb_python.managers.pylock_file import Choice, read_lock
from cnb_python.managers.tool_settings import uv_indexes
from cnb_python.managers.uv import commands as uv
from cnb_python.system.interface import Command, Outcome, Run

_LOCK, _PYPROJECT = "uv.lock", "pyproject.toml"
_STALE = re.compile(r"The lockfile at \S+ needs to be (updated|created)")
_PYTHON = re.compile(r"Python requirement: `([^`]+)`(?: \(from ([^)]*)\))?")
_UNKNOWN_NAME = re.compile(r"(Group|Extra) `([^`]+)` is not defined")
_REQUIRED_UV = re.compile(r"Required uv version `([^`]+)` does not match")


def resolve(settings: Settings, processor: str, context: InstallContext, run: Run) -> Resolution:
    """Return what the lock file holds for the app's Python. Raises the failure that uv reports."""
    lock = context.scratch / "pylock.toml"
    # uv keeps the choices of an existing file.
    lock.unlink(missing_ok=True)
    ready = uv.own_context(context)
    outcome = _with_required_uv(context, run)(command := _export(settings, lock, ready))
    if outcome.code:
        raise _explain(command, outcome, ready, run)
    # Older releases write paths relative to the project, not to the exported file.
    directories = (context.app_dir, *context.app_dir.parents)
    choice = Choice(context.python, processor)
    resolution = read_lock(lock, choice, _LOCK, directories=directories)
    return from_source.apply(from_source.of_uv(context.environ), resolution)


def install(pins: Sequence[Pin], context: InstallContext, run: Run) -> frozenset[str]:
    """Install *pins* with uv's own settings, see `Manager`. Raises the failure that uv reports.

    The lock has the URL of each file; other indexes are asked for what builds a package.
    """
    own = uv.own_context(context, as_pip=True)
    return uv.install(pins, own, _with_required_uv(context, run), uv.OWN)


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


def _with_required_uv(context: InstallContext, run: Run) -> Run:
    """Return *run*, which runs a command of uv again with the uv that the app requires.

    That uv is installed then. Raises the bundled uv's failure.
    """

    def run_required(command: Command, on_line: Callable[[str], None] | None = None) -> Outcome:
        program = _required_uv(context)
        if program.exists():
            return run(_by(program, command), on_line)
        outcome = run(command, on_line)
        if outcome.code and (required := _REQUIRED_UV.search(outcome.output)):
            _install_uv(required[1], context, run)
            return run(_by(program, command), on_line)
        return outcome

    return run_required


def _by(program: Path, command: Command) -> Command:
    return replace(command, argv=(str(program), *command.argv[1:]))


def _required_uv(context: InstallContext) -> Path:
    return context.scratch / "required-uv/bin/uv"


def _install_uv(version: str, context: InstallContext, run: Run) -> None:
    target = _required_uv(context).parents[1]
    # A cache of its own, so that nothing but what the app asks for lies in that of the context.
    apart = uv.with_indexes(replace(context, scratch=target, environ=_as_variables(context)), None)
    command = Command(
        (
            *(str(context.uv), "pip", "install", "--no-config", "--no-deps"),
            *("--target", str(target), f"uv{version}", *uv.options(apart)),
        ),
        uv.own_context(apart).environ,
        context.scratch,
        shown=f"uv pip install 'uv{version}'",
    )
    outcome = run(command)
    if outcome.code:
        raise uv.explain(command, outcome, context, run)


def _as_variables(context: InstallContext) -> dict[str, str]:
    """Return the variables of *context*, with the indexes of uv's configuration files.

    A uv that reads those files refuses to run, since they require another one.
    """
    default, further = uv_indexes(context.environ, context.app_dir)
    links = [address for address in further if "://" not in address]
    indexes = [address for address in further if address not in links]
    in_files = {
        "UV_DEFAULT_INDEX": default,
        "UV_INDEX": " ".join(indexes),
        "UV_FIND_LINKS": ",".join(str(context.app_dir / link) for link in links),
    }
    return {**{name: value for name, value in in_files.items() if value}, **context.environ}


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
