"""Reads and writes TOML, and the metadata of layers; only this module uses tomli and tomli-w."""

import codecs
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import NamedTuple

import tomli

from cnb_python.cnb import disk
from cnb_python.errors.base import ContractBroken
from cnb_python.errors.inputs import UnreadableToml, conflict_line
from cnb_python.system import regular_file

# Real documents have fewer than ten levels.
_DEEPEST = 100
_TOO_DEEP = f"it has more than {_DEEPEST} tables or lists inside each other"
# The parser's time for a key grows with the square of its dots.
_LONG_KEY = re.compile(
    rf"""(?<![\w"'-])(?:["'\w-]++[ \t]*+\.[ \t]*+){{{_DEEPEST + 1}}}""", re.ASCII
)

type Metadata = Mapping[str, str | bool | list[str]]
type TomlValue = (
    str | int | float | bool | date | time | datetime | list[TomlValue] | dict[str, TomlValue]
)
type TomlTable = dict[str, TomlValue]
"""A document, or a table in it, as it is read."""
type Writable = (
    str | int | float | bool | date | time | datetime | Sequence[Writable] | Mapping[str, Writable]
)
"""A value that can be written: also tuples and mappings that are not dicts."""


class Unusable(NamedTuple):
    """Metadata that this buildpack cannot have written."""

    reason: str
    """A phrase that continues "because": `it is not TOML (line 1 ...)`."""


def read_metadata(path: Path) -> Metadata | Unusable:
    """Return the table `metadata` of the TOML file at *path*; empty if the file has no such table.

    Never raises for the content of the file.
    """
    try:
        table = read(path).get("metadata", {})
    except UnreadableToml as error:
        return Unusable(f"{path.name} cannot be read: {error.reason}")
    if not isinstance(table, dict):
        return Unusable(f"{path.name} has another value in place of the table metadata")
    return _typed(table)


def _typed(table: Mapping[str, TomlValue]) -> Metadata | Unusable:
    typed: dict[str, str | bool | list[str]] = {}
    for key, value in table.items():
        match value:
            case str() | bool():
                typed[key] = value
            case list():
                texts = [item for item in value if isinstance(item, str)]
                if len(texts) != len(value):
                    return Unusable(f"its metadata has a list of other values than text: {key}")
                typed[key] = texts
            case _:
                return Unusable(f"its metadata has a value of another type: {key}")
    return typed


def checked(metadata: Mapping[str, object], document: str) -> dict[str, Writable]:
    """Return *metadata*, which is to be written to *document*.

    Raises ContractBroken for values that would not come back unchanged.
    """
    flawed = [key for key, value in metadata.items() if not _survives(key, value)]
    if flawed:
        raise ContractBroken(document, f"metadata that does not survive a build: {flawed}")
    return dict(metadata)  # type: ignore[arg-type]  # every value was just checked


def _survives(key: str, value: object) -> bool:
    match value:
        case bool():
            return _is_text(key)
        case str():
            return _is_text(key) and _is_text(value)
        case list():
            return _is_text(key) and all(
                isinstance(item, str) and _is_text(item) for item in value
            )
        case _:
            return False


def _is_text(text: str) -> bool:
    # A lone surrogate (from a file name that is not UTF-8) cannot be encoded.
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def read(path: Path) -> TomlTable:
    """Return the document at *path*.

    Raises UnreadableToml, also if there is no such file.
    """
    return parse(text_of(path), path)


def text_of(path: Path) -> str:
    """Return the text of the file at *path*, without a byte order mark. Raises UnreadableToml."""
    try:
        content = regular_file.read(path)
    except OSError as error:
        raise UnreadableToml(path, error.strerror or str(error)) from error
    return decoded(content, path)


def decoded(content: bytes, path: Path) -> str:
    """Return *content* of the file at *path* as text, without a byte order mark.

    Raises UnreadableToml with the line that is not UTF-8.
    """
    try:
        # Some editors write this mark, which is invisible; uv ignores it too.
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            reason = "it is UTF-16 text, as PowerShell's > writes; TOML has to be UTF-8"
        else:
            line = content.count(b"\n", 0, error.start) + 1
            reason = f"line {line} is not UTF-8 text"
        raise UnreadableToml(path, reason) from error


def parse(text: str, path: Path) -> TomlTable:
    """Return the document in *text*, the content of *path*.

    Raises UnreadableToml with the line and column of the error.
    """
    if _LONG_KEY.search(text):
        raise UnreadableToml(path, f"a key of it has more than {_DEEPEST} dots")
    try:
        document: TomlTable = tomli.loads(text)
        if _is_too_deep(document):
            raise UnreadableToml(path, _TOO_DEEP)
    except RecursionError as error:
        raise UnreadableToml(path, _TOO_DEEP) from error
    except ValueError as error:  # also numbers of thousands of digits
        line = conflict_line(text.encode("utf-8", "surrogatepass"))
        conflict = f"line {line} starts with <<<<<<<, the marker of a merge conflict"
        raise UnreadableToml(path, conflict if line else str(error)) from error
    return document


def _is_too_deep(document: TomlTable) -> bool:
    """Whether *document* has more than `_DEEPEST` tables or lists inside each other."""
    waiting: list[tuple[TomlValue, int]] = [(document, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > _DEEPEST:
            return True
        if isinstance(value, dict | list):
            items = value.values() if isinstance(value, dict) else value
            waiting += [(item, depth + 1) for item in items if isinstance(item, dict | list)]
    return False


def write(path: Path, table: Mapping[str, Writable]) -> None:
    """Write *table* to *path*, complete or not at all, readable by all users.

    Raises OSError, and TypeError for what TOML cannot hold (None).
    """
    disk.write(path, rendered(table).encode("utf-8"))


def rendered(table: Mapping[str, Writable]) -> str:
    """Return *table* as TOML. Raises TypeError for what it cannot hold (None)."""
    # Detection, which must start fast, only needs it for a Python app.
    import tomli_w  # noqa: PLC0415 - see above

    return tomli_w.dumps(table)


def table_at(table: Mapping[str, TomlValue], key: str) -> TomlTable:
    """Return the table at *key*; empty if there is no table."""
    value = table.get(key)
    return value if isinstance(value, dict) else {}


def tables_at(table: Mapping[str, TomlValue], key: str) -> tuple[TomlTable, ...]:
    """Return the tables in the array at *key*; empty if there is no array."""
    value = table.get(key)
    items = value if isinstance(value, list) else []
    return tuple(item for item in items if isinstance(item, dict))
