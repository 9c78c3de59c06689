"""Warns of commands in the Procfile that cannot start in the image.

Separate from `processes`, which decides what the image starts.
"""

import os
import re
from collections.abc import Collection, Iterable, Iterator
from io import BufferedReader
from pathlib import Path

from cnb_python.errors.base import Message
from cnb_python.launch.procfile import ProcfileEntry
from cnb_python.system import regular_file

# Package managers that run programs of an environment of their own. The image has none of them.
_RUNNER = re.compile(r"(?:exec\s+)?(poetry|uv|pipenv|pdm|rye|hatch)\s+run\s+(.*)")
_SHELL = re.compile(r"(?:exec\s+)?(?:/bin/)?(?:ba|da)?sh\s+([^\s-]\S*)")
_FIRST = re.compile(r"(?:exec\s+)?(\S+)")
_MAX_BYTES = 4096


def warnings(
    entries: Iterable[ProcfileEntry], directory: Path, installed: Collection[str]
) -> tuple[Message, ...]:
    """Return a warning for each of the *entries* that cannot start.

    *directory*: that of the app; *installed*: the normalized names of its packages.
    """
    return tuple(message for entry in entries for message in _of(entry, directory, installed))


def _of(entry: ProcfileEntry, directory: Path, installed: Collection[str]) -> Iterator[Message]:
    command = entry.command.strip()
    if (runner := _RUNNER.fullmatch(command)) and runner[1] not in installed:
        yield _needs_manager(entry, runner[1], runner[2])
    elif shell := _SHELL.match(command):
        yield from _of_script(entry, shell[1], directory, needs_mode=False)
    elif (first := _FIRST.match(command)) and "/" in first[1]:
        yield from _of_script(entry, first[1], directory, needs_mode=True)


def _needs_manager(entry: ProcfileEntry, manager: str, program: str) -> Message:
    has_options = program.startswith("-")
    line = "the command after its options" if has_options else f"{entry.type}: {program}"
    return Message(
        title=f"{entry.type} cannot start: the image has no {manager}",
        body=(
            f"The Procfile starts {entry.type} with `{manager} run`, line {entry.line}.",
            "The programs of the app's packages are on PATH, so write only the command:",
            f"    {line}",
        ),
    )


def _of_script(
    entry: ProcfileEntry, name: str, directory: Path, *, needs_mode: bool
) -> Iterator[Message]:
    """Yield what is wrong with the script *name* of the app: its mode, its line endings."""
    path = directory / name
    if not path.is_file() or not path.resolve().is_relative_to(directory.resolve()):
        return
    relative = name.removeprefix("./")
    if needs_mode and not os.access(path, os.X_OK):
        yield Message(
            title=f"{entry.type} cannot start: {name} is not executable",
            body=(
                f"The Procfile starts {entry.type} with it, line {entry.line}. Set its mode:",
                f"    git update-index --chmod=+x {relative}",
            ),
        )
    with BufferedReader(regular_file.opened(path)) as file:
        first_line = file.readline(_MAX_BYTES)
    if first_line.endswith(b"\r\n"):
        yield Message(
            title=f"{entry.type} cannot start: {name} has the line endings of Windows",
            body=(
                f"The Procfile starts {entry.type} with it, line {entry.line}.",
                "Convert it, and have Git keep it so:",
                f"    dos2unix {relative}",
                f"    echo '{relative} text eol=lf' >> .gitattributes",
            ),
        )
