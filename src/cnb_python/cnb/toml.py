"""TOML in and out: the only door to tomli and tomli-w."""

import codecs
import os
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import NamedTuple

import tomli

from cnb_python.cnb import disk
from cnb_python.errors.base import ContractBroken
from cnb_python.errors.inputs import UnreadableToml

type Metadata = Mapping[str, str | bool | list[str]]


class Unusable(NamedTuple):
    """Metadata that is there but cannot be ours."""

    reason: str
    """A phrase that goes on after "because": `it is not TOML (line 1 ...)`."""


def read_metadata(path: Path) -> Metadata | Unusable:
    """Return `[metadata]` of the TOML file at *path*; never raises for what the file holds.

    A file without the table holds no metadata, which is not a mistake.
    """
    try:
        table = read(path).get("metadata", {})
    except UnreadableToml as error:
        return Unusable(f"{path.name} cannot be read: {error.reason}")
    if not isinstance(table, dict):
        return Unusable(f"{path.name} has something else in place of its metadata")
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
                    return Unusable(f"its metadata holds a list of more than text: {key}")
                typed[key] = texts
            case _:
                return Unusable(f"its metadata holds neither text, yes or no, nor a list: {key}")
    return typed


def checked(metadata: Mapping[str, object], document: str) -> dict[str, Writable]:
    """Return *metadata* as it is to be written in *document*.

    Raises ContractBroken for values that would not come back as they went.
    """
    flawed = [key for key, value in metadata.items() if not _survives(key, value)]
    if flawed:
        raise ContractBroken(document, f"metadata that does not survive a build: {flawed}")
    return dict(metadata)  # type: ignore[arg-type]  # every value was just looked at


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
    # A lone surrogate (the mark of an undecodable file name) has no UTF-8 form.
    return not any("\ud800" <= character <= "\udfff" for character in text)


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
