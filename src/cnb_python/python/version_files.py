"""Reads the version sources of an app, one function each.

These are `.python-version`, `runtime.txt`, the files of Pipenv, and those of asdf and mise; their
order is in `sources`.
https://github.com/pyenv/pyenv#understanding-python-version-selection
"""

import re
from collections.abc import Iterable, Mapping

from cnb_python.app import App
from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlValue
from cnb_python.errors.locks import UnexpectedType
from cnb_python.errors.python_requests import (
    MisspelledVersionFile,
    NoPythonVersion,
    SeveralPythonVersions,
    VersionFileNotUtf8,
)
from cnb_python.python.origin import (
    Origin,
    json_line,
    json_of,
    not_text,
    toml_line,
    toml_of,
    visible,
)
from cnb_python.python.request import PythonRequest, likely, parse_version
from cnb_python.python.specifiers import PythonRange, parse_constraint
from cnb_python.system.json_text import JsonValue

VERSION_FILE = ".python-version"
RUNTIME = "runtime.txt"
PIPFILE = "Pipfile"
PIPFILE_LOCK = "Pipfile.lock"
TOOL_VERSIONS = ".tool-versions"
# In the order in which mise prefers them; without those for one machine (`mise.local.toml`):
# https://mise.jdx.dev/configuration.html
MISE_FILES = (
    *("mise.toml", ".mise.toml", "mise/config.toml", ".mise/config.toml"),
    *(".config/mise.toml", ".config/mise/config.toml"),
)
MISE_PARTS = ".config/mise/conf.d"

# Another character in place of the dot, blanks, quotes, another separator, a suffix. Not
# `python_version.py`, which is a module, nor `python-version.yml`.
_MISSPELT = re.compile(
    r"""[\s'"]*[.,]\s*python[-_. ]?version[\s'".]*(txt|rtf|py)?[\s'".]*"""
    r"""|[\s'"]*python[-_.]version\.?(txt)?[\s'"]*""",
    re.IGNORECASE,
)
# The start of a file that PowerShell of Windows writes: `3.14 > .python-version`.
_UTF_16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}

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
    for name in (*MISE_FILES, *_mise_parts(app)):
        tools = toml.table_at(toml_of(app, name), "tools")
        tool = next((tool for tool in _TOOLS if tool in tools), None)
        if tool:
            line = toml_line(app.text(name) or "", "tools", tool)
            origin = Origin(app.shown(name), line)
            return _request(_version(tools[tool], origin), origin)
    return None


def _mise_parts(app: App) -> list[str]:
    parts = (app.directory / MISE_PARTS).glob("*.toml")
    return sorted(path.relative_to(app.directory).as_posix() for path in parts)


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
            raise not_text(value, origin, "tools.python", 'python = "3.14"')


def _request(text: str, origin: Origin) -> PythonRequest | PythonRange | None:
    plain = text.strip().removeprefix("prefix:")
    if plain in _SYSTEM:
        return None
    if plain in _NEWEST:
        return parse_constraint("^3", origin)._replace(text=plain)
    return parse_version(plain, origin, lenient=True)
