"""Decides what the image runs: what the Procfile says, else what the app turns out to serve."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from packaging.version import InvalidVersion, Version

from cnb_python.app import App
from cnb_python.cnb import toml
from cnb_python.cnb.documents import Process
from cnb_python.errors.launch import ProcessInEnvironment
from cnb_python.launch import discovery, procfile
from cnb_python.launch.procfile import WEB, ProcfileEntry
from cnb_python.launch.servers import PROGRAMS, SERVERS, AppObject, DetectedApp, Server
from cnb_python.managers.requirement_lines import normalized_name
from cnb_python.python.origin import toml_of

_UVICORN = "uvicorn"
_VARIABLE = "WEB_CONCURRENCY"
_PYPROJECT = "pyproject.toml"
# Words of a command: `python main.py`, `dumb-init python3.14 -m shop`, `exec bin/python`.
_PYTHON = re.compile(r"(?:^|[\s/\"'])python[\d.]*(?=[\s\"']|$)")
# `gunicorn`, `bin/gunicorn`, `python -m gunicorn.app.wsgiapp`.
_SERVER = re.compile(
    r"(?:^|[\s/\"'])(?:gunicorn|uvicorn|hypercorn|granian|fastapi)(?:\.app\.\w+)?(?=[\s\"']|$)"
)
_WORD = re.compile(r"[^\s\"'=;&|()]+")


def single(decision: LaunchPlan, app: App, installed: Collection[str]) -> tuple[str, ...]:
    """Return the types of the processes that a number above 1 may keep from starting.

    A Python program may serve an object, `uvicorn.run(app)`, and uvicorn ends at once when it
    finds WEB_CONCURRENCY above 1 then: https://github.com/encode/uvicorn/blob/main/uvicorn/main.py
    *installed* has the normalised names of the app's packages. Raises what reading
    `pyproject.toml` raises.
    """
    if not isinstance(decision, FromProcfile) or _UVICORN not in installed:
        return ()  # commands of ours, with servers that we know; or nothing that would mind
    own = _scripts(app)
    return tuple(one.type for one in decision.entries if _may_mind(one, own, installed))


def _may_mind(entry: ProcfileEntry, own: frozenset[str], installed: Collection[str]) -> bool:
    command = entry.command
    if _SERVER.search(command) or _VARIABLE in command:
        return False
    return (
        _PYTHON.search(command) is not None
        or not own.isdisjoint(_programs(command))
        or (entry.type == WEB and _distribution(entry) in installed)
    )


def _programs(command: str) -> Iterator[str]:
    """Yield the words that may be a program: `shop` of `ddtrace-run shop`, not of `-A shop`."""
    before = ""
    for word in _WORD.findall(command):
        if not before.startswith("-"):
            yield word.rpartition("/")[2]
        before = word


def _distribution(entry: ProcfileEntry) -> str:
    """Return the name of the distribution that *entry*'s program probably comes from."""
    return normalized_name(entry.launch.program.rpartition("/")[2])


def _scripts(app: App) -> frozenset[str]:
    """Return the names of the programs that the app itself installs.

    https://packaging.python.org/en/latest/specifications/pyproject-toml/#entry-points
    """
    document = toml_of(app, _PYPROJECT)
    poetry = toml.table_at(toml.table_at(document, "tool"), "poetry")
    tables = (toml.table_at(document, "project"), poetry)
    return frozenset(name for table in tables for name in toml.table_at(table, "scripts"))


_VENV_WORD = re.compile(r"""[^\s'"`;&|()<>=]+""")
# Where people make them; `env` may be a directory of their own, so it has to be gone.
_USUAL = (".venv", "venv", "env", "virtualenv")
_PROGRAM = re.compile(r"(?:bin|Scripts)/([\w.-]+)")


def into_environments(
    entries: Iterable[ProcfileEntry], app: App, removed: Collection[str]
) -> Iterator[tuple[int, str, str, str]]:
    """Yield line, process type, word and program of each word that leads into an environment.

    *removed* has the environments that were in the repository, relative to its top. One that is
    only on somebody's own machine is known by its usual name.
    """
    for entry in entries:
        for word in _VENV_WORD.findall(entry.command):
            if program := _program(word, app, removed):
                yield entry.line, entry.type, word, program


def _program(word: str, app: App, removed: Collection[str]) -> str:
    """Return what *word* names in an environment that the image lacks; empty: nothing."""
    path = word.removeprefix(f"{app.directory}/").removeprefix("./")
    for environment in (*_known(app, removed), *_USUAL):
        found = _PROGRAM.fullmatch(path.removeprefix(f"{environment}/"))
        if found is None or not path.startswith(f"{environment}/"):
            continue
        if environment in removed or not _is_there(app, path):
            return found[1]
    return ""


def _is_there(app: App, path: str) -> bool:
    # A link to a Python that only the developer's machine has is there, for somebody who keeps it.
    return (app.directory / path).exists(follow_symlinks=False)


def _known(app: App, removed: Collection[str]) -> tuple[str, ...]:
    """Return *removed* as commands name them, from the app's directory and from the top."""
    own = f"{app.inside}/" if app.inside else ""
    return (*removed, *(path.removeprefix(own) for path in removed if path.startswith(own)))


@dataclass(frozen=True, slots=True)
class FromProcfile:
    """The Procfile names the processes."""

    processes: tuple[Process, ...]
    entries: tuple[ProcfileEntry, ...]
    missing: tuple[tuple[str, str], ...]
    """Process types that start a server which is not installed, with its distribution."""


@dataclass(frozen=True, slots=True)
class FromApp:
    """There is no Procfile, and the code says what to serve."""

    processes: tuple[Process, ...]
    found: DetectedApp
    target: AppObject
    server: Server
    others: tuple[DetectedApp, ...]
    """What else could have been served."""
    misnamed: tuple[str, ...]
    """Files that were probably meant to be the Procfile."""


@dataclass(frozen=True, slots=True)
class NoServer:
    """The code says what to serve, and nothing that is installed can serve it."""

    processes: tuple[Process, ...]
    """Always empty."""
    found: DetectedApp
    misnamed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NothingDetected:
    """Nothing says what to run."""

    processes: tuple[Process, ...]
    """Always empty."""
    misnamed: tuple[str, ...]
    has_procfile: bool
    """There is one, without a process."""


type LaunchPlan = FromProcfile | FromApp | NoServer | NothingDetected


def check(app: App, removed: Collection[str] = ()) -> None:
    """Refuse a Procfile that cannot be used, before anything is installed for it.

    *removed* are the virtual environments that do not get into the image, relative to the top of
    the repository. Raises `BadProcfile`, `ProcessInEnvironment`, and what `App.text` raises.
    """
    entries = _entries(app) or ()
    if found := tuple(into_environments(entries, app, removed)):
        raise ProcessInEnvironment(app.shown(procfile.NAME), found)


def decide(app: App, installed: Mapping[str, str]) -> LaunchPlan:
    """Return what the image runs and where that was found.

    *installed* maps the normalised names of the installed distributions to their versions. Raises
    `BadProcfile`, and what `App.text` raises.
    """
    entries = _entries(app)
    if entries:
        return _from_procfile(app, entries, installed)
    misnamed = procfile.misnamed(app.names)
    found = discovery.find(app.directory, installed.keys())
    if not found:
        return NothingDetected((), misnamed, has_procfile=entries is not None)
    for candidate in found:
        if choice := _choose(candidate, installed):
            target, server = choice
            others = tuple(other for other in found if other is not candidate)
            process = _process(app, candidate, server.command(target))
            return FromApp((process,), candidate, target, server, others, misnamed)
    return NoServer((), found[0], misnamed)


def _entries(app: App) -> tuple[ProcfileEntry, ...] | None:
    text = app.text(procfile.NAME)
    return None if text is None else procfile.parse(text)


def _from_procfile(
    app: App, entries: tuple[ProcfileEntry, ...], installed: Mapping[str, str]
) -> FromProcfile:
    default = procfile.default_type(entry.type for entry in entries)
    processes = tuple(
        Process(
            type=entry.type,
            command=entry.launch.argv,
            default=entry.type == default,
            working_dir=_working_dir(app),
        )
        for entry in entries
    )
    missing = tuple(
        (entry.type, PROGRAMS[entry.launch.program])
        for entry in entries
        if PROGRAMS.get(entry.launch.program, "") not in {"", *installed}
    )
    return FromProcfile(processes, entries, missing)


def _process(app: App, found: DetectedApp, command: tuple[str, ...]) -> Process:
    directory = _working_dir(app, found.directory)
    return Process(type=procfile.WEB, command=command, default=True, working_dir=directory)


def _working_dir(app: App, below: str = "") -> str:
    """Return the directory *below* the project's; empty for the top of the app."""
    # Absolute: the launcher's own working directory is the app's only by custom.
    return str(app.directory / below) if below or app.inside else ""


def _choose(found: DetectedApp, installed: Mapping[str, str]) -> tuple[AppObject, Server] | None:
    candidates = [
        (target, server)
        for target in found.targets
        for server in SERVERS
        if _can_serve(server, target, installed)
    ]
    return min(candidates, key=lambda candidate: candidate[1].last_resort, default=None)


def _can_serve(server: Server, target: AppObject, installed: Mapping[str, str]) -> bool:
    return (
        server.interface == target.interface
        and all(name in installed for name in server.needs)
        and (server.factories or not target.factory)
        and (not server.since or _is_at_least(installed[server.needs[0]], server.since))
    )


def _is_at_least(version: str, since: str) -> bool:
    try:
        return Version(version) >= Version(since)
    except InvalidVersion:
        return False
