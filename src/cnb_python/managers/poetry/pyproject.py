"""Poetry's part of an app's `pyproject.toml`. Imported by unchanged builds."""

import json
from pathlib import Path
from typing import NamedTuple

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable
from cnb_python.config.settings import Settings
from cnb_python.managers.tool import Program
from cnb_python.python.origin import Origin
from cnb_python.python.specifiers import parse_constraint

PYPROJECT = "pyproject.toml"
# The tables that Poetry reads besides its own.
_TABLES_READ = ("project", "dependency-groups", "build-system")


class PoetryProject(NamedTuple):
    """What Poetry reads in a `pyproject.toml`."""

    name: str
    """Empty if it has none: the app itself cannot be installed then."""
    is_package: bool
    """The app itself is installed too."""
    has_build: bool
    """Installing the app runs code of the app."""
    requires: str
    """The releases of Poetry that it requires, as Poetry's constraint; empty: any."""
    relevant: str
    """Everything that Poetry may read, as text."""
    groups: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    """The names of the commands that the app has when it is installed."""

    def program(self, settings: Settings) -> Program:
        """Return the Poetry that reads the lock file."""
        if settings.poetry or not self.requires:
            return Program.chosen("poetry", settings.poetry)
        constraint = parse_constraint(self.requires, Origin(PYPROJECT, field="requires-poetry"))
        pinned = Program("poetry")
        if constraint.admits(pinned.version):
            return pinned
        # The last of several ranges: people write them in order, so it is the newest.
        return Program("poetry", ",".join(constraint.alternatives[-1]))


def read(directory: Path) -> PoetryProject:
    """Return what Poetry reads in the `pyproject.toml` of *directory*. Raises UnreadableToml."""
    document = toml.read(directory / PYPROJECT)
    project = toml.table_at(document, "project")
    poetry = toml.table_at(toml.table_at(document, "tool"), "poetry")
    name = next(filter(None, (project.get("name"), poetry.get("name"))), "")
    requires = poetry.get("requires-poetry", "")
    tables = {table: toml.table_at(document, table) for table in _TABLES_READ}
    return PoetryProject(
        name=name if isinstance(name, str) else "",
        is_package=poetry.get("package-mode") is not False,
        has_build="build" in poetry,
        requires=requires if isinstance(requires, str) else "",
        groups=_names(
            toml.table_at(poetry, "group"),
            toml.table_at(document, "dependency-groups"),
            {"dev": {}} if poetry.get("dev-dependencies") else {},
        ),
        extras=_names(
            toml.table_at(poetry, "extras"), toml.table_at(project, "optional-dependencies")
        ),
        scripts=_names(toml.table_at(poetry, "scripts"), toml.table_at(project, "scripts")),
        relevant=json.dumps({**tables, "poetry": poetry}, sort_keys=True, default=str),
    )


def _names(*tables: TomlTable) -> tuple[str, ...]:
    return tuple(sorted({name for table in tables for name in table}))
