"""The origin of a request for a Python (file, line, field), and how documents are read for it."""

import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from cnb_python.app import App
from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable
from cnb_python.errors.inputs import UnreadableJson
from cnb_python.errors.locks import UnexpectedType
from cnb_python.system import json_text
from cnb_python.system.json_text import InvalidJson, JsonValue

_HEADER = re.compile(r"\s*+\[(?P<table>[^\[\]]++)\]\s*+(?:#.*)?")
_QUOTES = str.maketrans("", "", "\"' \t")


@lru_cache(maxsize=8)
def _toml(text: str, path: Path) -> TomlTable:
    # The requests, the ranges of the manager and the unused requests are read from the same files.
    return toml.parse(text, path)


def toml_of(app: App, name: str) -> TomlTable:
    """Return the TOML document in the app's file *name*; empty if the file is missing.

    It is shared, and must not be changed. Raises UnreadableToml besides what `App.text` raises.
    """
    text = app.text(name)
    return {} if text is None else _toml(text, app.directory / name)


def json_of(app: App, name: str) -> JsonValue:
    """Return the JSON document in the app's file *name*; None if it is missing.

    Raises UnreadableJson besides what `App.text` raises.
    """
    text = app.text(name)
    try:
        return None if text is None else json_text.parse_file(text)
    except InvalidJson as error:
        raise UnreadableJson(app.shown(name), error.line, error.reason) from error


def toml_line(text: str, table: str, key: str) -> int | None:
    """Return the line (from 1) that sets *key* in *table*, such as `tool.poetry.dependencies`.

    None if the form is not recognised, such as an inline table.
    """
    current = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.fullmatch(line):
            current = header["table"].translate(_QUOTES)
        name = line.partition("=")[0].translate(_QUOTES)
        if "=" in line and _dotted(current, name) == _dotted(table, key):
            return number
    return None


def _dotted(*parts: str) -> str:
    return ".".join(filter(None, parts))


def json_line(text: str, key: str) -> int | None:
    """Return the line (from 1) that holds *key*, None if no line does."""
    match = re.search(rf'"{re.escape(key)}"\s*:', text)
    return text.count("\n", 0, match.start()) + 1 if match else None


class Origin(NamedTuple):
    """The file and line, or the setting, that a request comes from; shown in messages."""

    name: str
    """A file, `.python-version`, or words: `the setting BP_PYTHON_VERSION`."""
    line: int | None = None
    """In the file, from 1."""
    field: str = ""
    """The key in a file with several: `requires-python`."""

    def __str__(self) -> str:
        source = self.name if self.line is None else f"{self.name}, line {self.line}"
        return f"{self.field} in {source}" if self.field else source


def visible(text: str) -> str:
    r"""Return *text* with escapes for characters that are not printable ASCII.

    >>> visible("3.14\u200b")
    '3.14\\u200b'
    """
    return "".join(
        character
        if character.isprintable() and character.isascii()
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def not_text(value: object, origin: Origin, key: str, example: str) -> UnexpectedType:
    """Return the error about a *value* of TOML that must be text, as in *example*."""
    # Not the value in quotes: TOML reads 3.10 as 3.1.
    shown = visible(str(value))
    return UnexpectedType(
        origin.name, key, origin.line, shown, f"text in quotes, such as {example}"
    )
