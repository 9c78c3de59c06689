"""Decides which processes the image has: those of the Procfile, else a server for the app.

It also describes the plan for the log: each process with its reason, and warnings.

Separate from `build`, which has one line for each step.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import assert_never

from packaging.version import InvalidVersion, Version

from cnb_python.app import App
from cnb_python.cnb import toml
from cnb_python.cnb.documents import Process
from cnb_python.errors.base import Message
from cnb_python.errors.config import CommandNeedsQuotes, ProcessInEnvironment
from cnb_python.launch import discovery, procfile
from cnb_python.launch.frameworks import AppObject, DetectedApp
from cnb_python.launch.procfile import WEB, ProcfileEntry
from cnb_python.launch.servers import PROGRAMS, SERVERS, Server
from cnb_python.managers.requirement_lines import normalized_name
from cnb_python.python.origin import toml_of

_UVICORN = "uvicorn"
_VARIABLE = "WEB_CONCURRENCY"
_PYPROJECT = "pyproject.toml"
# A Python in a command: `python main.py`, `dumb-init python3.14 -m shop`, `exec bin/python`. Not a
# management command of Django: those that serve start their workers by name.
_PYTHON = re.compile(
    r"(?:^|[\s/\"'])python[\d.]*(?=[\s\"']|$)(?!\s+(?:-\w\s+)*(?:\S*/)?manage\.py(?:\s|$))"
)
# A server in a command: `gunicorn`, `bin/gunicorn`, `python -m gunicorn.app.wsgiapp`.
_SERVER = re.compile(
    r"(?:^|[\s/\"'])(?:gunicorn|uvicorn|hypercorn|granian|fastapi)(?:\.app\.\w+)?(?=[\s\"']|$)"
)
_WORD = re.compile(r"[^\s\"'=;&|()]+")
_VENV_WORD = re.compile(r"""[^\s'"`;&|()<>=]+""")
# Usual directories of virtual environments; `env` may be another directory, if it exists.
_USUAL_NAMES = (".venv", "venv", "env", "virtualenv")
_PROGRAM = re.compile(r"(?:bin|Scripts)/([\w.-]+)")
type HowToAdd = Callable[[str], tuple[str, str]]
"""Returns how the app's author adds a package: a sentence that ends in a colon, and a line."""

_WSGI_SERVER = "gunicorn"
_ASGI_SERVER = "uvicorn"
_DEFAULT = "  (default)"


@dataclass(frozen=True, slots=True)
class FromProcfile:
    """The Procfile names the processes."""

    processes: tuple[Process, ...]
    entries: tuple[ProcfileEntry, ...]
    missing: tuple[tuple[str, str], ...]
    """Process types that start a server which is not installed, with its distribution."""


@dataclass(frozen=True, slots=True)
class FromApp:
    """There is no Procfile, and a server for the app was found."""

    processes: tuple[Process, ...]
    detected: DetectedApp
    target: AppObject
    server: Server
    other_apps: tuple[DetectedApp, ...]
    """Further apps that could be served."""
    misnamed: tuple[str, ...]
    """Files that were probably meant to be the Procfile."""


@dataclass(frozen=True, slots=True)
class NoServer:
    """An app was found, but no installed server can serve it."""

    processes: tuple[Process, ...]
    """Always empty."""
    detected: DetectedApp
    misnamed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NothingDetected:
    """There is neither a process in a Procfile nor an app that can be served."""

    processes: tuple[Process, ...]
    """Always empty."""
    misnamed: tuple[str, ...]
    has_procfile: bool
    """Whether there is a Procfile, without a process."""


type LaunchPlan = FromProcfile | FromApp | NoServer | NothingDetected


def check_procfile(app: App, removed: Collection[str] = ()) -> None:
    """Check the Procfile before anything is installed.

    *removed* are the virtual environments that the image does not contain, relative to the top of
    the repository. Raises `BadProcfile`, `CommandNeedsQuotes`, `ProcessInEnvironment`, and what
    `App.text` raises.
    """
    entries = _entries(app) or ()
    invalid = tuple(
        (entry.line, entry.type, entry.command, command)
        for entry in entries
        if (command := procfile.requoted(entry.command))
    )
    if invalid:
        raise CommandNeedsQuotes(app.shown(procfile.NAME), invalid)
    if references := tuple(words_in_environments(entries, app, removed)):
        raise ProcessInEnvironment(app.shown(procfile.NAME), references)


def words_in_environments(
    entries: Iterable[ProcfileEntry], app: App, removed: Collection[str]
) -> Iterator[tuple[int, str, str, str]]:
    """Yield line, process type, word and program of each word that points into an environment.

    *removed* has the environments that were in the repository, relative to its top. One that
    exists only on a developer's machine is recognized by its usual name.
    """
    for entry in entries:
        for word in _VENV_WORD.findall(entry.command):
            if program := _program(word, app, removed):
                yield entry.line, entry.type, word, program


def _program(word: str, app: App, removed: Collection[str]) -> str:
    """Return the program that *word* names in an environment which the image lacks, else empty."""
    path = word.removeprefix(f"{app.directory}/").removeprefix("./")
    for environment in (*_names_in_commands(app, removed), *_USUAL_NAMES):
        match = _PROGRAM.fullmatch(path.removeprefix(f"{environment}/"))
        if match is None or not path.startswith(f"{environment}/"):
            continue
        if environment in removed or not _exists(app, path):
            return match[1]
    return ""


def _exists(app: App, path: str) -> bool:
    # A broken link counts as existing: it may point to a Python of the developer's machine.
    return (app.directory / path).exists(follow_symlinks=False)


def _names_in_commands(app: App, removed: Collection[str]) -> tuple[str, ...]:
    """Return *removed* as commands name them: relative to the app, and to the repository."""
    prefix = f"{app.inside}/" if app.inside else ""
    return (*removed, *(path.removeprefix(prefix) for path in removed if path.startswith(prefix)))


def plan_launch(app: App, installed: Mapping[str, str]) -> LaunchPlan:
    """Return the processes of the image, and why it has them.

    *installed* maps the normalized names of the installed distributions to versions. Raises
    `BadProcfile`, and what `App.text` raises.
    """
    entries = _entries(app)
    if entries:
        return _from_procfile(app, entries, installed)
    misnamed = procfile.misnamed(app.names)
    detected = discovery.find(app.directory, installed.keys())
    if not detected:
        return NothingDetected((), misnamed, has_procfile=entries is not None)
    for candidate in detected:
        if choice := _choose(candidate, installed):
            target, server = choice
            other_apps = tuple(item for item in detected if item is not candidate)
            process = _process(app, candidate, server.command(target))
            return FromApp((process,), candidate, target, server, other_apps, misnamed)
    return NoServer((), detected[0], misnamed)


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


def _process(app: App, detected: DetectedApp, command: tuple[str, ...]) -> Process:
    directory = _working_dir(app, detected.directory)
    return Process(type=procfile.WEB, command=command, default=True, working_dir=directory)


def _working_dir(app: App, below: str = "") -> str:
    """Return the absolute path of *below* in the app's directory; empty for the default."""
    # Absolute, since the specification does not define the launcher's working directory.
    return str(app.directory / below) if below or app.inside else ""


def _choose(
    detected: DetectedApp, installed: Mapping[str, str]
) -> tuple[AppObject, Server] | None:
    candidates = [
        (target, server)
        for target in detected.targets
        for server in SERVERS
        if _can_serve(server, target, installed)
    ]
    return min(candidates, key=lambda candidate: candidate[1].last_resort, default=None)


def _can_serve(server: Server, target: AppObject, installed: Mapping[str, str]) -> bool:
    return (
        server.interface == target.interface
        and all(name in installed for name in server.needs)
        and (server.calls_factories or not target.factory)
        and (
            not server.min_version or _is_at_least(installed[server.needs[0]], server.min_version)
        )
    )


def _is_at_least(version: str, since: str) -> bool:
    try:
        return Version(version) >= Version(since)
    except InvalidVersion:
        return False


def under_init(plan: LaunchPlan, init: Path) -> tuple[Process, ...]:
    """Return the processes of *plan*; *init* starts those that SIGTERM would not end.

    *init* is the absolute path of the program in the image.
    """
    return tuple(
        replace(process, command=(str(init), *process.command))
        if process.type in _types_that_need_init(plan)
        else process
        for process in plan.processes
    )


def _types_that_need_init(plan: LaunchPlan) -> frozenset[str]:
    match plan:
        case FromProcfile():
            return frozenset(entry.type for entry in plan.entries if entry.launch.needs_init)
        case FromApp():
            return frozenset([WEB] if procfile.needs_init(plan.server.title) else [])
        case NoServer() | NothingDetected():
            return frozenset()
        case _:
            assert_never(plan)


def single_worker_types(plan: LaunchPlan, app: App, installed: Collection[str]) -> tuple[str, ...]:
    """Return the types of the processes that may fail to start if WEB_CONCURRENCY is above 1.

    A Python program may call `uvicorn.run(app)` with an object, and uvicorn exits at once if it is
    to start several workers then: https://github.com/encode/uvicorn/blob/main/uvicorn/main.py
    *installed* has the normalized names of the app's packages. Raises what reading
    `pyproject.toml` raises.
    """
    if not isinstance(plan, FromProcfile) or _UVICORN not in installed:
        return ()  # a command of this buildpack, or no uvicorn
    own = own_programs(app)
    return tuple(entry.type for entry in plan.entries if _may_fail(entry, own, installed))


def _may_fail(
    entry: ProcfileEntry, own_programs: frozenset[str], installed: Collection[str]
) -> bool:
    command = entry.command
    if _SERVER.search(command) or _VARIABLE in command:
        return False
    return (
        _PYTHON.search(command) is not None
        or not own_programs.isdisjoint(_words_of_programs(command))
        or (entry.type == WEB and _distribution(entry) in installed)
    )


def _words_of_programs(command: str) -> Iterator[str]:
    """Yield the words that may be a program: `shop` of `ddtrace-run shop`, not of `-A shop`."""
    previous = ""
    for word in _WORD.findall(command):
        if not previous.startswith("-"):
            yield word.rpartition("/")[2]
        previous = word


def _distribution(entry: ProcfileEntry) -> str:
    """Return the distribution that probably installs the program of *entry*."""
    return normalized_name(entry.launch.program.rpartition("/")[2])


def own_programs(app: App) -> frozenset[str]:
    """Return the names of the programs that the app installs itself.

    https://packaging.python.org/en/latest/specifications/pyproject-toml/#entry-points
    """
    document = toml_of(app, _PYPROJECT)
    poetry = toml.table_at(toml.table_at(document, "tool"), "poetry")
    tables = (toml.table_at(document, "project"), poetry)
    return frozenset(name for table in tables for name in toml.table_at(table, "scripts"))


def reasons(plan: LaunchPlan) -> tuple[str, ...]:
    """Return log lines with the processes of *plan* and why it has them."""
    match plan:
        case FromProcfile():
            return tuple(
                f"{process.type}: {entry.command}{_DEFAULT if process.default else ''}"
                for process, entry in zip(plan.processes, plan.entries, strict=True)
            )
        case FromApp():
            return tuple(_from_app(plan))
        case NoServer() | NothingDetected():
            return ()
        case _:
            assert_never(plan)


def warnings(plan: LaunchPlan, how_to_add: HowToAdd) -> tuple[Message, ...]:
    """Return warnings about what the user should change, although the build succeeds."""
    match plan:
        case FromProcfile():
            return _about_procfile(plan, how_to_add)
        case FromApp():
            return tuple(_misnamed(name) for name in plan.misnamed)
        case NoServer():
            misnamed = (_misnamed(name) for name in plan.misnamed)
            return *misnamed, _no_server(plan.detected, how_to_add)
        case NothingDetected():
            return *(_misnamed(name) for name in plan.misnamed), _no_process(plan)
        case _:
            assert_never(plan)


def _from_app(plan: FromApp) -> list[str]:
    detected, server = plan.detected, plan.server
    lines = [
        f"web: {server.title} serves {plan.target}{_DEFAULT}",
        f"  {_location(detected)}",
        f"  Using {server.needs[0]}, which is installed and serves {plan.target.interface} apps",
    ]
    if detected.directory:
        lines.append(f"  Running in {detected.directory}/")
    if plan.other_apps:
        other_apps = ", ".join(f"{app.file} ({app.framework})" for app in plan.other_apps)
        lines.append(f"  Also found: {other_apps}. To run another app, name it in a Procfile.")
    return lines


def _location(app: DetectedApp) -> str:
    return f"Found {app.framework} in {app.file}, line {app.line} ({app.sign})"


def _about_procfile(plan: FromProcfile, how_to_add: HowToAdd) -> tuple[Message, ...]:
    missing = tuple(
        _missing(process_type, name, how_to_add) for process_type, name in plan.missing
    )
    if any(process.default for process in plan.processes):
        return missing
    types = ", ".join(process.type for process in plan.processes)
    return (
        *missing,
        Message(
            title="The image has no default process",
            body=(
                f"The Procfile names {types}, but not web.",
                "To start the image, you have to choose a process (`--entrypoint`).",
                "To make one the default, name it web.",
            ),
        ),
    )


def _missing(process_type: str, distribution: str, how_to_add: HowToAdd) -> Message:
    sentence, line = how_to_add(distribution)
    return Message(
        title=f"{distribution} is not installed",
        body=(
            f"The Procfile starts {process_type} with it, but it is not in the app's packages.",
            sentence,
            f"    {line}",
        ),
    )


def _misnamed(name: str) -> Message:
    return Message(
        title=f"{name} is not read",
        body=(f"If it names the app's processes, rename it: git mv {name} Procfile",),
    )


def _no_server(app: DetectedApp, how_to_add: HowToAdd) -> Message:
    interface = app.targets[0].interface
    server = _WSGI_SERVER if interface == "WSGI" else _ASGI_SERVER
    sentence, line = how_to_add(server)
    return Message(
        title="The image has no default process: no server for the app is installed",
        body=(
            f"{_location(app)}.",
            f"No installed package can serve a {interface} app in production.",
            f"If {server} is installed, the next build starts the app with it. {sentence}",
            f"    {line}",
            "Or name the command that starts the app in a Procfile.",
        ),
    )


def _no_process(plan: NothingDetected) -> Message:
    procfile = "The Procfile names no process" if plan.has_procfile else "There is no Procfile"
    return Message(
        title="The image has no default process",
        body=(
            f"{procfile}, and no Django, Flask, FastAPI or Starlette app was found.",
            "The image runs commands that you pass to it, but starts nothing by itself.",
            "To add a process, write a Procfile at the top of the app, such as:",
            "    web: gunicorn --bind 0.0.0.0:$PORT app:app",
            "or, for an app that serves nothing:",
            "    worker: python main.py",
        ),
    )
