"""A fake system: programs that return prepared outcomes, and an output that is recorded."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from cnb_python.system.interface import Command, Download, Outcome, System


@dataclass
class Log:
    """An output that records its lines."""

    lines: list[str] = field(default_factory=list)

    def step(self, title: str) -> None:
        self.lines.append(title)

    def line(self, text: str) -> None:
        self.lines.append(text)

    def detail(self, text: str) -> None:
        self.lines.append(text)

    def warning(self, title: str, body: tuple[str, ...]) -> None:
        self.lines.append("\n".join((title, *body)))

    def progress(self, title: str) -> AbstractContextManager[None]:
        del title
        return nullcontext()


@dataclass
class Programs:
    """Returns an outcome for each command, and records the commands."""

    answer: Callable[[Command], Outcome]
    ran: list[Command] = field(default_factory=list)

    def __call__(self, command: Command, on_line: Callable[[str], None] | None = None) -> Outcome:
        self.ran.append(command)
        outcome = self.answer(command)
        for line in outcome.output.splitlines():
            if on_line is not None:
                on_line(line)
        return outcome


def refuse_fetch(download: Download, to: Path) -> None:
    """Fail: nothing is downloaded while an environment is filled."""
    raise AssertionError(download, to)


def world(answer: Callable[[Command], Outcome]) -> tuple[System, Programs, Log]:
    """Return a system whose programs return *answer* of a command; its commands; its output."""
    programs, log = Programs(answer), Log()
    return System(programs, refuse_fetch, log, date(2026, 1, 1), 2), programs, log
