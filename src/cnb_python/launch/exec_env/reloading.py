"""Has the server of the process `web` start the app again when its code changes.

For images for development. Only what is found in the code changes: a command that the app's
author names stays as it is. Separate from `launch/web_process`, which chooses the server.
"""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cnb_python.launch.gunicorn_config import preloading
from cnb_python.launch.launch_plan import FoundProcess
from cnb_python.launch.procfile import WEB
from cnb_python.python.versions import is_at_least

_RUNSERVER = "python manage.py runserver "
_NO_RELOAD = "--noreload "
# Before a program: `FLASK_RUN_FROM_CLI=true gunicorn app:app`.
_VARIABLES = re.compile(r"^(?:[A-Za-z_]\w*=\S*\s+)+")


@dataclass(frozen=True, slots=True)
class _Reloader:
    """How a server watches the app's code."""

    option: str
    is_last: bool = False
    """The option is one of the last word of its command, and not of the program."""
    without: str = ""
    """An option that the reloader does not work with."""
    since: str = ""
    """The first release that has the option; the distribution has the name of the program."""


# By the program. Each is an option of its documentation; the others have no reloader.
_RELOADERS = {
    "uvicorn": _Reloader("--reload"),
    "gunicorn": _Reloader("--reload"),
    "hypercorn": _Reloader("--reload"),
    "granian": _Reloader("--reload"),
    "flask": _Reloader("--debug", is_last=True),
    # Its reloader is a part of the manager that `--single-process` leaves out. With the reloader,
    # the manager ends at SIGTERM.
    "sanic": _Reloader("--reload", is_last=True, without=" --single-process"),
    "shiny": _Reloader("--reload", is_last=True),
    # Without the option, the page only has a button that runs the new code.
    "streamlit": _Reloader("--server.runOnSave true", is_last=True),
    "panel": _Reloader("--dev", is_last=True),
    # Without a file, it watches directories and imported modules, but no script.
    "bokeh": _Reloader("--dev {file}", is_last=True),
    "marimo": _Reloader("--watch", is_last=True, since="0.3.0"),
    "fastmcp": _Reloader("--reload", is_last=True, since="3.0.0"),
}
_WITHOUT = frozenset({"waitress-serve", "daphne", "uwsgi"})
# Distributions of servers that another server replaces in development, if there is one. Not
# daphne: without it, Django's own server has no WebSockets.
# - The reloader of uWSGI misses changes, or stops uWSGI:
#   https://github.com/unbit/uwsgi/issues/2665, https://github.com/unbit/uwsgi/issues/2478
# - gunicorn does not start this worker again: https://github.com/benoitc/gunicorn/issues/2339
_REPLACED = frozenset({"pyuwsgi", "uvicorn-worker", "uwsgi", "waitress"})
# What a server needs for its reloader.
_NEEDS = {"granian": "watchfiles"}


def with_reloader(installed: Mapping[str, str]) -> dict[str, str]:
    """Return the distributions *installed* without the servers that cannot reload.

    The framework's development server, or another installed server, may take their place.
    """
    return {
        name: version
        for name, version in installed.items()
        if name not in _REPLACED and _NEEDS.get(name, name) in installed
    }


def prefer_reloader(process: FoundProcess, candidates: Mapping[str, FoundProcess]) -> FoundProcess:
    """Return the process that runs the app of *process* in development.

    *candidates*: the processes found with the distributions of `with_reloader`, by type.
    """
    replacement = candidates.get(process.type)
    if process.type != WEB or replacement is None or replacement == process:
        return process
    if replacement.evidence != process.evidence:
        return process
    server = process.words[0] if process.words else _program(process)
    # The lines of a development server say that no server for production is installed: wrong here.
    line = f"Not using {server}, which does not start the app again when its code changes"
    lines = replacement.lines if not replacement.development else ()
    return replace(replacement, lines=(line, *lines))


def reloading(process: FoundProcess, installed: Mapping[str, str], app_dir: Path) -> FoundProcess:
    """Return *process* with the reloader of its server, or a line on why it has none.

    *installed* maps the normalized names of the installed distributions to versions. Processes
    that are not `web` stay as they are.
    """
    if process.type != WEB:
        return process
    if process.command.startswith(_RUNSERVER):
        command = process.command.replace(_NO_RELOAD, "", 1)
        return _with(process, command, "runserver")
    if reason := _obstacle(process, installed, app_dir):
        return _noting(process, reason)
    variables, program, arguments = _parts(process)
    reloader = _RELOADERS.get(program)
    if reloader is None or not _has(reloader, installed.get(program, "")):
        return process
    option = reloader.option.replace("{file}", shlex.quote(process.evidence.file))
    if reloader.without:
        arguments = arguments.replace(reloader.without, "")
    words = (program, arguments, option) if reloader.is_last else (program, option, arguments)
    return _with(process, variables + " ".join(words), option)


def _has(reloader: _Reloader, version: str) -> bool:
    """Whether release *version* of a program has *reloader*; an unknown (empty) one has it."""
    return not reloader.since or not version or is_at_least(version, reloader.since)


def _obstacle(process: FoundProcess, installed: Mapping[str, str], app_dir: Path) -> str:
    """Return why the server of *process* cannot start the app again; empty without a reason."""
    program = _program(process)
    if program in _WITHOUT:
        return f"{program} has no reloader: restart it when the code changes"
    needed = _NEEDS.get(program, "")
    if needed and needed not in installed:
        return f"{program} reloads only with {needed}, which is missing"
    if file := preloading(app_dir, process.command, process.directory):
        # https://docs.gunicorn.org/en/stable/settings.html#reload
        return f"{file} sets preload_app, so gunicorn does not load changed code"
    return ""


def _program(process: FoundProcess) -> str:
    return _parts(process)[1]


def _parts(process: FoundProcess) -> tuple[str, str, str]:
    """Return the variables of *process*, which are before the program, that, and its arguments."""
    match = _VARIABLES.match(process.command)
    variables = match[0] if match else ""
    program, _, arguments = process.command.removeprefix(variables).partition(" ")
    return variables, program, arguments


def _with(process: FoundProcess, command: str, by: str) -> FoundProcess:
    noted = _noting(process, f"Starting the app again when its code changes ({by})")
    # It is a development server on purpose.
    return replace(noted, command=command, development="")


def _noting(process: FoundProcess, line: str) -> FoundProcess:
    return replace(process, lines=(*process.lines, line))
