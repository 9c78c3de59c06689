"""What an app's `pyproject.toml` says to Poetry. Imported by builds that change nothing."""

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
# Of the tables that only other tools read, none counts.
_READ = ("project", "dependency-groups", "build-system")


class PoetryProject(NamedTuple):
    """What counts of a `pyproject.toml`."""

    name: str
    """Empty where it has none: then it cannot be installed."""
    is_package: bool
    """It is installed itself, besides what it needs."""
    has_build: bool
    """Installing it runs code of the app's."""
    requires: str
    """The releases of Poetry that it asks for, in Poetry's words; empty: any."""
    relevant: str
    """Everything that Poetry may read, as text."""
    groups: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()

    def program(self, settings: Settings) -> Program:
        """Return the Poetry that reads its lock."""
        if settings.poetry or not self.requires:
            return Program.chosen("poetry", settings.poetry)
        asked = parse_constraint(self.requires, Origin(PYPROJECT, field="requires-poetry"))
        pinned = Program("poetry")
        if asked.admits(pinned.version):
            return pinned
        # Of several ranges the last, which is the newest for everybody who writes them in order.
        return Program("poetry", ",".join(asked.alternatives[-1]))


def read(directory: Path) -> PoetryProject:
    """Read the `pyproject.toml` in *directory*. Raises UnreadableToml."""
    document = toml.read(directory / PYPROJECT)
    project = toml.table_at(document, "project")
    poetry = toml.table_at(toml.table_at(document, "tool"), "poetry")
    named = next((one for one in (project.get("name"), poetry.get("name")) if one), "")
    requires = poetry.get("requires-poetry", "")
    tables = {name: toml.table_at(document, name) for name in _READ}
    return PoetryProject(
        name=named if isinstance(named, str) else "",
        is_package=poetry.get("package-mode") is not False,
        has_build="build" in poetry,
        requires=requires if isinstance(requires, str) else "",
        groups=_names(
            toml.table_at(poetry, "group"), toml.table_at(document, "dependency-groups")
        ),
        extras=_names(
            toml.table_at(poetry, "extras"), toml.table_at(project, "optional-dependencies")
        ),
        relevant=json.dumps({**tables, "poetry": poetry}, sort_keys=True, default=str),
    )


def _names(*tables: TomlTable) -> tuple[str, ...]:
    return tuple(sorted({name for table in tables for name in table}))
