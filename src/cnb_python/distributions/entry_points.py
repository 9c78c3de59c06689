"""Reads entry points and normalizes the scripts in `bin`, whichever tool wrote them. Pure.

https://packaging.python.org/en/latest/specifications/entry-points/
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

_SECTIONS = ("console_scripts", "gui_scripts")
_SECTION = re.compile(r"\[\s*([^\]]*?)\s*\]")
# `module:object.attribute [extra]`; the object is required for a script.
_TARGET = re.compile(r"\s*([\w.]+)\s*:\s*([\w.]+)\s*(?:\[.*\]\s*)?")
# The oldest limit of Linux for a first line, including its end.
_LONGEST_SHEBANG = 127
# The first lines that pip and uv write for a long path.
_INDIRECT = re.compile(rb"#!/bin/sh\r?\n'''exec' (?P<path>.*?) \"\$0\" \"\$@\"\r?\n' '''\r?\n")
_PLACEHOLDER = b"#!python"
_DIRECT = re.compile(rb"#!(?P<path>[^\r\n]*)\r?\n")

# File systems allow 255 bytes, and the file is written under a longer name first.
_LONGEST_NAME = 240
_SCRIPT = """\
import sys
from {module} import {name}

if __name__ == "__main__":
    sys.exit({call}())
"""


class EntryPoint(NamedTuple):
    """The object that a script calls."""

    module: str
    attribute: str


def declared(entry_points: bytes, line: str) -> dict[str, EntryPoint]:
    """Return the scripts in the content of an `entry_points.txt`, by name; *line* is `3.14`.

    Invalid entries are skipped. The versioned scripts of pip are named as pip names them.
    """
    scripts: dict[str, EntryPoint] = {}
    for name, target in _entries(entry_points.decode("utf-8", "surrogateescape")):
        callee = _TARGET.fullmatch(target)
        if callee and _is_file_name(name):
            scripts[name] = EntryPoint(callee[1], callee[2])
    return _versioned(scripts, line.removesuffix("t"))


def _is_file_name(name: str) -> bool:
    is_path = name in {".", ".."} or bool(set(name) & set("/\0"))
    return not is_path and len(name.encode(errors="surrogateescape")) <= _LONGEST_NAME


def script(entry: EntryPoint, python: str) -> bytes:
    """Return the script that calls *entry* with the interpreter at *python*."""
    name = entry.attribute.partition(".")[0]
    body = _SCRIPT.format(module=entry.module, name=name, call=entry.attribute)
    return _start(python) + body.encode()


def with_interpreter(content: bytes, root: str, final: str) -> bytes | None:
    """Return the script *content* with a first line for the interpreter of environment *final*.

    None if its first line names no interpreter below *root* or *final*.
    """
    first = _INDIRECT.match(content) or _DIRECT.match(content)
    if not first:
        return None
    path = first["path"].strip(b" '\"")
    interpreters = {
        f"{environment}/bin/python".encode(errors="surrogateescape")
        for environment in (root, final)
    }
    if not any(
        re.fullmatch(re.escape(interpreter) + rb"[\w.]*['\"]?( .*)?", path)
        for interpreter in interpreters
    ):
        return None
    return _start(f"{final}/bin/python") + content[first.end() :]


def with_placeholder(content: bytes, final: str) -> bytes:
    """Return the script *content* of a wheel with a first line for environment *final*.

    https://packaging.python.org/en/latest/specifications/binary-distribution-format/#recommended-installer-features
    """
    if not content.startswith(_PLACEHOLDER):
        return content
    _, end, body = content.partition(b"\n")
    return _start(f"{final}/bin/python") + (body if end else b"")


def _start(python: str) -> bytes:
    line = f"#!{python}\n".encode(errors="surrogateescape")
    if len(line) <= _LONGEST_SHEBANG and b" " not in line:
        return line
    # The shell runs Python, and Python reads a string: https://github.com/pypa/pip/pull/2945
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


def _versioned(scripts: Mapping[str, EntryPoint], line: str) -> dict[str, EntryPoint]:
    """Return *scripts* with `pip3.14` in place of the version with which the wheel was built.

    https://github.com/pypa/pip/blob/main/src/pip/_internal/operations/install/wheel.py
    """
    versioned = dict(scripts)
    if "pip" in versioned:
        for name in scripts:
            if re.fullmatch(r"pip\d[\d.]*", name):
                del versioned[name]
        versioned |= dict.fromkeys(("pip3", f"pip{line}"), versioned["pip"])
    if "easy_install" in versioned:
        for name in scripts:
            if name.startswith("easy_install-"):
                del versioned[name]
        versioned[f"easy_install-{line}"] = versioned["easy_install"]
    return versioned
