"""The packages that the files of a project name: they are direct requirements of the app.

Separate from `distributions`, which knows only what is installed.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable, TomlValue
from cnb_python.managers.requirement_lines import normalized_name

# https://packaging.python.org/en/latest/specifications/dependency-specifiers/
_NAME = re.compile(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)")
# The tables of a Pipfile that are not categories of packages.
_NO_PACKAGES = {"source", "requires", "scripts", "pipenv"}


def declared(pyproject: TomlTable, pipfile: TomlTable) -> frozenset[str]:
    """Return the normalized names in *pyproject* and *pipfile*, of all groups and extras."""
    return frozenset(map(normalized_name, (*_of_pyproject(pyproject), *_of_pipfile(pipfile))))


def _of_pyproject(table: TomlTable) -> Iterator[str]:
    project, tool = toml.table_at(table, "project"), toml.table_at(table, "tool")
    uv, pdm, poetry = (toml.table_at(tool, name) for name in ("uv", "pdm", "poetry"))
    yield from _of_list(project.get("dependencies"))
    yield from _of_list(uv.get("dev-dependencies"))
    for groups in (
        toml.table_at(project, "optional-dependencies"),
        toml.table_at(table, "dependency-groups"),
        toml.table_at(pdm, "dev-dependencies"),
    ):
        yield from _of_lists(groups.values())
    groups_of_poetry = toml.table_at(poetry, "group")
    for group in (poetry, *(toml.table_at(groups_of_poetry, name) for name in groups_of_poetry)):
        yield from toml.table_at(group, "dependencies").keys() - {"python"}
    yield from toml.table_at(poetry, "dev-dependencies")


def _of_pipfile(table: Mapping[str, TomlValue]) -> Iterator[str]:
    for category in table.keys() - _NO_PACKAGES:
        yield from toml.table_at(table, category)


def _of_lists(values: Iterable[TomlValue]) -> Iterator[str]:
    for value in values:
        yield from _of_list(value)


def _of_list(value: TomlValue | None) -> Iterator[str]:
    for each in value if isinstance(value, list) else ():
        if isinstance(each, str) and (match := _NAME.match(each)):
            yield match[1]
