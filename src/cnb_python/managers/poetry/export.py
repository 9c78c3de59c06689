"""Has Poetry check its lock and say what it holds; uv installs that, and Poetry the app itself."""

import re
from collections.abc import Sequence
from pathlib import Path

from packaging.utils import canonicalize_name

from cnb_python.config.settings import Settings
from cnb_python.errors.base import BuildpackError
from cnb_python.errors.install import InstallFailed
from cnb_python.errors.locks import StaleLock, UnknownGroup
from cnb_python.errors.programs import AppNotInstallable, LockTooNew, UnknownPoetryKey
from cnb_python.managers import build_errors, exported_requirements, install_locked, schema
from cnb_python.managers.base import InstallContext, Pin, Resolution
from cnb_python.managers.install_locked import Choice
from cnb_python.managers.pip.pinned import digest
from cnb_python.managers.poetry import pyproject, sources
from cnb_python.managers.poetry import sources as poetry_sources
from cnb_python.managers.poetry.pyproject import PYPROJECT
from cnb_python.managers.uv import commands as uv
from cnb_python.managers.uv import index_env
from cnb_python.system.interface import Command, Outcome, Run

_LOCK, _NAME = "poetry.lock", "Poetry"
_STALE = re.compile(r"pyproject\.toml changed significantly since poetry\.lock was last generated")
_NEWER = re.compile(r"lock file is not compatible with the current version of Poetry")
_REFUSED = re.compile(r"Additional properties are not allowed \('([^']+)'")
_NOT_INSTALLABLE = re.compile(r"The current project could not be installed: (.+)")
_UNKNOWN = (
    ("group", re.compile(r"Group\(s\) not found: ([^\s,]+)")),
    ("extra", re.compile(r"Extra \[([^],]+)[^]]*\] is not specified")),
)
_LAST_WORDS = 8
# What they choose is ours to choose: neither the app nor its environment is to be touched.
_OURS = re.compile(
    r"POETRY_(VIRTUALENVS_\w+|CACHE_DIR|CONFIG_DIR|DATA_DIR|HOME|SYSTEM_GIT_CLIENT)"
)


def resolve(settings: Settings, processor: str, place: InstallContext, run: Run) -> Resolution:
    """Return what the lock of the app holds for its Python. Raises what Poetry says went wrong."""
    exported = _exported(place)
    outcome = run(command := _export(settings, exported, place))
    if outcome.code:
        raise _unknown(outcome.output, place) or _explain(command, outcome, place)
    choice = Choice(place.python, processor)
    text = exported_requirements.plain(exported.read_text("utf-8"))
    found = exported_requirements.read(text, _LOCK, place.app_dir, choice, uv.NAME)
    return found.decision._replace(pins=tuple(sorted((*found.decision.pins, *_of_the_app(place)))))


def install(settings: Settings, pins: Sequence[Pin], place: InstallContext, run: Run) -> None:
    """Install exactly *pins*. Raises what uv or Poetry says went wrong."""
    own = {pin.name for pin in _of_the_app(place)}
    if others := [pin for pin in pins if pin.name not in own]:
        _install_others(others, place, run)
    if len(others) < len(pins):
        outcome = run(command := _install_app(settings, place))
        if outcome.code:
            raise explain(command, outcome)


def _explain(command: Command, outcome: Outcome, place: InstallContext) -> BuildpackError:
    """Say why Poetry did not read its lock: it has no words for values of a wrong kind."""
    found = explain(command, outcome)
    if isinstance(found, InstallFailed | StaleLock | LockTooNew):
        schema.check(place.app_dir, _LOCK, PYPROJECT)
    return found


def _install_others(pins: Sequence[Pin], place: InstallContext, run: Run) -> None:
    lines = _exported(place).read_text("utf-8").splitlines()
    home = sources.home(place.app_dir / _LOCK, lines)
    variables = index_env.found_by(sources.found_by(lines), place.environ)
    variables |= poetry_sources.trusting_certificates(place)
    install_locked.install_from_indexes(
        pins,
        install_locked.IndexedLock(_NAME, home),
        place,
        run,
        uv.UvSources(is_own=False, variables=variables),
    )


def explain(command: Command, outcome: Outcome) -> BuildpackError:
    """Say why Poetry failed."""
    said = tuple(line.strip() for line in outcome.output.splitlines() if line.strip())
    last = said[-_LAST_WORDS:]
    if trouble := build_errors.machine_failure(outcome.code, outcome.output, _NAME):
        return trouble
    if _STALE.search(outcome.output):
        return StaleLock(_LOCK, PYPROJECT, "poetry lock", last)
    if _NEWER.search(outcome.output):
        return LockTooNew(_LOCK, _NAME, last)
    if found := _NOT_INSTALLABLE.search(outcome.output):
        return AppNotInstallable(PYPROJECT, _NAME, found[1])
    if found := _REFUSED.search(outcome.output):
        return UnknownPoetryKey(PYPROJECT, _NAME, found[1], last)
    return InstallFailed(_NAME, command.shown, outcome.code, last)


def _unknown(said: str, place: InstallContext) -> BuildpackError | None:
    """Return that what was chosen does not exist, None where Poetry says something else."""
    for kind, pattern in _UNKNOWN:
        if found := pattern.search(said):
            project = pyproject.read(place.app_dir)
            known = project.groups if kind == "group" else project.extras
            return UnknownGroup(PYPROJECT, kind, found[1], known)
    return None


def _of_the_app(place: InstallContext) -> tuple[Pin, ...]:
    """Return the app itself, where it is a package."""
    found = pyproject.read(place.app_dir)
    if not found.is_package:
        return ()
    line = f"-e {place.app_dir}"
    return (Pin(canonicalize_name(found.name), "", digest((line,)), line, is_cacheable=False),)


def _export(settings: Settings, into: Path, place: InstallContext) -> Command:
    chosen = [word for name in settings.groups for word in ("--with", name)]
    chosen += [word for name in settings.extras for word in ("--extras", name)]
    # Its logins go with the addresses, into a file that the build's end removes.
    written = ("--with-credentials", "--output", str(into))
    return _poetry(settings, place, ("export", *chosen), written)


def _install_app(settings: Settings, place: InstallContext) -> Command:
    """Return the command with which Poetry makes an environment lead to the app."""
    return _poetry(settings, place, ("install", "--only-root"), ())


def _poetry(
    settings: Settings, place: InstallContext, words: Sequence[str], more: Sequence[str]
) -> Command:
    program = pyproject.read(place.app_dir).program(settings)
    start = place.bring(program)
    return Command(
        (*start, "--no-interaction", "--no-ansi", *words, *more),
        _variables(place),
        place.app_dir,
        shown=" ".join(("poetry", *words)),
    )


def _variables(place: InstallContext) -> dict[str, str]:
    """Return the variables of Poetry's processes: its settings, but no place of the user's."""
    own = place.scratch / "poetry"
    kept = {name: value for name, value in place.environ.items() if not _OURS.fullmatch(name)}
    return {
        **kept,
        **{f"POETRY_{name}_DIR": str(own / name.lower()) for name in ("CONFIG", "CACHE", "DATA")},
        # The environment is there: VIRTUAL_ENV names it.
        "POETRY_VIRTUALENVS_CREATE": "false",
        "POETRY_KEYRING_ENABLED": kept.get("POETRY_KEYRING_ENABLED", "false"),
    }


def _exported(place: InstallContext) -> Path:
    return place.scratch / "poetry.export.txt"
