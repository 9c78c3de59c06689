"""The index of each package of a `pdm.lock`, and its login.

Apart from the export: PDM's rules for indexes, independent of the lock file and of PDM's commands.
https://pdm-project.org/latest/usage/config/#configure-the-package-indexes
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlsplit, urlunsplit

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable, TomlValue
from cnb_python.errors.locks import UnsetVariable
from cnb_python.managers.base import Pin
from cnb_python.managers.install_locked import Home
from cnb_python.managers.lock_export import INDEX_LINE, LockSources

_USUAL = "pypi"
# A variable that PDM sets itself.
_ROOT = "PROJECT_ROOT"
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9?*\[\]-]+")


def read_sources(
    directory: Path, exported: Iterable[str], environ: Mapping[str, str]
) -> LockSources:
    """Return the indexes of the packages of the app in *directory*.

    *exported*: PDM's lines, which have the URLs in the order of the sources. Raises UnsetVariable
    and UnreadableToml.
    """
    lines = tuple(exported)
    matches = [match for match in map(INDEX_LINE.match, lines) if match]
    other_lines = [line for line in lines if not INDEX_LINE.match(line)]
    tables = tuple(_tables(directory))
    _check_variables(tables, environ)
    if len(tables) != len(matches):  # no URL can be assigned to its source
        return LockSources(lambda _: (), lines)
    sources = [
        _source(table, match[2], environ) for table, match in zip(tables, matches, strict=True)
    ]
    if any(source.included or source.excluded for source in sources):
        usual = [f"--index-url {source.url}" for source in sources if source.name == _USUAL]
        return LockSources(_indexes_of(sources), (*usual, *other_lines))
    indexes = (f"{match[1]} {source.url}" for source, match in zip(sources, matches, strict=True))
    return LockSources(lambda _: (), (*indexes, *other_lines))


def usual_index(environ: Mapping[str, str]) -> dict[str, str]:
    """Return uv's variables for the index that PDM_PYPI_URL makes the usual one."""
    url = environ.get("PDM_PYPI_URL", "")
    return {"UV_DEFAULT_INDEX": _source({"name": _USUAL}, url, environ).url} if url else {}


class _PdmSource(NamedTuple):
    name: str
    url: str
    """With its login."""
    included: tuple[str, ...]
    """Patterns of the packages that come from this source and no other."""
    excluded: tuple[str, ...]
    """Patterns of the packages that do not."""


def _tables(directory: Path) -> Iterator[TomlTable]:
    """Yield the settings of each index: those of the app, completed by those of `pdm.toml`."""
    tools = toml.table_at(toml.read(directory / "pyproject.toml"), "tool")
    local = _local_settings(directory)
    for table in toml.tables_at(toml.table_at(tools, "pdm"), "source"):
        both = {**local.get(str(table.get("name", "")), {}), **table}
        if both.get("url") and both.get("type", "index") == "index":
            yield both


def _local_settings(directory: Path) -> dict[str, TomlTable]:
    """Return the settings of indexes in `pdm.toml`, by the name of the index."""
    file = directory / "pdm.toml"
    usual = toml.table_at(toml.read(file), "pypi") if file.is_file() else {}
    by_name = {name: table for name, table in usual.items() if isinstance(table, dict)}
    return {_USUAL: usual, **by_name}


def _check_variables(tables: Iterable[TomlTable], environ: Mapping[str, str]) -> None:
    """Refuse a URL with an unset variable, which PDM replaces by nothing. Raises UnsetVariable."""
    for table in tables:
        names = _VARIABLE.findall(str(table.get("url", "")))
        if unset := tuple(name for name in names if name != _ROOT and not environ.get(name)):
            raise UnsetVariable("pyproject.toml", str(table.get("name", "")), unset)


def _source(table: TomlTable, url: str, environ: Mapping[str, str]) -> _PdmSource:
    name = str(table.get("name", ""))
    variables = environ if name == _USUAL else {}
    user, password = (
        str(table.get(key) or variables.get(f"PDM_PYPI_{key.upper()}", ""))
        for key in ("username", "password")
    )
    return _PdmSource(
        name,
        _with_login(url, user, password),
        tuple(_patterns(table.get("include_packages"))),
        tuple(_patterns(table.get("exclude_packages"))),
    )


def _with_login(url: str, user: str, password: str) -> str:
    if not (user and password):
        return url
    parts = urlsplit(url)
    login, host = f"{quote(user, safe='')}:{quote(password, safe='')}", parts.netloc
    return urlunsplit(parts._replace(netloc=f"{login}@{host.rpartition('@')[2]}"))


def _patterns(value: TomlValue | None) -> Iterator[str]:
    """Yield *value*, a list of names with wildcards, in the form that PDM compares."""
    for name in value if isinstance(value, list) else ():
        yield _NOT_IN_NAMES.sub("-", str(name)).lower()


def _indexes_of(sources: Iterable[_PdmSource]) -> Home:
    """Return the indexes of a package by the rules of *sources*; the usual one is tried last."""
    listed = tuple(sources)

    def indexes_of(pin: Pin) -> tuple[str, ...]:
        including = tuple(source.url for source in listed if _has(source.included, pin))
        return including or tuple(
            source.url
            for source in listed
            if source.name != _USUAL and not _has(source.excluded, pin)
        )

    return indexes_of


def _has(patterns: Iterable[str], pin: Pin) -> bool:
    return any(fnmatch(pin.name, pattern) for pattern in patterns)
