"""Recognises what of the app's files and of its own settings pip refuses. Pure."""

import re

from cnb_python.errors.inputs import OutsideApp
from cnb_python.errors.install import BadPipOption, BadRequirement
from cnb_python.errors.kinds import BuildpackError

_PROCESSING = re.compile(r"^Processing (\S+)(?: \((from .+)\))?$", re.MULTILINE)
_NOTHING_THERE = re.compile(
    r"ERROR: Could not install packages due to an OSError: \[Errno 2\] No such file or directory: "
    r"'([^']+)'"
)
_NO_FILE = re.compile(r"Hint: It looks like a path\. File '([^']+)' does not exist")
_NO_EDITABLE = re.compile(r"ERROR: (\S+) is not a valid editable requirement")
_PLACE = re.compile(r"\(from (?:line (\d+) of (\S+?)|-r (\S+) \(line (\d+)\))\)")
# Patterns with the option, its value, and what is expected; the first three by pip's own words.
_NO_NUMBER = re.compile(r"option ([\w-]+): invalid (\w+) value: '([^']*)'")
_NO_CHOICE = re.compile(r"option ([\w-]+): invalid choice: '([^']*)' \(choose from (.+?)\)")
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
    if found := _NO_CHOICE.search(output):
        return BadPipOption(found[1], found[2], f"one of {found[3]}")
    if found := _NO_VALUE.search(output):
        return BadPipOption(found[2], found[1], found[3])
    if found := _NO_SCHEME.search(output):
        return BadPipOption("index-url", found[1], "an address, which begins with https://")
    if found := _NO_PROXY.search(output):
        return BadPipOption("proxy", found[1], "an address such as http://proxy.example.com:3128")
    return None


def missing_path(output: str) -> BuildpackError | None:
    """Recognise paths where nothing is: outside of the app, or of the machine of somebody else.

    `pip freeze` of conda writes those of the machine that built a package.
    """
    place = _PLACE.search(output)
    line, file = (place[1] or place[4], place[2] or place[3]) if place else ("", "")
    if found := _NO_FILE.search(output):
        # pip says itself what it makes of one that is in the app.
        return _outside(found[1], file)
    if found := _NO_EDITABLE.search(output):
        problem = "there is no project at that path"
        return _outside(found[1], file) or BadRequirement(f"-e {found[1]}", "", problem)
    if gone := _NOTHING_THERE.search(output):
        named = [one[1] for one in _PROCESSING.finditer(output, 0, gone.start())][-1:]
        if outside := _outside("".join(named), file):
            return outside
        if named == [gone[1]]:
            where = f"line {line} of {file}" if line else ""
            return BadRequirement(gone[1], where, "there is nothing at that path")
    if found := re.search(r"ERROR: (\S+) recursively references itself in (\S+)", output):
        return BadRequirement(f"-r {found[1]}", found[2], "the file includes itself")
    return None


def _outside(path: str, file: str) -> BuildpackError | None:
    return OutsideApp(file or "requirements.txt", path) if path.startswith("../") else None
