"""Scripts in one form, whichever tool wrote them. Pure.

https://packaging.python.org/en/latest/specifications/entry-points/
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

_SECTIONS = ("console_scripts", "gui_scripts")
_SECTION = re.compile(r"\[\s*([^\]]*?)\s*\]")
# `module:object.attribute [extra]`; a script needs an object to call.
_TARGET = re.compile(r"\s*([\w.]+)\s*:\s*([\w.]+)\s*(?:\[.*\]\s*)?")
# What Linux reads of a first line, by its oldest limit, the end of the line included.
_LONGEST_SHEBANG = 127
# What begins a script for a long path, in the forms of pip and uv.
_INDIRECT = re.compile(rb"#!/bin/sh\r?\n'''exec' (?P<path>.*?) \"\$0\" \"\$@\"\r?\n' '''\r?\n")
_DIRECT = re.compile(rb"#!(?P<path>[^\r\n]*)\r?\n")

_SCRIPT = """\
import sys
from {module} import {name}

if __name__ == "__main__":
    sys.exit({call}())
"""


class EntryPoint(NamedTuple):
    """What a script calls."""

    module: str
    attribute: str


def declared(entry_points: bytes, line: str) -> dict[str, EntryPoint]:
    """Return the scripts that an `entry_points.txt` declares, by name; *line* is `3.14`.

    What is not understood is left out. Versioned names of pip are as pip makes them.
    """
    found: dict[str, EntryPoint] = {}
    for name, target in _entries(entry_points.decode("utf-8", "surrogateescape")):
        callee = _TARGET.fullmatch(target)
        if callee and name not in {".", ".."} and not set(name) & set("/\0"):
            found[name] = EntryPoint(callee[1], callee[2])
    return _versioned(found, line.removesuffix("t"))


def script(entry: EntryPoint, python: str) -> bytes:
    """Return the script that calls *entry* in the interpreter at *python*."""
    name = entry.attribute.partition(".")[0]
    body = _SCRIPT.format(module=entry.module, name=name, call=entry.attribute)
    return _start(python) + body.encode()


def started_by(content: bytes, root: str, final: str) -> bytes | None:
    """Return script *content* for the environment *final* if it names an interpreter of *root*'s.

    None where it names none. Either may be what installed it knew the environment as.
    """
    first = _INDIRECT.match(content) or _DIRECT.match(content)
    if not first:
        return None
    path = first["path"].strip(b" '\"")
    homes = {f"{one}/bin/python".encode(errors="surrogateescape") for one in (root, final)}
    if not any(re.fullmatch(re.escape(home) + rb"[\w.]*['\"]?( .*)?", path) for home in homes):
        return None
    return _start(f"{final}/bin/python") + content[first.end() :]


def _start(python: str) -> bytes:
    line = f"#!{python}\n".encode(errors="surrogateescape")
    if len(line) <= _LONGEST_SHEBANG and b" " not in line:
        return line
    # To the shell a call of Python, to Python a string: https://github.com/pypa/pip/pull/2945
    quoted = f"'''exec' \"{python}\" \"$0\" \"$@\"\n' '''\n".encode(errors="surrogateescape")
    return b"#!/bin/sh\n" + quoted


def _entries(text: str) -> Iterator[tuple[str, str]]:
    section = ""
    for line in map(str.strip, text.splitlines()):
        if header := _SECTION.fullmatch(line):
            section = header[1]
        elif section in _SECTIONS and line and line[0] not in "#;" and "=" in line:
            name, _, target = line.partition("=")
            yield name.strip(), target


def _versioned(found: Mapping[str, EntryPoint], line: str) -> dict[str, EntryPoint]:
    """Return *found* with `pip3.14` for whatever version the wheel's maker had.

    https://github.com/pypa/pip/blob/main/src/pip/_internal/operations/install/wheel.py
    """
    made = dict(found)
    if "pip" in made:
        made = {name: one for name, one in made.items() if not re.fullmatch(r"pip\d[\d.]*", name)}
        made |= dict.fromkeys(("pip3", f"pip{line}"), made["pip"])
    if "easy_install" in made:
        made = {name: one for name, one in made.items() if not name.startswith("easy_install-")}
        made[f"easy_install-{line}"] = made["easy_install"]
    return made
