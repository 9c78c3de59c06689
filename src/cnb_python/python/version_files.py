"""Parses `.python-version` and `runtime.txt`; knows the names that were meant to be the former.

https://github.com/pyenv/pyenv#understanding-python-version-selection
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from cnb_python.app import App
from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable, TomlValue
from cnb_python.errors.locks import UnexpectedType
from cnb_python.errors.python import (
    InvalidPythonRange,
    InvalidPythonVersion,
    MisspeltVersionFile,
    NoPythonVersion,
    SeveralPythonVersions,
    VersionFileNotUtf8,
)
from cnb_python.python.origin import (
    JsonValue,
    Origin,
    json_line,
    json_of,
    toml_line,
    toml_of,
    visible,
)
from cnb_python.python.request import PythonRequest, likely, parse_version
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


def by_pipenv(app: App) -> PythonRequest | None:
    """Return what the lock file asks for, or the `Pipfile` where there is no lock file.

    Raises UnreadableJson, UnreadableToml, and what `parse_version` raises.
    """
    if PIPFILE_LOCK not in app.names:
        text = app.text(PIPFILE) or ""
        fields = toml.table_at(toml_of(app, PIPFILE), "requires")
        lines = {field: toml_line(text, "requires", field) for field in _PIPENV_FIELDS}
        return _of_pipenv(fields, app.shown(PIPFILE), lines)
    text = app.text(PIPFILE_LOCK) or ""
    lines = {field: json_line(text, field) for field in _PIPENV_FIELDS}
    return _of_pipenv(_locked(json_of(app, PIPFILE_LOCK)), app.shown(PIPFILE_LOCK), lines)


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
            raise UnexpectedType(name, field, lines[field], str(said), "text in quotes")
        if isinstance(said, str) and said.strip() not in {"", _ANY}:
            return parse_version(said, Origin(name, lines[field], field), lenient=True)
    return None


def ranges(app: App) -> tuple[PythonRange, ...]:
    """Return the ranges of the project, Poetry, uv's workspace, a standard lock and one of PDM's.

    Raises UnreadableToml and InvalidPythonRange.
    """
    workspaces = (one for one in app.above if _is_workspace(toml_of(one, PYPROJECT)))
    above = (found for one in workspaces for found in _ranges(one))
    return (*_ranges(app), *above, *_of_lock(app), *_of_pdm(app))


def _is_workspace(document: TomlTable) -> bool:
    # All members of one share an environment, so that what each asks for counts:
    # https://docs.astral.sh/uv/concepts/projects/workspaces/
    return "workspace" in toml.table_at(toml.table_at(document, "tool"), "uv")


def _of_lock(app: App) -> Iterator[PythonRange]:
    """Yield what the app's lock of the standard form says at its head; its body may be long.

    https://packaging.python.org/en/latest/specifications/pylock-toml/#requires-python
    """
    locks = [name for name in sorted(app.names) if _LOCK.fullmatch(name)]
    name = PYLOCK if PYLOCK in locks else locks[0] if len(locks) == 1 else ""
    text = ((name and app.bytes_of(name)) or b"").decode("utf-8-sig", "replace")
    for number, line in enumerate(text.split("\n"), start=1):
        if line.startswith("["):
            return
        if found := _REQUIRES.fullmatch(line.strip()):
            origin = Origin(app.shown(name), number, "requires-python")
            yield parse_specifier(found[2], origin)


def _of_pdm(app: App) -> Iterator[PythonRange]:
    """Yield the range for which a lock of PDM's was made; one for several machines has several.

    It may be narrower than the project's: https://pdm-project.org/latest/usage/lock-targets/
    """
    if PDM_LOCK not in app.names:
        return
    text = (app.bytes_of(PDM_LOCK) or b"").decode("utf-8-sig", "replace")
    head = text.partition("[[package]]")[0]
    found = [
        (number, one[2])
        for number, line in enumerate(head.split("\n"), start=1)
        if (one := _TARGET.fullmatch(line.strip()))
    ]
    if len(found) == 1:
        number, said = found[0]
        yield parse_specifier(said, Origin(app.shown(PDM_LOCK), number, "requires_python"))


def _ranges(app: App) -> Iterator[PythonRange]:
    document = toml_of(app, PYPROJECT)
    if "requires-python" in (table := toml.table_at(document, "project")):
        origin = _origin(app, "project", "requires-python")
        if said := _text(table["requires-python"], origin):
            yield parse_specifier(said, origin)
    poetry = toml.table_at(toml.table_at(document, "tool"), "poetry")
    if "python" in (table := toml.table_at(poetry, "dependencies")):
        value, origin = table["python"], _origin(app, "tool.poetry.dependencies", "python")
        if said := _text(value.get("version") if isinstance(value, dict) else value, origin):
            yield parse_constraint(said, origin)


def _origin(app: App, table: str, key: str) -> Origin:
    line = toml_line(app.text(PYPROJECT) or "", table, key)
    return Origin(app.shown(PYPROJECT), line, key)


def _text(value: object, origin: Origin) -> str:
    if not isinstance(value, str):
        raise InvalidPythonRange(visible(str(value)), str(origin), "")
    return value.strip()


TOOL_VERSIONS = ".tool-versions"
# In the order in which mise prefers them.
MISE_FILES = ("mise.toml", ".mise.toml")
_TOOLS = ("python", "core:python")
# Whatever the machine has: an image has nothing yet.
_NOBODYS = ("", "system")
_NEWEST = ("latest", "3")


def by_asdf(app: App) -> PythonRequest | PythonRange | None:
    """Return what `.tool-versions` asks for first; the others are what asdf falls back to.

    Raises what `parse_version` raises.
    """
    text = app.text(TOOL_VERSIONS) or ""
    for number, line in enumerate(text.split("\n"), start=1):
        tool, *versions = line.partition("#")[0].split() or [""]
        if tool in _TOOLS and versions:
            return _request(versions[0], Origin(app.shown(TOOL_VERSIONS), number))
    return None


def by_mise(app: App) -> PythonRequest | PythonRange | None:
    """Return what the first of mise's files asks for. Raises UnreadableToml and as `by_asdf`."""
    for name in MISE_FILES:
        tools = toml.table_at(toml_of(app, name), "tools")
        tool = next((tool for tool in _TOOLS if tool in tools), None)
        if tool:
            line = toml_line(app.text(name) or "", "tools", tool)
            origin = Origin(app.shown(name), line)
            return _request(_version(tools[tool], origin), origin)
    return None


def _version(value: TomlValue, origin: Origin) -> str:
    """Return the version in `"3.14"`, `{version = "3.14"}`, or the first of an array of them."""
    match value:
        case str():
            return value
        case dict():
            return _version(value.get("version", ""), origin)
        case list():
            return _version(value[0], origin) if value else ""
        case _:
            raise InvalidPythonVersion(visible(str(value)), str(origin), "")


def _request(text: str, origin: Origin) -> PythonRequest | PythonRange | None:
    plain = text.strip().removeprefix("prefix:")
    if plain in _NOBODYS:
        return None
    if plain in _NEWEST:
        return parse_constraint("^3", origin)._replace(text=plain)
    return parse_version(plain, origin, lenient=True)


VERSION_FILE = ".python-version"
RUNTIME = "runtime.txt"

# Another mark than the dot at the start, blanks, quotes, another separator, something behind.
# `python_version.py` is a module, and `python-version.yml` somebody else's.
_MISSPELT = re.compile(
    r"""[\s'"]*[.,]\s*python[-_. ]?version[\s'".]*(txt|rtf|py)?[\s'".]*"""
    r"""|[\s'"]*python[-_.]version\.?(txt)?[\s'"]*""",
    re.IGNORECASE,
)
# What starts a file of Windows' own PowerShell: `3.14 > .python-version`.
_UTF_16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


def read(app: App, name: str) -> PythonRequest | None:
    """Return the one request in the app's file *name*, None where there is no such file.

    Raises VersionFileNotUtf8, NoPythonVersion, SeveralPythonVersions and what `parse_version` and
    `App.text` raise.
    """
    shown = app.shown(name)
    _check_encoding(app.content(name), shown)
    text = app.text(name)
    return None if text is None else parse_version_file(text, shown)


def parse_version_file(text: str, name: str) -> PythonRequest:
    """Return the one request in *text*, the content of the file *name*.

    Blank lines and lines that start with `#` say nothing. Raises NoPythonVersion,
    SeveralPythonVersions and what `parse_version` raises.
    """
    # Not `splitlines`: it also splits at characters that no editor shows as a new line.
    lines = [(number, line.strip()) for number, line in enumerate(text.split("\n"), start=1)]
    said = [(number, line) for number, line in lines if line and not line.startswith("#")]
    match said:
        case []:
            raise NoPythonVersion(name)
        case [(number, line)]:
            return parse_version(line, Origin(name, number), lenient=True)
        case _:
            raise SeveralPythonVersions(
                name, tuple((number, visible(line)) for number, line in said)
            )


def misspelt(names: Iterable[str]) -> tuple[str, ...]:
    """Return those of *names* that were probably meant to be `.python-version`.

    >>> misspelt([".python_version", "python-version.txt", ".python-version", "python_version.py"])
    ('.python_version', 'python-version.txt')
    """
    return tuple(
        sorted(name for name in names if name != VERSION_FILE and _MISSPELT.fullmatch(name))
    )


def check_spelling(app: App) -> None:
    """Refuse a misspelt file, since nobody reads it. Raises MisspeltVersionFile.

    Also beside a good one: whoever edits the wrong one wonders why nothing changes.
    """
    if found := misspelt(app.files):
        shown = tuple(map(app.shown, found))
        exists = VERSION_FILE in app.names
        raise MisspeltVersionFile(shown, app.shown(VERSION_FILE), exists)


def _check_encoding(content: bytes | None, name: str) -> None:
    if not content or b"\0" not in content:
        return
    encoding = _UTF_16.get(content[:2]) or ("utf-16-be" if content[0] == 0 else "utf-16-le")
    text = content.decode(encoding, "replace")
    if version := likely(text):
        raise VersionFileNotUtf8(name, "UTF-16", version)
