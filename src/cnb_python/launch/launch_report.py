"""What the log prints about the processes of the image: each with its reason, and warnings.

Separate from `processes`, which decides.
"""

from collections.abc import Iterator

from cnb_python.app import App
from cnb_python.errors.base import Message
from cnb_python.launch import listening, unstartable
from cnb_python.launch.exec_env.tests import missing_test
from cnb_python.launch.launch_plan import (
    CONSOLE,
    Evidence,
    FoundProcess,
    HowToAdd,
    LaunchPlan,
)
from cnb_python.launch.named_processes import NamedProcess
from cnb_python.launch.procfile import WEB
from cnb_python.launch.unstartable import Programs
from cnb_python.launch.web_process import command_to_add, server_to_add

_DEFAULT = "  (default)"
ALSO_FOUND = "Also found: {}. To run another app, name it in a Procfile."
_OTHERWISE = (
    "To change a process, name it in a Procfile (`{type}: command`) or in "
    "[tool.cnb-python.processes]"
)


def reasons(plan: LaunchPlan) -> tuple[str, ...]:
    """Return log lines with the processes of *plan* and why it has them."""
    return tuple(_lines(plan))


def _lines(plan: LaunchPlan) -> Iterator[str]:
    defaults = {process.type for process in plan.processes if process.default}
    for given in plan.given:
        yield f"{given.type}: {given.command}{_mark(given.type, defaults)}"
        yield f"  From {given.origin}"
    for given in plan.left_out:
        yield f"{given.type}: left out"
        yield f"  From {given.origin}"
    for entry in plan.entries:
        yield f"{entry.type}: {entry.command}{_mark(entry.type, defaults)}"
    for process in plan.discovered:
        yield f"{process.type}: {process.title or process.command}{_mark(process.type, defaults)}"
        yield from _reasons(process, plan)
    if plan.discovered and not plan.named and not plan.lacks_web:
        first = plan.discovered[0]
        yield _OTHERWISE.format(type=first.type)


def _mark(kind: str, defaults: set[str]) -> str:
    return _DEFAULT if kind in defaults else ""


def _reasons(process: FoundProcess, plan: LaunchPlan) -> Iterator[str]:
    if process.evidence.file:
        yield f"  Found {process.evidence}"
    yield from (f"  {line}" for line in process.lines)
    if process.directory:
        yield f"  Running in {process.directory}/"
    if process.type == WEB and (alternatives := also_found(plan)):
        names = (f"{each.file} ({each.subject})" for each in alternatives)
        yield f"  {ALSO_FOUND.format(', '.join(names))}"


def also_found(plan: LaunchPlan) -> tuple[Evidence, ...]:
    """Return the other apps that `web` could run, if it was found in the code."""
    is_found = any(process.type == WEB for process in plan.discovered)
    return plan.also_found if is_found else ()


def warnings(plan: LaunchPlan, how_to_add: HowToAdd) -> tuple[Message, ...]:
    """Return warnings about what the user should change, although the build succeeds."""
    return tuple(_warnings(plan, how_to_add))


def _warnings(plan: LaunchPlan, how_to_add: HowToAdd) -> Iterator[Message]:
    yield from (_misnamed(name) for name in plan.misnamed)
    yield from (_missing(process, name, how_to_add) for process, name in plan.missing)
    if plan.named and WEB not in plan.earlier and not any(each.default for each in plan.processes):
        yield _no_default(plan)
    for process in plan.discovered:
        yield from process.cautions
        if process.development:
            yield _development(process, how_to_add)
        elif process.fixed_port and process.type == WEB:
            yield _fixed_port(process)
    if plan.lacks_web:
        yield missing_web(plan, how_to_add)
    if plan.lacks_test:
        yield missing_test()


def command_warnings(plan: LaunchPlan, app: App, available: Programs) -> Iterator[Message]:
    """Yield warnings about commands that cannot start, or that no request from outside reaches."""
    yield from unstartable.warnings(plan.named, app.directory, available)
    yield from listening.warnings(plan.named)
    commands = (
        *((each.type, each.command, "") for each in plan.named),
        *((each.type, each.command, each.directory) for each in plan.discovered),
    )
    yield from listening.bind_warnings(commands, app.directory)


def missing_web(plan: LaunchPlan, how_to_add: HowToAdd) -> Message:
    """Return what is missing for a process `web`: the log and the process itself show it."""
    app = plan.unserved
    if app is None:
        return _no_process(plan)
    interface = app.targets[0].interface
    server = server_to_add(app)
    sentence, line = how_to_add(server)
    location = f"Found {app.framework} in {app.file}, line {app.line} ({app.sign})"
    return Message(
        title="The image has no default process: no server for the app is installed",
        body=(
            f"{location}.",
            f"No installed package can serve a {interface} app in production.",
            f"If {server} is installed, the next build starts the app with it. {sentence}",
            f"    {line}",
            "Or name the command that starts the app in a Procfile:",
            f"    web: {command_to_add(app)}",
        ),
    )


def _no_process(plan: LaunchPlan) -> Message:
    procfile = "The Procfile names no process" if plan.has_procfile else "There is no Procfile"
    return Message(
        title="The image has no default process",
        body=(
            f"{procfile}, and no app, worker or program was found in the code.",
            "The image runs commands that you pass to it, but starts nothing by itself.",
            "To add a process, write these two lines to pyproject.toml:",
            "    [tool.cnb-python.processes]",
            '    web = "gunicorn app:app"',
            "or a Procfile at the top of the app, such as:",
            "    web: gunicorn --bind 0.0.0.0:$PORT app:app",
            "or, for an app that serves nothing:",
            "    worker: python main.py",
        ),
    )


def _development(process: FoundProcess, how_to_add: HowToAdd) -> Message:
    server = process.development
    sentence, line = how_to_add(server)
    return Message(
        title=f"web runs the development server of {process.evidence.subject}",
        body=(
            "It is slow, and not made for requests from the internet.",
            f"With {server}, the next build starts the app with it. {sentence}",
            f"    {line}",
        ),
    )


def _fixed_port(process: FoundProcess) -> Message:
    return Message(
        title=f"{process.evidence.file} does not read the variable PORT",
        body=(
            f"web starts it with `{process.command}`. Platforms set the port in PORT, but the",
            "program listens on a port of its own, perhaps on 127.0.0.1 only. Change it:",
            "    host = os.environ.get('HOST', '0.0.0.0')",
            "    port = int(os.environ.get('PORT', '8000'))",
        ),
    )


def _no_default(plan: LaunchPlan) -> Message:
    types = ", ".join(process.type for process in plan.processes if process.type != CONSOLE)
    return Message(
        title="The image has no default process",
        body=(
            f"It has the processes {types}, but not web.",
            "To start the image, you have to choose a process (`--entrypoint`).",
            "To make one the default, name it web.",
        ),
    )


def _missing(process: NamedProcess, distribution: str, how_to_add: HowToAdd) -> Message:
    sentence, line = how_to_add(distribution)
    return Message(
        title=f"{distribution} is not installed",
        body=(
            f"{process.type} starts with it: see {process.origin}.",
            sentence,
            f"    {line}",
        ),
    )


def _misnamed(name: str) -> Message:
    return Message(
        title=f"{name} is not read",
        body=(f"If it names the app's processes, rename it: git mv {name} Procfile",),
    )
