"""Finds the processes that may start uvicorn themselves, which then has to have one worker.

Separate from `processes`, which decides what the image starts.
"""

import re
from collections.abc import Collection, Iterator

from cnb_python.app import App
from cnb_python.cnb import toml
from cnb_python.launch.launch_plan import CONSOLE, RELEASE, LaunchPlan
from cnb_python.launch.procfile import WEB
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
        for kind, command, launch in plan.commands()
        if kind not in {CONSOLE, RELEASE}
        and _may_fail(kind, command, launch.program, own, installed)
    )


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
