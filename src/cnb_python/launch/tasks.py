"""The tasks that package managers run by name: `pdm run serve`, `pipenv run serve`.

Separate from `unstartable`, which only needs them for a command that cannot start.
"""

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable, TomlValue
from cnb_python.errors.inputs import UnreadableToml

_PYPROJECT, _PIPFILE = "pyproject.toml", "Pipfile"


def command_of(manager: str, name: str, directory: Path) -> str:
    """Return the command of the task *name* of *manager* in the app's *directory*.

    Empty if there is no such task, or if it is not one command.
    """
    if manager not in _TASKS:
        return ""
    file, tasks = _TASKS[manager]
    try:
        document = toml.read(directory / file)
    except UnreadableToml, OSError:
        return ""  # what needs it reports it
    return _command(tasks(document, name))


def _command(value: TomlValue | None) -> str:
    if isinstance(value, dict):
        value = value.get("cmd") or value.get("shell")
    if isinstance(value, list):
        words = [word for word in value if isinstance(word, str)]
        # Of hatch, a list has commands; of the others, words.
        value = words[0] if len(words) == 1 else shlex.join(words)
    return value.strip() if isinstance(value, str) and "\n" not in value.strip() else ""


def _of_pipenv(document: TomlTable, name: str) -> TomlValue | None:
    """https://pipenv.pypa.io/en/latest/scripts.html."""
    return toml.table_at(document, "scripts").get(name)


def _of_pdm(document: TomlTable, name: str) -> TomlValue | None:
    """https://pdm-project.org/latest/usage/scripts/."""
    return toml.table_at(_tool(document, "pdm"), "scripts").get(name)


def _of_rye(document: TomlTable, name: str) -> TomlValue | None:
    """https://rye.astral.sh/guide/pyproject/#toolryescripts."""
    return toml.table_at(_tool(document, "rye"), "scripts").get(name)


def _of_hatch(document: TomlTable, name: str) -> TomlValue | None:
    """https://hatch.pypa.io/latest/config/environment/overview/#scripts."""
    environment, _, script = name.rpartition(":")
    environments = toml.table_at(_tool(document, "hatch"), "envs")
    own = toml.table_at(environments, environment or "default")
    value = toml.table_at(own, "scripts").get(script)
    return value if not isinstance(value, list) or len(value) == 1 else None


def _tool(document: TomlTable, name: str) -> TomlTable:
    return toml.table_at(toml.table_at(document, "tool"), name)


_TASKS: Mapping[str, tuple[str, Callable[[TomlTable, str], TomlValue | None]]] = {
    "pipenv": (_PIPFILE, _of_pipenv),
    "pdm": (_PYPROJECT, _of_pdm),
    "rye": (_PYPROJECT, _of_rye),
    "hatch": (_PYPROJECT, _of_hatch),
}
MANAGERS = _TASKS.keys()
