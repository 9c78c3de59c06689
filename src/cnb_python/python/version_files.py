"""Reads the version sources of an app, one function each.

These are `.python-version`, `runtime.txt`, lock files, `pyproject.toml` and the files of asdf and
mise; their order is in `sources`.
https://github.com/pyenv/pyenv#understanding-python-version-selection
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from cnb_python.app import App
from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable, TomlValue
from cnb_python.errors.locks import UnexpectedType
from cnb_python.errors.python import (
    MisspelledVersionFile,
    NoPythonVersion,
    SeveralPythonVersions,
    VersionFileNotUtf8,
)
from cnb_python.python.origin import (
    Origin,
    json_line,
    json_of,
    toml_line,
    toml_of,
    visible,
)
from cnb_python.python.request import PythonRequest, likely, parse_version
from cnb_python.python.specifiers import PythonRange, parse_constraint, parse_specifier
from cnb_python.system.json_text import JsonValue

VERSION_FILE = ".python-version"
RUNTIME = "runtime.txt"
PYPROJECT = "pyproject.toml"
PIPFILE = "Pipfile"
PIPFILE_LOCK = "Pipfile.lock"
PYLOCK = "pylock.toml"
PDM_LOCK = "pdm.lock"
TOOL_VERSIONS = ".tool-versions"
# In the order in which mise prefers them.
MISE_FILES = ("mise.toml", ".mise.toml")

# Another character in place of the dot, blanks, quotes, another separator, a suffix. Not
# `python_version.py`, which is a module, nor `python-version.yml`.
_MISSPELT = re.compile(
    r"""[\s'"]*[.,]\s*python[-_. ]?version[\s'".]*(txt|rtf|py)?[\s'".]*"""
    r"""|[\s'"]*python[-_.]version\.?(txt)?[\s'"]*""",
    re.IGNORECASE,
)
# The start of a file that PowerShell of Windows writes: `3.14 > .python-version`.
_UTF_16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}

_LOCK = re.compile(r"pylock(\.[^.]+)?\.toml")
_REQUIRES = re.compile(r"""requires-python\s*=\s*(["'])(.+)\1\s*(?:#.*)?""")
_TARGET = re.compile(r"""requires_python\s*=\s*(["'])(.+)\1\s*(?:#.*)?""")
# As Pipenv writes them: https://pipenv.pypa.io/en/latest/pipfile.html
_PIPENV_FIELDS = ("python_full_version", "python_version")
_ANY = "*"
_TOOLS = ("python", "core:python")
# The Python of the machine: an image has no Python yet.
_SYSTEM = ("", "system")
_NEWEST = ("latest", "3")


def read_version_file(app: App, name: str) -> PythonRequest | None:
    """Return the request in the app's file *name*, None if there is no such file.

    Raises VersionFileNotUtf8, NoPythonVersion, SeveralPythonVersions and what `parse_version` and
    `App.text` raise.
    """
    shown = app.shown(name)
    _check_encoding(app.content(name), shown)
    text = app.text(name)
    return None if text is None else parse_version_file(text, shown)


def parse_version_file(text: str, name: str) -> PythonRequest:
    """Return the request in *text*, the content of the file *name*.

    Blank lines and lines that start with `#` do not count. Raises NoPythonVersion,
    SeveralPythonVersions and what `parse_version` raises.
    """
    # Not `splitlines`: it also splits at characters that no editor shows as a new line.
    lines = [(number, line.strip()) for number, line in enumerate(text.split("\n"), start=1)]
    versions = [(number, line) for number, line in lines if line and not line.startswith("#")]
    match versions:
        case []:
            raise NoPythonVersion(name)
        case [(number, line)]:
            return parse_version(line, Origin(name, number), lenient=True)
        case _:
            raise SeveralPythonVersions(
                name, tuple((number, visible(line)) for number, line in versions)
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
    """Refuse a misspelt file, which no tool reads. Raises MisspelledVersionFile.

    Also if a correct one exists: editing the wrong one would have no effect.
    """
    if names := misspelt(app.files):
        shown = tuple(map(app.shown, names))
        exists = VERSION_FILE in app.names
        raise MisspelledVersionFile(shown, app.shown(VERSION_FILE), exists)


def _check_encoding(content: bytes | None, name: str) -> None:
    if not content or b"\0" not in content:
        return
    encoding = _UTF_16.get(content[:2]) or ("utf-16-be" if content[0] == 0 else "utf-16-le")
    text = content.decode(encoding, "replace")
    if version := likely(text):
        raise VersionFileNotUtf8(name, "UTF-16", version)


def pipenv_request(app: App) -> PythonRequest | None:
    """Return the request of `Pipfile.lock`, or of the `Pipfile` if there is no lock file.

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
    """Return the table `_meta.requires`, empty if it is missing."""
    meta = document.get("_meta") if isinstance(document, dict) else None
    requires = meta.get("requires") if isinstance(meta, dict) else None
    return requires if isinstance(requires, dict) else {}


def _of_pipenv(
    fields: Mapping[str, object], name: str, lines: Mapping[str, int | None]
) -> PythonRequest | None:
    for field in _PIPENV_FIELDS:
        value = fields.get(field)
        if isinstance(value, int | float):
            # Without quotes 3.10 is read as 3.1.
            raise UnexpectedType(name, field, lines[field], str(value), "text in quotes")
        if isinstance(value, str) and value.strip() not in {"", _ANY}:
            return parse_version(value, Origin(name, lines[field], field), lenient=True)
    return None


def project_ranges(app: App) -> tuple[PythonRange, ...]:
    """Return the ranges in `pyproject.toml`, in that of uv's workspace, and in the lock file.

    Raises UnreadableToml and InvalidPythonRange.
    """
    workspaces = (parent for parent in app.above if _is_workspace(toml_of(parent, PYPROJECT)))
    above = (bound for workspace in workspaces for bound in _ranges(workspace))
    return (*_ranges(app), *above, *_of_lock(app), *_of_pdm(app))


def _is_workspace(document: TomlTable) -> bool:
    # The members of a workspace share an environment, so the ranges of all of them count:
    # https://docs.astral.sh/uv/concepts/projects/workspaces/
    return "workspace" in toml.table_at(toml.table_at(document, "tool"), "uv")


def _of_lock(app: App) -> Iterator[PythonRange]:
    """Yield the range in the app's `pylock.toml`. Only its head is read: the rest may be long.

    https://packaging.python.org/en/latest/specifications/pylock-toml/#requires-python
    """
    locks = [name for name in sorted(app.names) if _LOCK.fullmatch(name)]
    name = PYLOCK if PYLOCK in locks else locks[0] if len(locks) == 1 else ""
    text = ((name and app.bytes_of(name)) or b"").decode("utf-8-sig", "replace")
    for number, line in enumerate(text.split("\n"), start=1):
        if line.startswith("["):
            return
        if match := _REQUIRES.fullmatch(line.strip()):
            origin = Origin(app.shown(name), number, "requires-python")
            yield parse_specifier(match[2], origin)


def _of_pdm(app: App) -> Iterator[PythonRange]:
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
        yield parse_specifier(text, Origin(app.shown(PDM_LOCK), number, "requires_python"))


def _ranges(app: App) -> Iterator[PythonRange]:
    document = toml_of(app, PYPROJECT)
    if "requires-python" in (table := toml.table_at(document, "project")):
        origin = _origin(app, "project", "requires-python")
        if text := _text(table["requires-python"], origin):
            yield parse_specifier(text, origin)
    poetry = toml.table_at(toml.table_at(document, "tool"), "poetry")
    if "python" in (table := toml.table_at(poetry, "dependencies")):
        value, origin = table["python"], _origin(app, "tool.poetry.dependencies", "python")
        if text := _text(value.get("version") if isinstance(value, dict) else value, origin):
            yield parse_constraint(text, origin)


def _origin(app: App, table: str, key: str) -> Origin:
    line = toml_line(app.text(PYPROJECT) or "", table, key)
    return Origin(app.shown(PYPROJECT), line, key)


def _text(value: object, origin: Origin) -> str:
    if not isinstance(value, str):
        raise _not_text(value, origin, origin.field, '">=3.12"')
    return value.strip()


def asdf_request(app: App) -> PythonRequest | PythonRange | None:
    """Return the first Python in `.tool-versions`; asdf falls back to the others.

    Raises what `parse_version` raises.
    """
    text = app.text(TOOL_VERSIONS) or ""
    for number, line in enumerate(text.split("\n"), start=1):
        tool, *versions = line.partition("#")[0].split() or [""]
        if tool in _TOOLS and versions:
            return _request(versions[0], Origin(app.shown(TOOL_VERSIONS), number))
    return None


def mise_request(app: App) -> PythonRequest | PythonRange | None:
    """Return the request of the first of mise's files that has one.

    Raises UnreadableToml and what `parse_version` raises.
    """
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
            raise _not_text(value, origin, "tools.python", 'python = "3.14"')


def _not_text(value: object, origin: Origin, key: str, example: str) -> UnexpectedType:
    # Not the value in quotes: TOML reads 3.10 as 3.1.
    shown = visible(str(value))
    return UnexpectedType(
        origin.name, key, origin.line, shown, f"text in quotes, such as {example}"
    )


def _request(text: str, origin: Origin) -> PythonRequest | PythonRange | None:
    plain = text.strip().removeprefix("prefix:")
    if plain in _SYSTEM:
        return None
    if plain in _NEWEST:
        return parse_constraint("^3", origin)._replace(text=plain)
    return parse_version(plain, origin, lenient=True)
