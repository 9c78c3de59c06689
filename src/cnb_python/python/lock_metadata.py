"""What the files of package managers say about Python: `pyproject.toml`, `Pipfile`, locks."""

import re
from collections.abc import Iterator, Mapping

from cnb_python.app import Project
from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable
from cnb_python.errors.locks import WrongForm
from cnb_python.errors.python import InvalidPythonRange
from cnb_python.python.line_numbers import JsonValue, json_line, json_of, toml_line, toml_of
from cnb_python.python.origin import Origin, visible
from cnb_python.python.request import PythonRequest, parse_version
from cnb_python.python.specifiers import PythonRange, parse_constraint, parse_specifier

PYPROJECT = "pyproject.toml"
PIPFILE = "Pipfile"
PIPFILE_LOCK = "Pipfile.lock"
PYLOCK = "pylock.toml"
PDM_LOCK = "pdm.lock"
_LOCK = re.compile(r"pylock(\.[^.]+)?\.toml")
_REQUIRES = re.compile(r"""requires-python\s*=\s*(["'])(.+)\1\s*(?:#.*)?""")
_TARGET = re.compile(r"""requires_python\s*=\s*(["'])(.+)\1\s*(?:#.*)?""")
# As Pipenv writes them: https://pipenv.pypa.io/en/latest/pipfile.html
_PIPENV_FIELDS = ("python_full_version", "python_version")
_ANY = "*"


def by_pipenv(project: Project) -> PythonRequest | None:
    """Return what the lock file asks for, or the `Pipfile` where there is no lock file.

    Raises UnreadableJson, UnreadableToml, and what `parse_version` raises.
    """
    if PIPFILE_LOCK not in project.names:
        text = project.text(PIPFILE) or ""
        fields = toml.table_at(toml_of(project, PIPFILE), "requires")
        lines = {field: toml_line(text, "requires", field) for field in _PIPENV_FIELDS}
        return _of_pipenv(fields, project.shown(PIPFILE), lines)
    text = project.text(PIPFILE_LOCK) or ""
    lines = {field: json_line(text, field) for field in _PIPENV_FIELDS}
    return _of_pipenv(_locked(json_of(project, PIPFILE_LOCK)), project.shown(PIPFILE_LOCK), lines)


def _locked(document: JsonValue) -> Mapping[str, object]:
    """Return what is at `_meta.requires`, empty where there is nothing of that form."""
    meta = document.get("_meta") if isinstance(document, dict) else None
    requires = meta.get("requires") if isinstance(meta, dict) else None
    return requires if isinstance(requires, dict) else {}


def _of_pipenv(
    fields: Mapping[str, object], name: str, lines: Mapping[str, int | None]
) -> PythonRequest | None:
    for field in _PIPENV_FIELDS:
        said = fields.get(field)
        if isinstance(said, int | float):
            # Without quotes 3.10 is 3.1: nobody can tell.
            raise WrongForm(name, field, lines[field], str(said), "text in quotes")
        if isinstance(said, str) and said.strip() not in {"", _ANY}:
            return parse_version(said, Origin(name, lines[field], field), lenient=True)
    return None


def ranges(project: Project) -> tuple[PythonRange, ...]:
    """Return the ranges of the project, Poetry, uv's workspace, a standard lock and one of PDM's.

    Raises UnreadableToml and InvalidPythonRange.
    """
    workspaces = (one for one in project.above if _is_workspace(toml_of(one, PYPROJECT)))
    above = (found for one in workspaces for found in _ranges(one))
    return (*_ranges(project), *above, *_of_lock(project), *_of_pdm(project))


def _is_workspace(document: TomlTable) -> bool:
    # All members of one share an environment, so that what each asks for counts:
    # https://docs.astral.sh/uv/concepts/projects/workspaces/
    return "workspace" in toml.table_at(toml.table_at(document, "tool"), "uv")


def _of_lock(project: Project) -> Iterator[PythonRange]:
    """Yield what the app's lock of the standard form says at its head; its body may be long.

    https://packaging.python.org/en/latest/specifications/pylock-toml/#requires-python
    """
    locks = [name for name in sorted(project.names) if _LOCK.fullmatch(name)]
    name = PYLOCK if PYLOCK in locks else locks[0] if len(locks) == 1 else ""
    text = ((name and project.bytes_of(name)) or b"").decode("utf-8-sig", "replace")
    for number, line in enumerate(text.split("\n"), start=1):
        if line.startswith("["):
            return
        if found := _REQUIRES.fullmatch(line.strip()):
            origin = Origin(project.shown(name), number, "requires-python")
            yield parse_specifier(found[2], origin)


def _of_pdm(project: Project) -> Iterator[PythonRange]:
    """Yield the range for which a lock of PDM's was made; one for several machines has several.

    It may be narrower than the project's: https://pdm-project.org/latest/usage/lock-targets/
    """
    if PDM_LOCK not in project.names:
        return
    text = (project.bytes_of(PDM_LOCK) or b"").decode("utf-8-sig", "replace")
    head = text.partition("[[package]]")[0]
    found = [
        (number, one[2])
        for number, line in enumerate(head.split("\n"), start=1)
        if (one := _TARGET.fullmatch(line.strip()))
    ]
    if len(found) == 1:
        number, said = found[0]
        yield parse_specifier(said, Origin(project.shown(PDM_LOCK), number, "requires_python"))


def _ranges(project: Project) -> Iterator[PythonRange]:
    document = toml_of(project, PYPROJECT)
    if "requires-python" in (table := toml.table_at(document, "project")):
        origin = _origin(project, "project", "requires-python")
        if said := _text(table["requires-python"], origin):
            yield parse_specifier(said, origin)
    poetry = toml.table_at(toml.table_at(document, "tool"), "poetry")
    if "python" in (table := toml.table_at(poetry, "dependencies")):
        value, origin = table["python"], _origin(project, "tool.poetry.dependencies", "python")
        if said := _text(value.get("version") if isinstance(value, dict) else value, origin):
            yield parse_constraint(said, origin)


def _origin(project: Project, table: str, key: str) -> Origin:
    line = toml_line(project.text(PYPROJECT) or "", table, key)
    return Origin(project.shown(PYPROJECT), line, key)


def _text(value: object, origin: Origin) -> str:
    if not isinstance(value, str):
        raise InvalidPythonRange(visible(str(value)), str(origin), "")
    return value.strip()
