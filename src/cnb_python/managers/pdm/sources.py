"""From which source each package of a `pdm.lock` comes, and with which login.

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

_INDEX = re.compile(r"(--index-url|--extra-index-url)\s+(\S+)")
_USUAL = "pypi"
# Of PDM's own.
_ROOT = "PROJECT_ROOT"
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_UNLIKE = re.compile(r"[^A-Za-z0-9?*\[\]-]+")


class PdmSources(NamedTuple):
    """Where the packages of a lock come from."""

    home: Home
    lines: tuple[str, ...]
    """What counts for all of them, as lines of a requirements file."""


def read(directory: Path, exported: Iterable[str], environ: Mapping[str, str]) -> PdmSources:
    """Return where the packages of the app in *directory* come from.

    *exported*: PDM's lines, which have the addresses in the order of the sources. Raises
    UnsetVariable and UnreadableToml.
    """
    lines = tuple(exported)
    said = [found for found in map(_INDEX.match, lines) if found]
    others = [line for line in lines if not _INDEX.match(line)]
    tables = tuple(_tables(directory))
    _check_variables(tables, environ)
    if len(tables) != len(said):  # nobody knows which is which
        return PdmSources(lambda _: (), lines)
    sources = [
        _source(table, found[2], environ) for table, found in zip(tables, said, strict=True)
    ]
    if any(one.included or one.excluded for one in sources):
        usual_one = [f"--index-url {one.address}" for one in sources if one.name == _USUAL]
        return PdmSources(_home(sources), (*usual_one, *others))
    known = (f"{found[1]} {one.address}" for one, found in zip(sources, said, strict=True))
    return PdmSources(lambda _: (), (*known, *others))


def usual(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of uv for the index that PDM's own say is the usual one."""
    address = environ.get("PDM_PYPI_URL", "")
    found = _source({"name": _USUAL}, address, environ).address if address else ""
    return {"UV_DEFAULT_INDEX": found} if found else {}


class _PdmSource(NamedTuple):
    name: str
    address: str
    """With its login."""
    included: tuple[str, ...]
    """Patterns of what comes from here, and from no other."""
    excluded: tuple[str, ...]
    """Patterns of what does not."""


def _home(sources: Iterable[_PdmSource]) -> Home:
    """Return where packages come from by the rules of *sources*; the usual one is asked last."""
    known = tuple(sources)

    def find(pin: Pin) -> tuple[str, ...]:
        named = tuple(one.address for one in known if _has(one.included, pin))
        return named or tuple(
            one.address for one in known if one.name != _USUAL and not _has(one.excluded, pin)
        )

    return find


def _has(patterns: Iterable[str], pin: Pin) -> bool:
    return any(fnmatch(pin.name, one) for one in patterns)


def _source(table: TomlTable, address: str, environ: Mapping[str, str]) -> _PdmSource:
    name = str(table.get("name", ""))
    variables = environ if name == _USUAL else {}
    user, password = (
        str(table.get(key) or variables.get(f"PDM_PYPI_{key.upper()}", ""))
        for key in ("username", "password")
    )
    return _PdmSource(
        name,
        _with_login(address, user, password),
        tuple(_patterns(table.get("include_packages"))),
        tuple(_patterns(table.get("exclude_packages"))),
    )


def _tables(directory: Path) -> Iterator[TomlTable]:
    """Yield what is said of each index: by the app, besides by `pdm.toml`."""
    tools = toml.table_at(toml.read(directory / "pyproject.toml"), "tool")
    own = _own_settings(directory)
    for table in toml.tables_at(toml.table_at(tools, "pdm"), "source"):
        both = {**own.get(str(table.get("name", "")), {}), **table}
        if both.get("url") and both.get("type", "index") == "index":
            yield both


def _check_variables(tables: Iterable[TomlTable], environ: Mapping[str, str]) -> None:
    """Refuse an address with a variable that there is not: PDM would leave its place empty."""
    for table in tables:
        names = _VARIABLE.findall(str(table.get("url", "")))
        if missing := tuple(one for one in names if one != _ROOT and not environ.get(one)):
            raise UnsetVariable("pyproject.toml", str(table.get("name", "")), missing)


def _own_settings(directory: Path) -> dict[str, TomlTable]:
    file = directory / "pdm.toml"
    own = toml.table_at(toml.read(file), "pypi") if file.is_file() else {}
    return {_USUAL: own, **{name: one for name, one in own.items() if isinstance(one, dict)}}


def _with_login(address: str, user: str, password: str) -> str:
    if not (user and password):
        return address
    parts = urlsplit(address)
    login, host = f"{quote(user, safe='')}:{quote(password, safe='')}", parts.netloc
    return urlunsplit(parts._replace(netloc=f"{login}@{host.rpartition('@')[2]}"))


def _patterns(value: TomlValue | None) -> Iterator[str]:
    """Yield *value*, a list of names with wildcards, as PDM compares them."""
    for one in value if isinstance(value, list) else ():
        yield _UNLIKE.sub("-", str(one)).lower()
