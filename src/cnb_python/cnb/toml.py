"""TOML in and out: the only door to tomli and tomli-w."""

import codecs
import os
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path

import tomli

from cnb_python.cnb import disk
from cnb_python.errors.inputs import UnreadableToml

type TomlValue = (
    str | int | float | bool | date | time | datetime | list[TomlValue] | dict[str, TomlValue]
)
type TomlTable = dict[str, TomlValue]
"""What reading gives."""

type Writable = (
    str | int | float | bool | date | time | datetime | Sequence[Writable] | Mapping[str, Writable]
)
"""What can be written: also tuples and mappings that are not dicts."""


def read(path: Path) -> TomlTable:
    """Return the document at *path*.

    Raises UnreadableToml, also when there is no such file.
    """
    try:
        if path.is_fifo() or (path.is_char_device() and path != Path(os.devnull)):
            # Reading a pipe would wait for ever, and some devices never end.
            raise UnreadableToml(path, "it is no file")
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableToml(path, error.strerror or str(error)) from error
    return parse(decoded(content, path), path)


def decoded(content: bytes, path: Path) -> str:
    """Return the text that *content*, of the file at *path*, is, without a byte order mark.

    Raises UnreadableToml with the line that is not UTF-8.
    """
    try:
        # Some editors write a mark that nobody sees, and uv passes over it too.
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            reason = "it is UTF-16 text, as PowerShell's > writes; TOML has to be UTF-8"
        else:
            line = content.count(b"\n", 0, error.start) + 1
            reason = f"line {line} is not UTF-8 text"
        raise UnreadableToml(path, reason) from error


def parse(text: str, path: Path) -> TomlTable:
    """Return the document that *text*, the content of *path*, is.

    Raises UnreadableToml with the line and column of the mistake.
    """
    try:
        document: TomlTable = tomli.loads(text)
    # ValueError: also numbers of thousands of digits. RecursionError: arrays in arrays in ...
    except (ValueError, RecursionError) as error:
        raise UnreadableToml(path, str(error)) from error
    return document


def write(path: Path, table: Mapping[str, Writable]) -> None:
    """Put *table* at *path*, complete or not at all, readable by everyone.

    Raises OSError, and TypeError for what TOML cannot hold (None).
    """
    disk.write(path, rendered(table).encode("utf-8"))


def rendered(table: Mapping[str, Writable]) -> str:
    """Return *table* as TOML. Raises TypeError for what it cannot hold (None)."""
    # Detection writes at most a few lines of build plan, and only for a Python app.
    import tomli_w  # noqa: PLC0415 - detect must start fast

    return tomli_w.dumps(table)


def table_at(table: Mapping[str, TomlValue], key: str) -> TomlTable:
    """Return the table that *key* holds; empty when it holds none."""
    value = table.get(key)
    return value if isinstance(value, dict) else {}


def tables_at(table: Mapping[str, TomlValue], key: str) -> tuple[TomlTable, ...]:
    """Return the tables of the array that *key* holds; empty when it holds none."""
    value = table.get(key)
    items = value if isinstance(value, list) else []
    return tuple(item for item in items if isinstance(item, dict))
