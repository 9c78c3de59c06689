"""Has the server of the process `web` start the app again when its code changes.

For images for development. Only what is found in the code changes: a command that the app's
author names stays as it is. Separate from `launch/web_process`, which chooses the server.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from cnb_python.launch.launch_plan import FoundProcess
from cnb_python.launch.procfile import WEB

_RUNSERVER = "python manage.py runserver "
_NO_RELOAD = "--noreload "


@dataclass(frozen=True, slots=True)
class _Reloader:
    """How a server watches the app's code."""

    option: str
    needs: str = ""
    """The distribution that it needs for this; empty: none."""
    is_last: bool = False
    """The option is one of the last word of its command, and not of the program."""


# By the program. Each is an option of its documentation; the others have no reloader.
_RELOADERS = {
    "uvicorn": _Reloader("--reload"),
    "gunicorn": _Reloader("--reload"),
    "hypercorn": _Reloader("--reload"),
    "granian": _Reloader("--reload", needs="watchfiles"),
    "uwsgi": _Reloader("--py-autoreload 1"),
    "flask": _Reloader("--debug", is_last=True),
}
_WITHOUT = frozenset({"waitress-serve", "daphne", "sanic"})


def reloading(process: FoundProcess, installed: Mapping[str, str]) -> FoundProcess:
    """Return *process* with the reloader of its server, or a line on why it has none.

    *installed* maps the normalized names of the installed distributions to versions. Processes
    that are not `web` stay as they are.
    """
    if process.type != WEB:
        return process
    if process.command.startswith(_RUNSERVER):
        command = process.command.replace(_NO_RELOAD, "", 1)
        return _with(process, command, "runserver")
    program, _, arguments = process.command.partition(" ")
    if program in _WITHOUT:
        return _noting(process, f"{program} has no reloader: restart it when the code changes")
    reloader = _RELOADERS.get(program)
    if reloader is None:
        return process
    if reloader.needs and reloader.needs not in installed:
        return _noting(process, f"{program} reloads only with {reloader.needs}, which is missing")
    words = (program, arguments, reloader.option)
    if not reloader.is_last:
        words = (program, reloader.option, arguments)
    return _with(process, " ".join(words), reloader.option)


def _with(process: FoundProcess, command: str, by: str) -> FoundProcess:
    noted = _noting(process, f"Starting the app again when its code changes ({by})")
    # It is a development server on purpose.
    return replace(noted, command=command, development="")


def _noting(process: FoundProcess, line: str) -> FoundProcess:
    return replace(process, lines=(*process.lines, line))
