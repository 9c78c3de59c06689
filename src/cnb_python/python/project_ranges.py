"""The ranges of Pythons that an app's project and its lock file accept.

They are bounds: a version that the app asks for elsewhere has to be in them.
https://packaging.python.org/en/latest/specifications/core-metadata/#requires-python
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from cnb_python.app import App
from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable
from cnb_python.python import setup_metadata
from cnb_python.python.origin import Origin, not_text, toml_line, toml_of
from cnb_python.python.specifiers import PythonRange, parse_constraint, parse_specifier

PYPROJECT = "pyproject.toml"
PYLOCK = "pylock.toml"
PDM_LOCK = "pdm.lock"
POETRY_LOCK = "poetry.lock"
POETRY_FIELD = "python"

_FIELD = "requires-python"
_LOCK = re.compile(r"pylock(\.[^.]+)?\.toml")
_REQUIRES = re.compile(r"""requires-python\s*=\s*(["'])(.+)\1\s*(?:#.*)?""")
_TARGET = re.compile(r"""requires_python\s*=\s*(["'])(.+)\1\s*(?:#.*)?""")


class _Declared(NamedTuple):
    """A range as it is written."""

    text: str
    origin: Origin
    is_constraint: bool = False
    """Written for Poetry, which accepts specifiers and its own forms everywhere."""

    def parse(self) -> PythonRange:
        parse = parse_constraint if self.is_constraint else parse_specifier
        return parse(self.text, self.origin)


type Counts = Callable[[Origin], bool]


def project_ranges(app: App, counts: Counts = lambda _origin: True) -> tuple[PythonRange, ...]:
    """Return the ranges of the project, of uv's workspace above it, and of the lock file.

    Only those whose origin *counts* are parsed. Raises UnreadableToml, UnexpectedType and
    InvalidPythonRange: a range that cannot be read is not the same as no range.
    """
    workspaces = (parent for parent in app.above if _is_workspace(toml_of(parent, PYPROJECT)))
    above = (declared for workspace in workspaces for declared in _of_project(workspace))
    declared = (*_of_project(app), *above, *_of_pylock(app), *_of_pdm(app))
    return tuple(each.parse() for each in declared if counts(each.origin))


def _is_workspace(document: TomlTable) -> bool:
    # The members of a workspace share an environment, so the ranges of all of them count:
    # https://docs.astral.sh/uv/concepts/projects/workspaces/
    return "workspace" in toml.table_at(toml.table_at(document, "tool"), "uv")


def _of_project(app: App) -> Iterator[_Declared]:
    document = toml_of(app, PYPROJECT)
    project = toml.table_at(document, "project")
    poetry = toml.table_at(toml.table_at(document, "tool"), "poetry")
    if _FIELD in project:
        origin = _origin(app, "project", _FIELD)
        if text := _text(project[_FIELD], origin):
            yield _Declared(text, origin, _is_of_poetry(app, document))
    elif declared := _of_setup(app, project):
        yield _Declared(*declared)
    if POETRY_FIELD in (table := toml.table_at(poetry, "dependencies")):
        value, origin = table[POETRY_FIELD], _origin(app, "tool.poetry.dependencies", POETRY_FIELD)
        if text := _text(value.get("version") if isinstance(value, dict) else value, origin):
            yield _Declared(text, origin, is_constraint=True)


def _is_of_poetry(app: App, document: TomlTable) -> bool:
    """Whether Poetry reads `requires-python`, which it does in its own grammar.

    https://python-poetry.org/docs/pyproject/#requires-python
    """
    backend = toml.table_at(document, "build-system").get("build-backend")
    return (
        POETRY_LOCK in app.names
        or "poetry" in toml.table_at(document, "tool")
        or (isinstance(backend, str) and backend.startswith("poetry."))
    )


def _of_setup(app: App, project: TomlTable) -> tuple[str, Origin] | None:
    # Where `[project]` is complete, setuptools ignores its own files.
    dynamic = project.get("dynamic")
    is_open = not project or (isinstance(dynamic, list) and _FIELD in dynamic)
    return setup_metadata.python_requires(app) if is_open else None


def _of_pylock(app: App) -> Iterator[_Declared]:
    """Yield the range in the app's `pylock.toml`. Only its head is read: the rest may be long.

    https://packaging.python.org/en/latest/specifications/pylock-toml/#requires-python
    """
    locks = [name for name in app.names if name.startswith("pylock")]
    locks = sorted(filter(_LOCK.fullmatch, locks))
    name = PYLOCK if PYLOCK in locks else locks[0] if len(locks) == 1 else ""
    text = ((name and app.bytes_of(name)) or b"").decode("utf-8-sig", "replace")
    for number, line in enumerate(text.split("\n"), start=1):
        if line.startswith("["):
            return
        if match := _REQUIRES.fullmatch(line.strip()):
            yield _Declared(match[2], Origin(app.shown(name), number, _FIELD))


def _of_pdm(app: App) -> Iterator[_Declared]:
    """Yield the range of `pdm.lock`, unless it has several lock targets.

    It may be narrower than that of the project: https://pdm-project.org/latest/usage/lock-targets/
    """
    if PDM_LOCK not in app.names:
        return
    text = (app.bytes_of(PDM_LOCK) or b"").decode("utf-8-sig", "replace")
    head = text.partition("[[package]]")[0]
    targets = [
        (number, match[2])
        for number, line in enumerate(head.split("\n"), start=1)
        if (match := _TARGET.fullmatch(line.strip()))
    ]
    if len(targets) == 1:
        number, text = targets[0]
        yield _Declared(text, Origin(app.shown(PDM_LOCK), number, "requires_python"))


def _origin(app: App, table: str, key: str) -> Origin:
    line = toml_line(app.text(PYPROJECT) or "", table, key)
    return Origin(app.shown(PYPROJECT), line, key)


def _text(value: object, origin: Origin) -> str:
    if not isinstance(value, str):
        raise not_text(value, origin, origin.field, '">=3.12"')
    return value.strip()
