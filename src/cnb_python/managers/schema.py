"""The types of values in the files of Poetry, Pipenv and PDM.

These tools fail with a traceback at a value of the wrong type, such as a number for a table.
https://pipenv.pypa.io/en/latest/pipfile.html, https://python-poetry.org/docs/pyproject/
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlValue
from cnb_python.errors.inputs import UnreadableJson
from cnb_python.errors.locks import UnexpectedType
from cnb_python.python.origin import json_line, toml_line
from cnb_python.system import json_text, regular_file
from cnb_python.system.json_text import InvalidJson, JsonValue

type Document = TomlValue | JsonValue
type Kind = Literal["a table", "a list", "a list of tables", "text in quotes"]

_LONGEST = 60
_LOCK: Mapping[str, Kind] = {"metadata": "a table", "package": "a list of tables"}
TYPES: Mapping[str, Mapping[str, Kind]] = {
    "Pipfile": {
        "source": "a list of tables",
        "packages": "a table",
        "dev-packages": "a table",
        "requires": "a table",
        "requires.python_version": "text in quotes",
        "requires.python_full_version": "text in quotes",
    },
    "Pipfile.lock": {
        "_meta": "a table",
        "_meta.hash": "a table",
        "_meta.hash.sha256": "text in quotes",
        "_meta.requires": "a table",
        "_meta.requires.python_version": "text in quotes",
        "_meta.requires.python_full_version": "text in quotes",
        "_meta.sources": "a list of tables",
        "default": "a table",
        "develop": "a table",
    },
    "poetry.lock": {
        **_LOCK,
        "metadata.lock-version": "text in quotes",
        "metadata.content-hash": "text in quotes",
    },
    "pdm.lock": {**_LOCK, "metadata.lock_version": "text in quotes", "metadata.groups": "a list"},
    "pyproject.toml": {
        "build-system": "a table",
        "build-system.requires": "a list",
        "build-system.build-backend": "text in quotes",
        "dependency-groups": "a table",
        "project": "a table",
        "project.dependencies": "a list",
        "project.name": "text in quotes",
        "project.optional-dependencies": "a table",
        "project.version": "text in quotes",
        "tool": "a table",
        "tool.pdm": "a table",
        "tool.pdm.dev-dependencies": "a table",
        "tool.pdm.source": "a list of tables",
        "tool.poetry": "a table",
        "tool.poetry.dependencies": "a table",
        "tool.poetry.group": "a table",
        "tool.poetry.group.*": "a table",
        "tool.poetry.name": "text in quotes",
        "tool.poetry.requires-poetry": "text in quotes",
        "tool.poetry.source": "a list of tables",
        "tool.poetry.version": "text in quotes",
    },
}

# What every such file has: tools treat one without it as empty.
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "Pipfile.lock": ("_meta", "default"),
    "pdm.lock": ("metadata.lock_version",),
    "poetry.lock": ("metadata.lock-version",),
}


def check_types(directory: Path, *names: str) -> None:
    """Refuse values in the files *names* of *directory* with another type than in `TYPES`.

    Raises UnexpectedType for the first, also for a missing value that is always there;
    UnreadableToml or UnreadableJson.
    """
    for name in names:
        file = directory / name
        if name != "Pipfile.lock":
            text = toml.text_of(file)
            _check(name, toml.parse(text, file), text)
            continue
        text, document = read_json(file)
        _check(name, document, text)


def read_json(file: Path) -> tuple[str, JsonValue]:
    """Return the text of the JSON *file*, and the document in it. Raises UnreadableJson."""
    try:
        text = regular_file.read(file).decode("utf-8-sig")
        return text, json_text.parse_file(text)
    except OSError as error:
        raise UnreadableJson(file.name, 1, error.strerror or type(error).__name__) from error
    except UnicodeDecodeError as error:
        raise UnreadableJson(file.name, 1, "it is not UTF-8 text") from error
    except InvalidJson as error:
        raise UnreadableJson(file.name, error.line, error.reason) from error


def _check(name: str, document: Document, text: str) -> None:
    if not isinstance(document, dict):
        raise UnexpectedType(name, "", 1, _shown(document), "a table")
    for path, kind in TYPES[name].items():
        for key_path, value in _at(document, path.split("."), ()):
            if not _is(value, kind):
                table, _, key = key_path.rpartition(".")
                is_json = name.endswith(".lock") and text.lstrip().startswith("{")
                line = json_line(text, key) if is_json else toml_line(text, table, key)
                raise UnexpectedType(name, key_path, line, _shown(value), kind)
    for path in _NEEDED.get(name, ()):
        if not list(_at(document, path.split("."), ())):
            raise UnexpectedType(name, path, None, "nothing", TYPES[name][path])


def _at(
    value: Document, keys: list[str], before: tuple[str, ...]
) -> Iterator[tuple[str, Document]]:
    """Yield path and value of what is at *keys* below *value*; `*` stands for every key."""
    if not keys:
        yield ".".join(before), value
    elif isinstance(value, dict):
        names = value if keys[0] == "*" else value.keys() & {keys[0]}
        for name in names:
            yield from _at(value[name], keys[1:], (*before, name))


def _is(value: Document, kind: Kind) -> bool:
    match kind:
        case "a table":
            return isinstance(value, dict)
        case "a list":
            return isinstance(value, list)
        case "a list of tables":
            return isinstance(value, list) and all(isinstance(item, dict) for item in value)
        case "text in quotes":
            return isinstance(value, str)


def _shown(value: Document) -> str:
    if isinstance(value, dict):
        return "a table"
    text = json.dumps(value, default=str)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
