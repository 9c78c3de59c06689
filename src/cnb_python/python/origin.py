"""Who asks for a Python, as every message about it says."""

import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from cnb_python.app import App
from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable
from cnb_python.errors.inputs import UnreadableJson

_HEADER = re.compile(r"\s*\[\s*(?P<table>[^\[\]]+?)\s*\]\s*(?:#.*)?")
_QUOTES = str.maketrans("", "", "\"' \t")

type JsonValue = str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None


@lru_cache(maxsize=8)
def _toml(text: str, path: Path) -> TomlTable:
    # Who asks, who insists and who disagrees are three questions to the same few files.
    return toml.parse(text, path)


def toml_of(app: App, name: str) -> TomlTable:
    """Return the document that the app's file *name* is, to be read only; empty: there is none.

    Raises UnreadableToml besides what `App.text` raises.
    """
    text = app.text(name)
    return {} if text is None else _toml(text, app.directory / name)


def json_of(app: App, name: str) -> JsonValue:
    """Return the document that the app's file *name* is; None where there is none.

    Raises UnreadableJson besides what `App.text` raises.
    """
    import json  # noqa: PLC0415 - most apps have no such file

    text = app.text(name)
    try:
        document: JsonValue = None if text is None else json.loads(text)
    except json.JSONDecodeError as error:
        raise UnreadableJson(app.shown(name), error.lineno, error.msg) from error
    except RecursionError as error:
        raise UnreadableJson(app.shown(name), 1, "it is nested too deeply") from error
    except ValueError as error:
        # A number of thousands of digits, which Python refuses to read.
        raise UnreadableJson(app.shown(name), 1, str(error)) from error
    return document


def toml_line(text: str, table: str, key: str) -> int | None:
    """Return the line (from 1) that sets *key* of *table* (`tool.poetry.dependencies`; or none).

    None where it is written in a form that is not recognised, such as an inline table.
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
    """Return the line (from 1) that holds *key*, None where it is not found."""
    found = re.search(rf'"{re.escape(key)}"\s*:', text)
    return text.count("\n", 0, found.start()) + 1 if found else None


class Origin(NamedTuple):
    """Who asked: every message about a version names it."""

    name: str
    """As the user knows it: `.python-version`, `the setting BP_PYTHON_VERSION`."""
    line: int | None = None
    """Of a file, from 1."""
    field: str = ""
    """Of a file with many: `requires-python`."""

    def __str__(self) -> str:
        place = self.name if self.line is None else f"{self.name}, line {self.line}"
        return f"{self.field} in {place}" if self.field else place


def visible(text: str) -> str:
    r"""Return *text* with what nobody can see spelt out.

    >>> visible("3.14\u200b")
    '3.14\\u200b'
    """
    return "".join(
        character
        if character.isprintable() and character.isascii()
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )
