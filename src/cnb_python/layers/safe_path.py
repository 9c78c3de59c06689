"""Finds the processes that start with PYTHONSAFEPATH=1 if the setting `safe_path` is on.

Python then adds neither the current directory nor that of a script to `sys.path`, so that no file
there replaces a module of the standard library or of a package. Servers add the app's directory
themselves; `python main.py` and `python -m shop` do not find the app's modules any more.
https://docs.python.org/3/using/cmdline.html#envvar-PYTHONSAFEPATH

Separate from `process_defaults`, which writes the layer with the variable.
"""

import re
import shlex
from collections.abc import Collection, Iterator
from typing import NamedTuple

from cnb_python.app import App
from cnb_python.cnb import toml
from cnb_python.errors.base import Message
from cnb_python.launch.launch_plan import CONSOLE, LaunchPlan
from cnb_python.launch.procfile import without_comment
from cnb_python.launch.single_worker import own_programs
from cnb_python.managers.requirement_lines import normalized_name
from cnb_python.python.origin import toml_of

VARIABLE = "PYTHONSAFEPATH"
# Programs that add the current directory, or that of the app they are given, to `sys.path`. Each
# was started with the variable; a test starts those of the sample apps.
_PROGRAMS = frozenset(
    {"gunicorn", "uvicorn", "hypercorn", "granian", "waitress-serve", "daphne", "flask", "quart"}
    | {"fastapi", "sanic", "streamlit"}
    | {"celery", "dramatiq", "huey_consumer", "arq", "taskiq", "rq"}
)
# Those that do so as `python -m` too.
_MODULES = frozenset({"gunicorn", "uvicorn", "flask"})
# Parts of the shell that run no Python.
_BUILT_IN = frozenset({"cd", "echo", "export", "set", "sleep", "true", ":"})
_PREFIXES = frozenset({"exec", "env"})
_ASSIGNMENT = re.compile(r"\w+=.*", re.DOTALL)
_PYTHON = re.compile(r"python[\d.]*")
_OPERATOR = re.compile(r"[;&|()]+")
_REDIRECTION = re.compile(r"[&|]*[<>][<>&|]*")


class SafeTypes(NamedTuple):
    """The types of processes, by whether their commands find the app's modules."""

    safe: frozenset[str]
    other: tuple[tuple[str, str], ...]
    """With their commands, in the order of the plan."""


def safe_types(plan: LaunchPlan, app: App, installed: Collection[str]) -> SafeTypes:
    """Return the types of *plan* whose commands work with PYTHONSAFEPATH=1, and the others.

    *installed* has the normalized names of distributions. Raises what reading `pyproject.toml`
    raises.
    """
    name = toml.table_at(toml_of(app, "pyproject.toml"), "project").get("name")
    is_installed = isinstance(name, str) and normalized_name(name) in installed
    own = {normalized_name(str(name)), *own_programs(app)} if is_installed else set()
    commands = {kind: command for kind, command, _ in plan.commands()}
    safe = frozenset(kind for kind, command in commands.items() if works(command, own))
    other = (pair for pair in commands.items() if pair[0] not in safe and pair[0] != CONSOLE)
    return SafeTypes(safe, tuple(other))


def works(command: str, own: Collection[str] = ()) -> bool:
    """Return whether everything that *command* runs finds the app's modules.

    False for what is unknown, such as a shell script. *own* has the programs and the name of the
    app's project if it is installed.

    >>> works("gunicorn 'shop:create_app()' --bind :$PORT")
    True
    >>> works("python manage.py migrate && gunicorn shop.wsgi")
    False
    """
    if "`" in command:
        return False
    try:
        parts = list(_parts(without_comment(command)))
    except ValueError:  # an open quote
        return False
    return any(parts) and all(_part_works(words, own) for words in parts if words)


def _part_works(words: list[str], own: Collection[str]) -> bool:
    program = words[0].rpartition("/")[2]
    if program in _PROGRAMS or program in _BUILT_IN or program in own:
        return True
    if not _PYTHON.fullmatch(program) or words[1:2] != ["-m"] or len(words) == 2:
        return False
    module = words[2].partition(".")[0]
    return module in _MODULES or normalized_name(module) in own


def _parts(command: str) -> Iterator[list[str]]:
    """Yield the words of each command of a command line, without `exec` and assignments."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.commenters = ""
    lexer.whitespace_split = True
    words: list[str] = []
    is_target = False
    for token in lexer:
        if _REDIRECTION.fullmatch(token):
            is_target = True
        elif is_target:
            is_target = False
        elif _OPERATOR.fullmatch(token):
            yield words
            words = []
        elif words or not (token in _PREFIXES or _ASSIGNMENT.fullmatch(token)):
            words.append(token)
    yield words


def warning(types: SafeTypes) -> Message | None:
    """Return a warning about the processes that start without the variable."""
    if not types.other:
        return None
    return Message(
        title=f"{VARIABLE} is not set for {', '.join(kind for kind, _ in types.other)}",
        body=(
            *(f"    {kind}: {command}" for kind, command in types.other),
            "With it, Python may not find the app's modules. It finds them for servers such as",
            "gunicorn, and for programs of a project that is installed ([build-system] and",
            "[project.scripts] in pyproject.toml).",
        ),
    )
