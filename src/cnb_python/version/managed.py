"""What version managers' files say about Python: `.tool-versions`, `mise.toml`.

https://asdf-vm.com/manage/configuration.html#tool-versions
https://mise.jdx.dev/configuration.html
"""

from cnb_python.app import Project
from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlValue
from cnb_python.errors.python import InvalidPythonVersion
from cnb_python.version.constraint import PythonRange, parse_constraint
from cnb_python.version.documents import toml_line, toml_of
from cnb_python.version.origin import Origin, visible
from cnb_python.version.request import PythonRequest, parse_version

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
