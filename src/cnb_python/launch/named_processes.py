"""The processes that the app's author names: in settings (`start`, `processes`), and the Procfile.

Separate from `processes`, which takes them as values.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cnb_python.app import App
from cnb_python.config.settings import FILE, TOOL, Settings
from cnb_python.errors.config import BadSettings
from cnb_python.launch import procfile
from cnb_python.launch.procfile import WEB, CommandLine, OpenQuote, parse_command
from cnb_python.python.origin import toml_line

_PROCESSES, _START = "processes", "start"
_START_VARIABLE = "BP_PYTHON_START"
_EXPECTED = "a command with closed quotation marks"
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class NamedProcess:
    """A process that a setting or a line of the Procfile names."""

    type: str
    command: str
    """As written, without a comment."""
    launch: CommandLine
    origin: str
    """The variable, or the file and line."""
    key: str = ""
    """The key in TOML, or the variable that has nothing else; empty: lines of `type: command`."""

    @property
    def is_left_out(self) -> bool:
        """Whether the image has no process of this type: its command is empty."""
        return not self.command

    def line(self, command: str) -> str:
        """Return what to write in *origin* for another *command*."""
        if not self.key:
            return f"{self.type}: {command}"
        if self.key == _START_VARIABLE:
            return f"{self.key}={command}"
        key = self.key if _BARE_KEY.fullmatch(self.key) else json.dumps(self.key)
        return f"{key} = {json.dumps(command, ensure_ascii=False)}"


def in_settings(settings: Settings, app: App) -> Mapping[str, NamedProcess]:
    """Return the processes that *settings* name, by their types.

    Raises BadSettings for a command with an open quotation mark.
    """
    return {process.type: process for process in _in_settings(settings, app)}


def in_procfile(app: App) -> tuple[NamedProcess, ...] | None:
    """Return the processes of the Procfile, None without one. Raises what reading it raises."""
    text = app.text(procfile.NAME)
    if text is None:
        return None
    return in_text(text, app.shown(procfile.NAME))


def in_text(text: str, name: str = procfile.NAME) -> tuple[NamedProcess, ...]:
    """Return the processes in the *text* of a Procfile with *name*. Raises BadProcfile."""
    return tuple(
        NamedProcess(entry.type, entry.command, entry.launch, f"{name}, line {entry.line}")
        for entry in procfile.parse(text)
    )


def counting(
    given: Mapping[str, NamedProcess], entries: Iterable[NamedProcess]
) -> tuple[NamedProcess, ...]:
    """Return the processes of settings (*given*), and those *entries* of the Procfile that count.

    A setting takes the place of the line of the same type.
    """
    own = (each for each in given.values() if not each.is_left_out)
    return (*own, *(each for each in entries if each.type not in given))


def _in_settings(settings: Settings, app: App) -> Iterator[NamedProcess]:
    """Yield the processes of `processes`, then that of `start`, which counts more."""
    for text in settings.processes:
        kind, _, command = text.partition(":")
        yield _in_table(settings, app, kind.strip(), command.strip())
    if settings.start:
        origin = settings.origins.get(_START)
        is_in_file = origin is not None and origin.name.endswith(FILE)
        key = _START if is_in_file else _START_VARIABLE
        yield _named(WEB, settings.start, str(origin or _START), key)


def _in_table(settings: Settings, app: App, kind: str, command: str) -> NamedProcess:
    origin = settings.origins.get(_PROCESSES)
    if origin is None or not origin.name.endswith(FILE):
        return _named(kind, command, str(origin or _PROCESSES))
    line = toml_line(app.text(FILE) or "", f"tool.{TOOL}.{_PROCESSES}", kind)
    return _named(kind, command, f"{origin.name}, line {line}" if line else str(origin), kind)


def _named(kind: str, command: str, origin: str, key: str = "") -> NamedProcess:
    if not command:
        return NamedProcess(kind, command, CommandLine((), ""), origin, key)
    try:
        return NamedProcess(kind, command, parse_command(command), origin, key)
    except OpenQuote:
        raise BadSettings(((kind, origin, command, _EXPECTED),)) from None
