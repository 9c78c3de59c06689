"""Warns of commands that the author wrote and that cannot start in the image.

Separate from `processes`, which decides what the image starts.
"""

import os
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from cnb_python.errors.base import Message
from cnb_python.launch import tasks
from cnb_python.launch.named_processes import NamedProcess
from cnb_python.launch.servers import PROGRAMS
from cnb_python.managers.requirement_lines import normalized_name
from cnb_python.system import regular_file

# Programs that start others, most in an environment of their own. The image has none of them.
_RUNNER = re.compile(
    r"(?:exec\s+)?((?:poetry|uv|pipenv|pdm|rye|hatch|pipx)\s+run|uv\s+tool\s+run|uvx|sudo)\s+(.*)"
)
_SCRIPT_OF_PYTHON = re.compile(
    r"(?:exec\s+)?python[\d.]*(?:\s+-[bBdEiIOPqRsSuvx]+)*\s+([\w./@%+][\w./@%+-]*\.py)(?=\s|$)"
)
# A path that no shell changes.
_PLAIN_PATH = re.compile(r"[\w./@%+][\w./@%+-]*")
_SHELL = re.compile(r"(?:exec\s+)?(?:/bin/)?(?:ba|da)?sh\s+([^\s-]\S*)")
_FIRST = re.compile(r"(?:exec\s+)?(\S+)")
_MAX_BYTES = 4096
# What may make other programs available: PATH, or the functions of another script.
_MAY_DEFINE = re.compile(r"PATH=|(?:^|[;&|({]\s*)(?:\.|source|eval|alias)\s")
_NODE = frozenset({"node", "npm", "npx", "yarn", "pnpm"})
_NAME = re.compile(r"[A-Za-z0-9_][\w.+-]*")
_PYTHON = re.compile(r"(?:python|pydoc|idle)[\d.]*")
_SHORTEST = 3


@dataclass(frozen=True, slots=True)
class Programs:
    """What is known about the programs of the image."""

    path: tuple[Path, ...]
    """The directories of PATH in the build image."""
    recorded: frozenset[str] | None
    """The programs of the app's packages; None if an older release made the build record."""
    installed: Collection[str]
    """The normalized names of the app's packages."""
    own: Collection[str]
    """The programs that the app itself declares."""
    of_system: Collection[str] | None = ()
    """Those of the system packages that the app lists; None if they are not known."""

    def may_have(self, name: str) -> bool:
        """Return whether the image may have the program *name*."""
        if _PYTHON.fullmatch(name) or any((directory / name).is_file() for directory in self.path):
            return True
        if self.of_system is None or name in self.of_system:
            return True
        if self.recorded is not None:
            return name in self.recorded
        return name in self.own or any(_may_be_of(name, package) for package in self.installed)


def _may_be_of(name: str, package: str) -> bool:
    """Return whether *package* may install *name*: `newrelic-admin` and `newrelic`."""
    if len(name) < _SHORTEST:
        return True
    program = normalized_name(name)
    return program in package or (len(package) >= _SHORTEST and package in program)


def programs(
    recorded: Collection[str] | None,
    search_path: str,
    installed: Collection[str],
    own: Collection[str],
    of_system: Collection[str] | None = (),
) -> Programs:
    """Return the programs that the image may have.

    *recorded* is what the build record has of them; *search_path* is the PATH of the build. The
    others are as in `Programs`.
    """
    directories = tuple(Path(name) for name in search_path.split(":") if name)
    of_packages = None if recorded is None else frozenset(recorded)
    return Programs(directories, of_packages, installed, own, of_system)


def warnings(
    named: Iterable[NamedProcess], directory: Path, available: Programs
) -> tuple[Message, ...]:
    """Return a warning for each of the *named* processes that cannot start.

    *directory*: that of the app.
    """
    return tuple(message for each in named for message in _of(each, directory, available))


def _of(process: NamedProcess, directory: Path, available: Programs) -> Iterator[Message]:
    command = process.command.strip()
    runner = _RUNNER.fullmatch(command)
    if runner and _is_absent(runner[1].split()[0], available):
        yield _needs_runner(process, " ".join(runner[1].split()), runner[2], directory, available)
    elif shell := _SHELL.match(command):
        yield from _of_script(process, shell[1], directory, needs_mode=False)
    elif script := _SCRIPT_OF_PYTHON.match(command):
        yield from _missing_file(process, script[1], directory)
    elif (first := _FIRST.match(command)) and "/" in first[1]:
        yield from _of_script(process, first[1], directory, needs_mode=True)
    elif not _MAY_DEFINE.search(command) and _is_missing(process.launch.program, available):
        yield _not_found(process, process.launch.program)


def _is_absent(runner: str, available: Programs) -> bool:
    # A package manager of the build image is not in the run image.
    package = "uv" if runner == "uvx" else runner
    return not (available.may_have(runner) if runner == "sudo" else package in available.installed)


def _is_missing(program: str, available: Programs) -> bool:
    # A server that is not installed has a warning of its own.
    return (
        _NAME.fullmatch(program) is not None
        and program not in PROGRAMS
        and not available.may_have(program)
    )


def _not_found(process: NamedProcess, program: str) -> Message:
    where = _where(process)
    if program in _NODE:
        return Message(
            title=f"{process.type} cannot start: no {program} was found",
            body=(
                f"{where} The image has no Node.js.",
                "Write the command that starts the Python app, such as:",
                f"    {process.line('gunicorn --bind 0.0.0.0:$PORT app:app')}",
                "or build with a Node.js buildpack before this one (`pack build --buildpack`).",
            ),
        )
    return Message(
        title=f"{process.type} cannot start: no {program} was found",
        body=(
            f"{where} No package of the app installs it, and the build image does not have it.",
            "Add the package that installs it. For a script of the app, write its path:",
            f"    {process.line(f'./{program}')}",
        ),
    )


def _needs_runner(
    process: NamedProcess, runner: str, words: str, directory: Path, available: Programs
) -> Message:
    """Return the warning about a command that starts with *runner*, such as `poetry run`."""
    manager, (name, *arguments) = runner.split(maxsplit=1)[0], words.split(maxsplit=1)
    instead = "The programs of the app's packages are on PATH, so write only the command:"
    if name.startswith("-"):
        line = "the command after its options"
    elif task := tasks.command_of(manager, name, directory):
        instead = f"{name} is a task of {manager}, so write its command:"
        line = process.line(" ".join((task, *arguments)))
    elif manager in tasks.MANAGERS and _is_missing(name, available):
        instead = f"No package of the app installs {name}. If it is a task, write its command:"
        line = process.line("...")
    else:
        line = process.line(words)
    return Message(
        title=f"{process.type} cannot start: the image has no {manager}",
        body=(
            f"{process.type} starts with `{runner}`: see {process.origin}.",
            instead,
            f"    {line}",
        ),
    )


def _missing_file(process: NamedProcess, name: str, directory: Path) -> Iterator[Message]:
    """Yield that the app has no file *name*, with the path of one that may be meant."""
    if name.startswith("/") or not _PLAIN_PATH.fullmatch(name) or (directory / name).exists():
        return
    below = sorted(each for each in directory.glob("*/") if (each / name).is_file())
    instead = (
        ("Write its path:", f"    {process.line(_with_path(process, name, below[0].name))}")
        if below
        else ("Correct the path, or add the file to the repository.",)
    )
    yield Message(
        title=f"{process.type} cannot start: the app has no {name}",
        body=(f"{_where(process)} Paths start at the directory of the app.", *instead),
    )


def _with_path(process: NamedProcess, name: str, parent: str) -> str:
    return process.command.replace(name, f"{parent}/{name.removeprefix('./')}", 1)


def _of_script(
    process: NamedProcess, name: str, directory: Path, *, needs_mode: bool
) -> Iterator[Message]:
    """Yield what is wrong with the script *name* of the app: its path, mode, line endings."""
    yield from _missing_file(process, name, directory)
    path = directory / name
    if not path.is_file() or not path.resolve().is_relative_to(directory.resolve()):
        return
    relative = name.removeprefix("./")
    if needs_mode and not os.access(path, os.X_OK):
        yield Message(
            title=f"{process.type} cannot start: {name} is not executable",
            body=(
                f"{_where(process)} Set its mode:",
                f"    git update-index --chmod=+x {relative}",
            ),
        )
    with BufferedReader(regular_file.opened(path)) as file:
        first_line = file.readline(_MAX_BYTES)
    if first_line.endswith(b"\r\n"):
        yield Message(
            title=f"{process.type} cannot start: {name} has the line endings of Windows",
            body=(
                _where(process),
                "Convert it, and have Git keep it so:",
                f"    dos2unix {relative}",
                f"    echo '{relative} text eol=lf' >> .gitattributes",
            ),
        )


def _where(process: NamedProcess) -> str:
    return f"{process.type} starts with it: see {process.origin}."
