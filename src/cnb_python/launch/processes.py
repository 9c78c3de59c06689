"""Decides which processes the image has: those of settings, the Procfile, and the app's code.

Separate from `build`, which has one line for each step.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path, PurePath
from types import MappingProxyType

from cnb_python.app import App
from cnb_python.cnb.context import DEVELOPMENT, PRODUCTION, TEST
from cnb_python.cnb.documents import Process
from cnb_python.errors.base import Message
from cnb_python.launch import launch_report, procfile
from cnb_python.launch.exec_env.reloading import prefer_reloader, reloading, with_reloader
from cnb_python.launch.exec_env.tests import find_test, missing_test
from cnb_python.launch.found_processes import find_processes
from cnb_python.launch.launch_plan import (
    CONSOLE,
    HEALTH,
    RELEASE,
    TEST_PROCESS,
    FoundProcess,
    HowToAdd,
    LaunchPlan,
)
from cnb_python.launch.named_processes import NamedProcess, counting, in_procfile
from cnb_python.launch.procfile import WEB
from cnb_python.launch.servers import PROGRAMS, argv

_MANAGE = "manage.py"
# EX_CONFIG of sysexits.h: the configuration is incomplete.
_EXIT_CODE = 78


def in_the_packages(package: str) -> tuple[str, str]:
    """Return how to add *package* to an app of any package manager."""
    return "Add it to the app's packages:", package


def plan_launch(
    app: App,
    installed: Mapping[str, str],
    given: Mapping[str, NamedProcess] = MappingProxyType({}),
    how_to_add: HowToAdd = in_the_packages,
    earlier: frozenset[str] = frozenset(),
    exec_env: str = PRODUCTION,
) -> LaunchPlan:
    """Return the processes of the image, and why it has them.

    *installed* maps the normalized names of the installed distributions to versions; *given* has
    the processes that settings name, by their type; *earlier* has the types of those that earlier
    buildpacks have written. *exec_env* is what the image is for. Each type comes from a setting,
    else from the Procfile, else from the code. Raises `BadProcfile`, and what `App.text` raises.
    """
    entries = in_procfile(app)
    named = counting(given, entries or ())
    types = {*given, *(each.type for each in named)}
    discovered = find_processes(app, installed)
    candidates = _for_exec_env(app, discovered.processes, installed, exec_env)
    plan = LaunchPlan(
        processes=(),
        given=tuple(each for each in named if each.type in given),
        entries=tuple(each for each in named if each.type not in given),
        left_out=tuple(each for each in given.values() if each.is_left_out),
        discovered=_unnamed(candidates, named, types, earlier),
        also_found=() if WEB in types else discovered.also_found,
        unserved=None if WEB in types else discovered.unserved,
        missing=_missing(named, installed),
        misnamed=() if entries else procfile.misnamed(app.names),
        has_procfile=entries is not None,
        directory=app.inside,
        earlier=earlier,
        exec_env=exec_env,
    )
    return replace(plan, processes=_processes(app, plan, how_to_add))


def _for_exec_env(
    app: App,
    processes: tuple[FoundProcess, ...],
    installed: Mapping[str, str],
    exec_env: str,
) -> tuple[FoundProcess, ...]:
    """Return *processes* as the execution environment *exec_env* has them."""
    if exec_env == TEST:
        test = find_test(app, installed)
        return (*((test,) if test else ()), *processes)
    if exec_env == DEVELOPMENT:
        candidates = {
            each.type: each for each in find_processes(app, with_reloader(installed)).processes
        }
        return tuple(
            reloading(prefer_reloader(process, candidates), installed, app.directory)
            for process in processes
        )
    return processes


def _unnamed(
    processes: Iterable[FoundProcess],
    named: tuple[NamedProcess, ...],
    types: Collection[str],
    earlier: frozenset[str],
) -> tuple[FoundProcess, ...]:
    """Return those of the found *processes* that neither an author nor a buildpack names.

    *types* has also those of processes that the author leaves out.
    """
    commands = [each.command for each in named]
    return tuple(
        each
        for each in processes
        if each.type not in types
        and not _is_named(each, commands)
        and not _is_of_another(each, earlier)
    )


def _missing(
    named: Iterable[NamedProcess], installed: Mapping[str, str]
) -> tuple[tuple[NamedProcess, str], ...]:
    """Return the processes that start a program which is not installed, with its distribution."""
    return tuple(
        (each, PROGRAMS[each.launch.program])
        for each in named
        if PROGRAMS.get(each.launch.program, "") not in {"", *installed}
    )


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
    named = [
        Process(each.type, each.launch.argv, working_dir=_working_dir(app)) for each in plan.named
    ]
    from_code = [
        Process(each.type, argv(each.command), working_dir=_working_dir(app, each.directory))
        for each in plan.discovered
    ]
    processes = [*named, *from_code]
    if plan.lacks_web:
        missing = launch_report.missing_web(plan, how_to_add)
        processes.insert(0, Process(WEB, _explaining(missing)))
    if plan.lacks_test:
        processes.insert(0, Process(TEST_PROCESS, _explaining(missing_test())))
    default = _default(plan, processes)
    return tuple(replace(each, default=each.type == default) for each in processes)


def _default(plan: LaunchPlan, processes: Iterable[Process]) -> str:
    """Return the type of the default process, empty if none is the obvious one.

    The author's own processes come first: a Procfile with a single one makes that the default.
    """
    own = [each.type for each in plan.named]
    types = [process.type for process in processes]
    if plan.exec_env == TEST and TEST_PROCESS in types:
        return TEST_PROCESS
    if chosen := procfile.default_type(own):
        return chosen
    if WEB in types:
        return WEB
    if own or WEB in plan.earlier:
        return ""
    return next((each for each in types if each not in {CONSOLE, RELEASE}), "")


def _explaining(message: Message) -> tuple[str, ...]:
    """Return a command that prints *message*, and exits with an error."""
    text = "\n".join((f"{message.title}.", *message.body, ""))
    # With Python, since the run image may have no shell.
    script = f"import sys; sys.stderr.write({text!r}); sys.exit({_EXIT_CODE})"
    return ("python", "-I", "-c", script)


def _working_dir(app: App, below: str = "") -> str:
    """Return the absolute path of *below* in the app's directory; empty for the default."""
    # Absolute, since the specification does not define the launcher's working directory.
    return str(app.directory / below) if below or app.inside else ""


def health_lines(processes: tuple[Process, ...], path: str, program: Path) -> tuple[str, ...]:
    """Return log lines about the health check at *path* that `with_health` adds, if it does."""
    added = with_health(processes, program)[len(processes) :]
    return tuple(f"{each.type}: GET {path}, by {program}" for each in added)


def with_health(processes: tuple[Process, ...], program: Path) -> tuple[Process, ...]:
    """Return *processes* and the one that runs *program*, the health check of the image.

    An author's own process of that type stays as it is.
    """
    if any(process.type == HEALTH for process in processes):
        return processes
    return (*processes, Process(HEALTH, (str(program),)))


def in_image(plan: LaunchPlan, init: Path, shells: Path) -> tuple[Process, ...]:
    """Return the processes of *plan*; *init* starts those that SIGTERM would not end.

    *init* is the absolute path of the program in the image, *shells* that of the directory with
    the programs `sh` and `bash`, which start simple commands also where the image has no shell.
    """
    # A console reads from the terminal, which only processes of its foreground group may do.
    needing = {
        kind for kind, _, launch in plan.commands() if launch.needs_init and kind != CONSOLE
    }
    return tuple(
        replace(
            process,
            command=(
                *([str(init)] if process.type in needing else []),
                *_with_shells(process.command, shells),
            ),
        )
        for process in plan.processes
    )


def _with_shells(command: tuple[str, ...], shells: Path) -> tuple[str, ...]:
    """Return *command*; if it is a script for a shell, with the one in *shells*."""
    if command[0] in procfile.SHELLS and command[1:2] == ("-c",):
        return (str(shells / PurePath(command[0]).name), *command[1:])
    return command
