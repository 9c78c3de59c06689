"""Which processes can be told by WEB_CONCURRENCY to start several workers."""

import re
from collections.abc import Collection, Iterator

from cnb_python.app import Project
from cnb_python.cnb import toml
from cnb_python.launch.processes import Decision, FromProcfile
from cnb_python.launch.procfile import WEB, Entry
from cnb_python.managers.pip.requirements_txt import normalised
from cnb_python.python.line_numbers import toml_of

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


def single(decision: Decision, project: Project, installed: Collection[str]) -> tuple[str, ...]:
    """Return the types of the processes that a number above 1 may keep from starting.

    A Python program may serve an object, `uvicorn.run(app)`, and uvicorn ends at once when it
    finds WEB_CONCURRENCY above 1 then: https://github.com/encode/uvicorn/blob/main/uvicorn/main.py
    *installed* has the normalised names of the app's packages. Raises what reading
    `pyproject.toml` raises.
    """
    if not isinstance(decision, FromProcfile) or _UVICORN not in installed:
        return ()  # commands of ours, with servers that we know; or nothing that would mind
    own = _scripts(project)
    return tuple(one.type for one in decision.entries if _may_mind(one, own, installed))


def _may_mind(entry: Entry, own: frozenset[str], installed: Collection[str]) -> bool:
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


def _distribution(entry: Entry) -> str:
    """Return the name of the distribution that *entry*'s program probably comes from."""
    return normalised(entry.launch.program.rpartition("/")[2])


def _scripts(project: Project) -> frozenset[str]:
    """Return the names of the programs that the app itself installs.

    https://packaging.python.org/en/latest/specifications/pyproject-toml/#entry-points
    """
    document = toml_of(project, _PYPROJECT)
    poetry = toml.table_at(toml.table_at(document, "tool"), "poetry")
    tables = (toml.table_at(document, "project"), poetry)
    return frozenset(name for table in tables for name in toml.table_at(table, "scripts"))
