"""The processes that settings name: `start`, and `processes`.

Separate from `processes`, which takes them as values.
"""

from collections.abc import Iterator, Mapping

from cnb_python.app import App
from cnb_python.config.settings import FILE, TOOL, Settings
from cnb_python.errors.config import BadSettings
from cnb_python.launch.launch_plan import GivenProcess
from cnb_python.launch.procfile import WEB, OpenQuote, parse_command
from cnb_python.python.origin import toml_line

_PROCESSES, _START = "processes", "start"
_EXPECTED = "a command with closed quotation marks"


def given_processes(settings: Settings, app: App) -> Mapping[str, GivenProcess]:
    """Return the processes that *settings* name, by their types.

    Raises BadSettings for a command with an open quotation mark.
    """
    processes = {process.type: process for process in _given(settings, app)}
    for process in processes.values():
        try:
            parse_command(process.command)
        except OpenQuote:
            wrong = (process.type, process.origin, process.command, _EXPECTED)
            raise BadSettings((wrong,)) from None
    return processes


def _given(settings: Settings, app: App) -> Iterator[GivenProcess]:
    """Yield the processes of `processes`, then that of `start`, which counts more."""
    for text in settings.processes:
        kind, _, command = text.partition(":")
        yield GivenProcess(kind.strip(), command.strip(), _origin(settings, app, kind.strip()))
    if settings.start:
        origin = str(settings.origins.get(_START, _START))
        yield GivenProcess(WEB, settings.start, origin)


def _origin(settings: Settings, app: App, kind: str) -> str:
    origin = settings.origins.get(_PROCESSES)
    if origin is None or not origin.name.endswith(FILE):
        return str(origin or _PROCESSES)
    line = toml_line(app.text(FILE) or "", f"tool.{TOOL}.{_PROCESSES}", kind)
    return f"{origin.name}, line {line}" if line else str(origin)
