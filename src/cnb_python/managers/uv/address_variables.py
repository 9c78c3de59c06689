"""Finds variables in the addresses that uv reads, and that nothing replaces.

uv replaces `${NAME}` in requirements, also in those of `[project]`, if the variable is set. In its
own tables, and in locks, it does not. With the name in the place of a token, the server refuses
the build or has no such package. https://docs.astral.sh/uv/concepts/authentication/http/
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import unquote

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable, TomlValue
from cnb_python.config.settings import Settings
from cnb_python.errors.locks import UnsetVariable
from cnb_python.managers.base import Pin
from cnb_python.managers.index_config import check_replaced
from cnb_python.managers.pylock_file import LOCK
from cnb_python.managers.requirement_lines import VARIABLE, normalized_name

_ADDRESSES = ("url", "git", "path")
_ADDRESS = re.compile(r'"([^"\n]*(?:\$\{|\$%7B)[^"\n]*)"')


def check_project(
    document: TomlTable, settings: Settings, environ: Mapping[str, str], file: str
) -> None:
    """Refuse such an address of a package that the project requires with *settings*.

    *document*: that of *file*, a `pyproject.toml`. Raises UnsetVariable for a requirement, and
    UnreplacedVariable for uv's tables.
    """
    uv = toml.table_at(toml.table_at(document, "tool"), "uv")
    sources = {
        normalized_name(name): entry for name, entry in toml.table_at(uv, "sources").items()
    }
    indexes = {str(index.get("name", "")): index for index in toml.tables_at(uv, "index")}
    for requirement in _required(document, settings):
        name = canonicalize_name(requirement.name)
        # The package may not be for this machine.
        if not requirement.marker:
            _check_url(requirement.url or "", name, environ, file)
            _check_source(name, sources.get(name), indexes)


def check_pins(pins: Iterable[Pin], file: str) -> None:
    """Refuse such an address of *pins* from the lock *file*. Raises UnreplacedVariable."""
    for pin in pins:
        for address in _ADDRESS.findall(pin.line) if pin.line.startswith(LOCK) else ():
            check_replaced(f"the address of {pin.name} in {file}", unquote(address))


def check_lines(pins: Iterable[Pin], environ: Mapping[str, str], file: str) -> None:
    """Refuse lines from *file* with an unset variable in an address. Raises UnsetVariable."""
    for pin in pins:
        if pin.by_itself and not pin.line.startswith(LOCK):
            _check_url(pin.line, pin.name, environ, file)


def _check_url(address: str, name: str, environ: Mapping[str, str], file: str) -> None:
    variables = (each[2:-1] for each in VARIABLE.findall(address))
    if unset := tuple(dict.fromkeys(each for each in variables if not environ.get(each))):
        raise UnsetVariable(file, name, unset, "source")


def _check_source(name: str, entry: TomlValue | None, indexes: Mapping[str, TomlTable]) -> None:
    for source in entry if isinstance(entry, list) else (entry,):
        if not isinstance(source, dict) or source.get("marker"):
            continue
        for key in _ADDRESSES:
            check_replaced(f"[tool.uv.sources] for {name}", str(source.get(key, "")))
        index = str(source.get("index", ""))
        url = str(indexes.get(index, {}).get("url", ""))
        check_replaced(f"[[tool.uv.index]] {index}", url)


def _required(document: TomlTable, settings: Settings) -> Iterator[Requirement]:
    """Yield what the project requires to be built, and to run with the groups of *settings*."""
    project = toml.table_at(document, "project")
    extras = toml.table_at(project, "optional-dependencies")
    lists = [toml.table_at(document, "build-system").get("requires"), project.get("dependencies")]
    chosen = set(map(normalized_name, settings.extras))
    lists += (value for name, value in extras.items() if normalized_name(name) in chosen)
    for text in (*_texts(lists), *in_groups(settings.groups, document)):
        try:
            yield Requirement(text)
        except ValueError, RecursionError:
            continue  # uv reports it


def _texts(lists: Iterable[TomlValue | None]) -> Iterator[str]:
    for value in lists:
        yield from (
            (each for each in value if isinstance(each, str)) if isinstance(value, list) else ()
        )


def in_groups(names: Iterable[str], document: TomlTable) -> Iterator[str]:
    """Yield the requirements of groups of a `pyproject.toml`, and of those that they include.

    https://packaging.python.org/en/latest/specifications/dependency-groups/
    """
    groups = {
        normalized_name(name): value
        for name, value in toml.table_at(document, "dependency-groups").items()
    }
    waiting, seen = list(names), set[str]()
    while waiting:
        name = normalized_name(waiting.pop())
        value = groups.get(name)
        if name in seen or not isinstance(value, list):
            continue
        seen.add(name)
        yield from (each for each in value if isinstance(each, str))
        included = (each.get("include-group") for each in value if isinstance(each, dict))
        waiting += (each for each in included if isinstance(each, str))
