"""What may be remembered from one build to the next: in layer metadata and in store.toml.

The lifecycle carries both through JSON in an image label, where an integer comes back as a float
and a date as text. So only strings, booleans and lists of strings are written, and whatever else
is read back was not written by us.
https://github.com/buildpacks/spec/blob/main/buildpack.md#layer-content-metadata-toml
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlValue, Writable
from cnb_python.errors.bugs import ContractBroken
from cnb_python.errors.inputs import UnreadableToml

type Metadata = Mapping[str, str | bool | list[str]]


class Unusable(NamedTuple):
    """Metadata that is there but cannot be ours."""

    reason: str
    """A phrase that goes on after "because": `it is not TOML (line 1 ...)`."""


def read(path: Path) -> Metadata | Unusable:
    """Return `[metadata]` of the TOML file at *path*; never raises for what the file holds.

    A file without the table holds no metadata, which is not a mistake.
    """
    try:
        table = toml.read(path).get("metadata", {})
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
