"""Parses `.python-version` and `runtime.txt`; knows the names that were meant to be the former.

https://github.com/pyenv/pyenv#understanding-python-version-selection
"""

import re
from collections.abc import Iterable

from cnb_python.app import Project
from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlValue
from cnb_python.errors.python import (
    InvalidPythonVersion,
    MisspeltVersionFile,
    NoPythonVersion,
    SeveralPythonVersions,
    VersionFileNotUtf8,
)
from cnb_python.python.line_numbers import toml_line, toml_of
from cnb_python.python.origin import Origin, visible
from cnb_python.python.request import PythonRequest, likely, parse_version
from cnb_python.python.specifiers import PythonRange, parse_constraint

TOOL_VERSIONS = ".tool-versions"
# In the order in which mise prefers them.
MISE_FILES = ("mise.toml", ".mise.toml")
_TOOLS = ("python", "core:python")
# Whatever the machine has: an image has nothing yet.
_NOBODYS = ("", "system")
_NEWEST = ("latest", "3")


def by_asdf(project: Project) -> PythonRequest | PythonRange | None:
    """Return what `.tool-versions` asks for first; the others are what asdf falls back to.

    Raises what `parse_version` raises.
    """
    text = project.text(TOOL_VERSIONS) or ""
    for number, line in enumerate(text.split("\n"), start=1):
        tool, *versions = line.partition("#")[0].split() or [""]
        if tool in _TOOLS and versions:
            return _request(versions[0], Origin(project.shown(TOOL_VERSIONS), number))
    return None


def by_mise(project: Project) -> PythonRequest | PythonRange | None:
    """Return what the first of mise's files asks for. Raises UnreadableToml and as `by_asdf`."""
    for name in MISE_FILES:
        tools = toml.table_at(toml_of(project, name), "tools")
        tool = next((tool for tool in _TOOLS if tool in tools), None)
        if tool:
            line = toml_line(project.text(name) or "", "tools", tool)
            origin = Origin(project.shown(name), line)
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


def read(project: Project, name: str) -> PythonRequest | None:
    """Return the one request in the app's file *name*, None where there is no such file.

    Raises VersionFileNotUtf8, NoPythonVersion, SeveralPythonVersions and what `parse_version` and
    `Project.text` raise.
    """
    shown = project.shown(name)
    _check_encoding(project.content(name), shown)
    text = project.text(name)
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


def check_spelling(project: Project) -> None:
    """Refuse a misspelt file, since nobody reads it. Raises MisspeltVersionFile.

    Also beside a good one: whoever edits the wrong one wonders why nothing changes.
    """
    if found := misspelt(project.files):
        shown = tuple(map(project.shown, found))
        exists = VERSION_FILE in project.names
        raise MisspeltVersionFile(shown, project.shown(VERSION_FILE), exists)


def _check_encoding(content: bytes | None, name: str) -> None:
    if not content or b"\0" not in content:
        return
    encoding = _UTF_16.get(content[:2]) or ("utf-16-be" if content[0] == 0 else "utf-16-le")
    text = content.decode(encoding, "replace")
    if version := likely(text):
        raise VersionFileNotUtf8(name, "UTF-16", version)
