"""The processes of the image, each with the place that names it and the reason for it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cnb_python.cnb.context import PRODUCTION, TEST
from cnb_python.cnb.documents import Process
from cnb_python.errors.base import Message
from cnb_python.launch.named_processes import NamedProcess
from cnb_python.launch.procfile import WEB, CommandLine, parse_command
from cnb_python.launch.tables.frameworks import DetectedApp

RELEASE = "release"
CONSOLE = "console"
HEALTH = "health"
TEST_PROCESS = "test"
type HowToAdd = Callable[[str], tuple[str, str]]
"""Returns how the app's author adds a package: a sentence that ends in a colon, and a line."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The line of code, or the file, that shows what the app is."""

    subject: str
    """A framework or tool: `Celery`."""
    file: str
    """Relative to the app's directory."""
    line: int = 0
    """From 1; 0 if the file as a whole is meant."""
    sign: str = ""
    """The name in that line."""

    def __str__(self) -> str:
        line = f", line {self.line}" if self.line else ""
        return f"{self.subject} in {self.file}{line}{f' ({self.sign})' if self.sign else ''}"


@dataclass(frozen=True, slots=True)
class FoundProcess:
    """A process that the app's code shows."""

    type: str
    command: str
    """As a line of a Procfile has it."""
    evidence: Evidence
    directory: str = ""
    """The working directory relative to the app; empty for the app itself."""
    title: str = ""
    """What it is, for the log; empty: its command."""
    lines: tuple[str, ...] = ()
    """Further lines for the log."""
    cautions: tuple[Message, ...] = ()
    """Warnings about what the app lacks."""
    development: str = ""
    """The server for production that is missing: the command runs a development server."""
    fixed_port: bool = False
    """Whether the program listens on a port of its own, whatever `PORT` is."""
    words: tuple[str, ...] = ()
    """Words of the command that show that a Procfile has this process under another name."""
    program: str = ""
    """The file of the app that the command runs with Python; empty if it runs another program."""


@dataclass(frozen=True, slots=True)
class LaunchPlan:
    """The processes of the image, and why it has them."""

    processes: tuple[Process, ...]
    given: tuple[NamedProcess, ...]
    """The processes that settings name."""
    left_out: tuple[NamedProcess, ...]
    """The types of which settings leave the process out."""
    entries: tuple[NamedProcess, ...]
    """The lines of the Procfile that count."""
    discovered: tuple[FoundProcess, ...]
    """The processes that were found in the code and that nothing else names."""
    also_found: tuple[Evidence, ...]
    """Further apps that could be served."""
    unserved: DetectedApp | None
    """The app that no installed package can serve, if `web` is missing for that reason."""
    missing: tuple[tuple[NamedProcess, str], ...]
    """Processes that start a program which is not installed, with its distribution."""
    misnamed: tuple[str, ...]
    """Files that were probably meant to be the Procfile."""
    has_procfile: bool
    """Whether there is a Procfile, perhaps without a process."""
    directory: str = ""
    """The app's directory in the repository; empty at its top."""
    earlier: frozenset[str] = frozenset()
    """The types of the processes that earlier buildpacks have written."""
    exec_env: str = PRODUCTION
    """The execution environment that the image is for."""

    @property
    def named(self) -> tuple[NamedProcess, ...]:
        """The processes that the app's author names."""
        return (*self.given, *self.entries)

    @property
    def lacks_web(self) -> bool:
        """Whether nothing names a process to start, so that `web` only prints what is missing."""
        if self.exec_env == TEST or self.earlier or self.named:
            return False
        types = {each.type for each in self.left_out} | {each.type for each in self.discovered}
        if WEB in types:
            return False
        return self.unserved is not None or all(
            each.type in {CONSOLE, RELEASE} for each in self.discovered
        )

    @property
    def lacks_test(self) -> bool:
        """Whether an image for tests has none to run, so that `test` only prints what to add."""
        named = (*self.named, *self.left_out)
        types = {each.type for each in named} | {each.type for each in self.discovered}
        return self.exec_env == TEST and TEST_PROCESS not in types | self.earlier

    def commands(self) -> Iterator[tuple[str, str, CommandLine]]:
        """Yield type, command as written, and how it is executed, of each process."""
        for each in self.named:
            yield each.type, each.command, each.launch
        for process in self.discovered:
            yield process.type, process.command, parse_command(process.command)
