"""Recognises what of the app's files and of its own settings pip refuses. Pure."""

import re

from cnb_python.errors.install import BadPipOption, BadRequirement
from cnb_python.errors.kinds import BuildpackError

_NO_PATH = re.compile(
    r"^Processing (\S+)(?: \((from .+)\))?\n(?:.*\n)*?.*ERROR: Could not install packages due to "
    r"an OSError: \[Errno 2\] No such file or directory: '\1'",
    re.MULTILINE,
)
# Patterns with the option, its value, and what is expected; the first two by pip's own words.
_NO_NUMBER = re.compile(r"option ([\w-]+): invalid (\w+) value: '([^']*)'")
_NO_VALUE = re.compile(
    r"^\s*(\S.*?) is not a valid value for ([\w-]+) option, please specify (.+?)(?: instead)?\.$",
    re.MULTILINE,
)
_NO_SCHEME = re.compile(r'The index url "([^"]*)" seems invalid')
_NO_PROXY = re.compile(r"OSError: Failed to parse: '([^']*)' is not a valid host or port")


def bad_option(output: str) -> BuildpackError | None:
    """Recognise a variable `PIP_*`, or an entry of pip.conf, with a value that it cannot have."""
    if found := _NO_NUMBER.search(output):
        return BadPipOption(found[1], found[3], f"an {found[2]}")
    if found := _NO_VALUE.search(output):
        return BadPipOption(found[2], found[1], found[3])
    if found := _NO_SCHEME.search(output):
        return BadPipOption("index-url", found[1], "an address, which begins with https://")
    if found := _NO_PROXY.search(output):
        return BadPipOption("proxy", found[1], "an address such as http://proxy.example.com:3128")
    return None


def missing_path(output: str) -> BuildpackError | None:
    """Recognise what `pip freeze` of conda writes: paths of the machine that built a package."""
    found = _NO_PATH.search(output)
    if found:
        place = re.search(r"-r (\S+) \((line \d+)\)", found[2] or "")
        where = f"{place[2]} of {place[1]}" if place else ""
        return BadRequirement(found[1], where, "there is nothing at that path")
    if found := re.search(r"ERROR: (\S+) recursively references itself in (\S+)", output):
        return BadRequirement(f"-r {found[1]}", found[2], "the file includes itself")
    return None
