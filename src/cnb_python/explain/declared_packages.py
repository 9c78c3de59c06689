"""The packages that the app's files name, for an app whose packages a build has to resolve.

They are exact enough to find the processes that the app will have; a build never uses them.

Separate from `explain`, which marks them as `unresolved files`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from cnb_python.app import App
from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable, TomlValue
from cnb_python.config.settings import Settings
from cnb_python.managers.base import Manager
from cnb_python.managers.requirement_lines import normalized_name, read_lines
from cnb_python.python.origin import json_of, toml_of

TABLE = Path(__file__).parents[1] / "data/known_requirements.toml"
_PYPROJECT = "pyproject.toml"
_PIPFILE_LOCK = "Pipfile.lock"
_LISTS = {"uv.lock": "package", "poetry.lock": "package", "pdm.lock": "package"}
_PYLOCK = re.compile(r"pylock(?:\.[^.]+)?\.toml")
# https://peps.python.org/pep-0508/
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*(?:\[([^]]*)\])?\s*(.*)")
_EXACT = re.compile(r"===?\s*([^\s,;*]+)\s*(?:;.*)?")


def declared_packages(
    app: App, manager: Manager, settings: Settings, environ: Mapping[str, str]
) -> dict[str, str]:
    """Return the packages that the files of *manager* name: versions, or empty texts, by name.

    A lock file may name more than a build installs, such as packages for other systems.
    """
    named = (each for each in _named(app, manager, settings, environ) if "[" not in each[0])
    return dict(sorted(named))


def known_requirements(
    app: App, manager: Manager, settings: Settings, environ: Mapping[str, str]
) -> frozenset[str]:
    """Return the packages that those in the files of *manager* are known to install.

    Only packages that decide which processes the app has, such as uvicorn for `fastapi[standard]`.
    """
    rows = _rows()
    names = {name for name, _ in _named(app, manager, settings, environ)}
    return frozenset(each for name in names for each in rows.get(name, ()))


def _rows() -> Mapping[str, list[str]]:
    """Return what packages and extras require, by their names."""
    rows = toml.tables_at(toml.read(TABLE), "package")
    return {str(row["name"]): _texts(row["requires"]) for row in rows}


def _named(
    app: App, manager: Manager, settings: Settings, environ: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    for name in manager.deciding_files(app):
        if key := _LISTS.get(name):
            yield from _listed(toml_of(app, name), key)
        elif _PYLOCK.fullmatch(name):
            yield from _listed(toml_of(app, name), "packages")
        elif name == _PIPFILE_LOCK:
            yield from _pipenv(app)
        elif name == _PYPROJECT:
            yield from _project(toml_of(app, name))
        elif name.endswith((".txt", ".lock")):
            lines = (
                line.parts[0]
                for file in settings.requirements or (name,)
                for _, line in read_lines(app.directory / file, environ)
            )
            yield from _requirements(lines)


def _listed(table: TomlTable, key: str) -> Iterator[tuple[str, str]]:
    for row in toml.tables_at(table, key):
        name, version = row.get("name"), row.get("version", "")
        if isinstance(name, str):
            yield normalized_name(name), version if isinstance(version, str) else ""


def _pipenv(app: App) -> Iterator[tuple[str, str]]:
    document = json_of(app, _PIPFILE_LOCK)
    packages = document.get("default") if isinstance(document, dict) else None
    for name, row in packages.items() if isinstance(packages, dict) else ():
        version = row.get("version") if isinstance(row, dict) else None
        yield normalized_name(name), version.lstrip("=") if isinstance(version, str) else ""


def _project(table: TomlTable) -> Iterator[tuple[str, str]]:
    yield from _requirements(_texts(toml.table_at(table, "project").get("dependencies")))
    poetry = toml.table_at(toml.table_at(table, "tool"), "poetry")
    for name, value in toml.table_at(poetry, "dependencies").items():
        if name != "python":
            extras = value.get("extras") if isinstance(value, dict) else None
            yield from _requirements([f"{name}[{','.join(_texts(extras))}]"])


def _texts(value: TomlValue | None) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _requirements(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        if match := _REQUIREMENT.fullmatch(line):
            exact = _EXACT.fullmatch(match[3])
            name = normalized_name(match[1])
            yield name, exact[1] if exact else ""
            for extra in filter(None, map(str.strip, (match[2] or "").split(","))):
                yield f"{name}[{normalized_name(extra)}]", ""
