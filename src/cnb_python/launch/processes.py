"""Decides which processes the image has: those of settings, the Procfile, and the app's code.

Separate from `build`, which has one line for each step.
"""

import re
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePath
from types import MappingProxyType

from cnb_python.app import App
from cnb_python.cnb import toml
from cnb_python.cnb.documents import Process
from cnb_python.errors.config import CommandNeedsQuotes, ProcessInEnvironment
from cnb_python.launch import launch_report, procfile
from cnb_python.launch.found_processes import find_processes
from cnb_python.launch.launch_plan import (
    CONSOLE,
    RELEASE,
    FoundProcess,
    FromProcfile,
    GivenProcess,
    HowToAdd,
    LaunchPlan,
)
from cnb_python.launch.procfile import (
    WEB,
    CommandLine,
    ProcfileEntry,
    in_shell,
    parse_command,
)
from cnb_python.launch.servers import PROGRAMS, argv
from cnb_python.managers.requirement_lines import normalized_name
from cnb_python.python.origin import toml_of

_UVICORN = "uvicorn"
_VARIABLE = "WEB_CONCURRENCY"
_MANAGE = "manage.py"
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
# EX_CONFIG of sysexits.h: the configuration is incomplete.
_EXIT_CODE = 78


def in_the_packages(package: str) -> tuple[str, str]:
    """Return how to add *package* to an app of any package manager."""
    return "Add it to the app's packages:", package


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
        # `"bin/my server"` is the path of a program.
        if (command := procfile.requoted(entry.command)) and not _exists(app, command)
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


def plan_launch(
    app: App,
    installed: Mapping[str, str],
    given: Mapping[str, GivenProcess] = MappingProxyType({}),
    how_to_add: HowToAdd = in_the_packages,
    earlier: frozenset[str] = frozenset(),
) -> LaunchPlan:
    """Return the processes of the image, and why it has them.

    *installed* maps the normalized names of the installed distributions to versions; *given* has
    the processes that settings name, by their type; *earlier* has the types of those that earlier
    buildpacks have written. Each type comes from a setting, else from the Procfile, else from the
    code. Raises `BadProcfile`, and what `App.text` raises.
    """
    entries = _entries(app)
    from_procfile = _from_procfile(app, entries, installed) if entries else None
    named = {*given, *(entry.type for entry in entries or ())}
    commands = [
        *(each.command for each in given.values()),
        *(each.command for each in entries or ()),
    ]
    discovered = find_processes(app, installed)
    unnamed = tuple(
        each
        for each in discovered.processes
        if each.type not in named
        and not _is_named(each, commands)
        and not _is_of_another(each, earlier)
    )
    plan = LaunchPlan(
        processes=(),
        procfile=from_procfile,
        given=tuple(given.values()),
        discovered=unnamed,
        also_found=() if WEB in named else discovered.also_found,
        unserved=None if WEB in named else discovered.unserved,
        misnamed=() if entries else procfile.misnamed(app.names),
        has_procfile=entries is not None,
        directory=app.inside,
        earlier=earlier,
    )
    return replace(plan, processes=_processes(app, plan, how_to_add))


def _is_of_another(process: FoundProcess, earlier: frozenset[str]) -> bool:
    """Whether *process* would replace one of an *earlier* buildpack, without being a served app.

    Such as the `web` of an app of Node.js that has programs in Python too.
    """
    return process.type in earlier and not (process.type == WEB and process.title)


def _is_named(process: FoundProcess, commands: Iterable[str]) -> bool:
    """Whether one of *commands* starts *process* under another name."""
    if process.type == WEB:
        return any(_runs(command, process) for command in commands)
    words = process.words
    return (
        bool(words)
        and process.type != CONSOLE
        and any(
            all(re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", command) for word in words)
            for command in commands
        )
    )


def _runs(command: str, process: FoundProcess) -> bool:
    """Whether *command* runs what *process* does: `python worker.py`, `uvicorn api.main:app`."""
    file = process.evidence.file
    if not file or PurePath(file).name == _MANAGE:
        return False  # other commands of manage.py serve nothing
    module = re.escape(file.removesuffix(".py").replace("/", "."))
    targets = re.findall(rf"(?<![\w.]){module}:\w+", process.command)
    names = "|".join((rf"(?<=-m ){module}", re.escape(file), *targets))
    return re.search(rf"(?<![\w.-])(?:{names})(?![\w.])", command) is not None


def _processes(app: App, plan: LaunchPlan, how_to_add: HowToAdd) -> tuple[Process, ...]:
    """Return the processes of *plan*, one of them the default if that is clear."""
    given = [
        Process(each.type, argv(each.command), working_dir=_working_dir(app))
        for each in plan.given
    ]
    types = {process.type for process in given}
    written = [
        replace(process, default=False)
        for process in (plan.procfile.processes if plan.procfile else ())
        if process.type not in types
    ]
    from_code = [
        Process(each.type, argv(each.command), working_dir=_working_dir(app, each.directory))
        for each in plan.discovered
    ]
    processes = [*given, *written, *from_code]
    if plan.lacks_web:
        processes.insert(0, _explaining(plan, how_to_add))
    default = _default(plan, processes)
    return tuple(replace(each, default=each.type == default) for each in processes)


def _default(plan: LaunchPlan, processes: Iterable[Process]) -> str:
    """Return the type of the default process, empty if none is the obvious one.

    The author's own processes come first: a Procfile with a single one makes that the default.
    """
    own = [each.type for each in plan.given] + [entry.type for entry in plan.entries]
    types = [process.type for process in processes]
    if chosen := procfile.default_type(dict.fromkeys(own)):
        return chosen
    if WEB in types:
        return WEB
    if own or WEB in plan.earlier:
        return ""
    return next((each for each in types if each not in {CONSOLE, RELEASE}), "")


def _explaining(plan: LaunchPlan, how_to_add: HowToAdd) -> Process:
    """Return a process `web` that prints what is missing, and exits with an error."""
    message = launch_report.missing_web(plan, how_to_add)
    lines = " ".join(shlex.quote(line) for line in (f"{message.title}.", *message.body))
    script = f"printf '%s\\n' {lines} >&2; exit {_EXIT_CODE}"
    return Process(WEB, in_shell(script))


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


def _working_dir(app: App, below: str = "") -> str:
    """Return the absolute path of *below* in the app's directory; empty for the default."""
    # Absolute, since the specification does not define the launcher's working directory.
    return str(app.directory / below) if below or app.inside else ""


def under_init(plan: LaunchPlan, init: Path) -> tuple[Process, ...]:
    """Return the processes of *plan*; *init* starts those that SIGTERM would not end.

    *init* is the absolute path of the program in the image.
    """
    # A console reads from the terminal, which only processes of its foreground group may do.
    needing = {
        kind for kind, _, launch in _commands(plan) if launch.needs_init and kind != CONSOLE
    }
    return tuple(
        replace(process, command=(str(init), *process.command))
        if process.type in needing
        else process
        for process in plan.processes
    )


def single_worker_types(plan: LaunchPlan, app: App, installed: Collection[str]) -> tuple[str, ...]:
    """Return the types of the processes that may fail to start if WEB_CONCURRENCY is above 1.

    A Python program may call `uvicorn.run(app)` with an object, and uvicorn exits at once if it is
    to start several workers then: https://github.com/encode/uvicorn/blob/main/uvicorn/main.py
    *installed* has the normalized names of the app's packages. Raises what reading
    `pyproject.toml` raises.
    """
    if _UVICORN not in installed:
        return ()
    own = own_programs(app)
    return tuple(
        kind
        for kind, command, launch in _commands(plan)
        if kind not in {CONSOLE, RELEASE}
        and _may_fail(kind, command, launch.program, own, installed)
    )


def _commands(plan: LaunchPlan) -> Iterator[tuple[str, str, CommandLine]]:
    """Yield type, command as written, and how it is executed, of each process of *plan*."""
    types = {given.type for given in plan.given}
    for given in plan.given:
        yield given.type, given.command, parse_command(given.command)
    for entry in plan.entries:
        if entry.type not in types:
            yield entry.type, entry.command, entry.launch
    for process in plan.discovered:
        yield process.type, process.command, parse_command(process.command)


def _may_fail(
    kind: str,
    command: str,
    program: str,
    own: frozenset[str],
    installed: Collection[str],
) -> bool:
    if _SERVER.search(command) or _VARIABLE in command:
        return False
    return (
        _PYTHON.search(command) is not None
        or not own.isdisjoint(_words_of_programs(command))
        # A distribution often has the name of the program that it installs.
        or (kind == WEB and normalized_name(program.rpartition("/")[2]) in installed)
    )


def _words_of_programs(command: str) -> Iterator[str]:
    """Yield the words that may be a program: `shop` of `ddtrace-run shop`, not of `-A shop`."""
    previous = ""
    for word in _WORD.findall(command):
        if not previous.startswith("-"):
            yield word.rpartition("/")[2]
        previous = word


def own_programs(app: App) -> frozenset[str]:
    """Return the names of the programs that the app installs itself.

    https://packaging.python.org/en/latest/specifications/pyproject-toml/#entry-points
    """
    document = toml_of(app, _PYPROJECT)
    poetry = toml.table_at(toml.table_at(document, "tool"), "poetry")
    tables = (toml.table_at(document, "project"), poetry)
    return frozenset(name for table in tables for name in toml.table_at(table, "scripts"))
