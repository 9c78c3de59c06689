"""The setting `commands`: commands of the build, with their inputs and outputs.

Separate from `kinds`, whose settings have values of one line.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable, TomlValue
from cnb_python.errors.inputs import UnreadableToml

_RUN, _INPUTS, _OUTPUTS = KEYS = ("run", "inputs", "outputs")
# It is part of the key of an archive in the store, and printed.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\\]")
_EXAMPLE = 'messages = { run = "python manage.py compilemessages", outputs = ["locale/**/*.mo"] }'


class BuildCommand(NamedTuple):
    """A command that the build runs after the packages are installed."""

    name: str
    run: str
    """For a shell, in the directory of the app."""
    inputs: tuple[str, ...] | None
    """Patterns of paths relative to the app; None: they are unknown."""
    outputs: tuple[str, ...]
    """Patterns of paths relative to the app."""


class Mistake(NamedTuple):
    """A part of a table of commands that is not allowed."""

    path: str
    """As `messages.inputs`; empty: the whole."""
    key: str
    """The last key that stands in the file."""
    text: str
    """As it is written."""
    expected: str


class BuildCommands(NamedTuple):
    """Tables of commands, by their names."""

    in_toml: str = f"tables with {_RUN}, {_INPUTS} and {_OUTPUTS}, such as {_EXAMPLE}"
    in_variable: str = f"such tables in TOML, for example {_EXAMPLE}"

    def from_toml(self, value: TomlValue) -> tuple[BuildCommand, ...] | None:
        """Return the commands in the table *value*, in their order; None if there is a mistake."""
        if not isinstance(value, dict) or any(mistakes(value)):
            return None
        return tuple(_command(name, table) for name, table in value.items())

    def from_text(self, text: str) -> tuple[BuildCommand, ...] | None:
        """Return the commands in *text*, a document of TOML."""
        table = table_of(text)
        return None if table is None else self.from_toml(table)


def table_of(text: str) -> TomlTable | None:
    """Return the table that is the document *text*; None if it is not TOML."""
    try:
        return toml.parse(text, Path("BP_PYTHON_COMMANDS"))
    except UnreadableToml:
        return None


def mistakes(commands: TomlTable) -> Iterator[Mistake]:
    """Yield what is not allowed in *commands*, tables by the names of commands."""
    for name, table in commands.items():
        if not _NAME.fullmatch(name):
            yield Mistake(name, name, f'"{name}"', "a name of letters, digits, - and _")
        elif isinstance(table, dict):
            yield from _in_table(name, table)
        else:
            yield Mistake(name, name, _written(table), f"a table with {', '.join(KEYS)}")


def _in_table(name: str, table: TomlTable) -> Iterator[Mistake]:
    for key in table:
        if key not in KEYS:
            yield Mistake(f"{name}.{key}", key, f"the key {key}", f"one of {', '.join(KEYS)}")
    run = table.get(_RUN)
    if not (isinstance(run, str) and run.strip() and "\0" not in run):
        expected = 'a command in quotes, such as "python manage.py compilemessages"'
        yield Mistake(f"{name}.{_RUN}", _RUN if _RUN in table else name, _written(run), expected)
    for key in (_INPUTS, _OUTPUTS):
        yield from _in_patterns(name, key, table)


def _in_patterns(name: str, key: str, table: TomlTable) -> Iterator[Mistake]:
    value = table.get(key)
    if value is None and key == _INPUTS:
        return
    path, at = f"{name}.{key}", key if key in table else name
    if not isinstance(value, list) or (key == _OUTPUTS and not value):
        expected = 'a list of paths or patterns, such as ["locale/**/*.mo"]'
        yield Mistake(path, at, _written(value), expected)
        return
    for pattern in value:
        if not isinstance(pattern, str) or _normalized(pattern) is None:
            expected = "a path or pattern below the directory of the app, with / between names"
            yield Mistake(path, at, _written(pattern), expected)


def _command(name: str, table: TomlValue) -> BuildCommand:
    """Return the command *name* of a *table* without mistakes."""
    values = table if isinstance(table, dict) else {}
    inputs = _patterns(values[_INPUTS]) if _INPUTS in values else None
    return BuildCommand(name, str(values[_RUN]).strip(), inputs, _patterns(values[_OUTPUTS]))


def _patterns(value: TomlValue) -> tuple[str, ...]:
    items = value if isinstance(value, list) else ()
    return tuple(filter(None, (_normalized(str(item)) for item in items)))


def _normalized(pattern: str) -> str | None:
    """Return *pattern* without needless dots and slashes; None if it may lead out of the app."""
    parts = [part for part in pattern.split("/") if part not in {"", "."}]
    leaves = pattern.startswith("/") or ".." in parts or bool(_CONTROL.search(pattern))
    return None if leaves or not parts else "/".join(parts)


def _written(value: TomlValue | None) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    return "a table" if isinstance(value, dict) else str(value)
