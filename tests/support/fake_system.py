"""A world for environments: programs that only pretend to run."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from cnb_python.system.interface import Command, Download, Outcome, System


@dataclass
class Log:
    """An output that remembers."""

    said: list[str] = field(default_factory=list)

    def step(self, title: str) -> None:
        self.said.append(title)

    def line(self, text: str) -> None:
        self.said.append(text)

    def detail(self, text: str) -> None:
        self.said.append(text)

    def warning(self, title: str, body: tuple[str, ...]) -> None:
        self.said.append("\n".join((title, *body)))

    def progress(self, title: str) -> AbstractContextManager[None]:
        del title
        return nullcontext()


@dataclass
class Programs:
    """Answers each command by what its argv holds; remembers them all."""

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
    """Nothing is fetched while an environment is filled."""
    raise AssertionError(download, to)


def world(answer: Callable[[Command], Outcome]) -> tuple[System, Programs, Log]:
    """Return a system in which programs answer as *answer* says, and what it remembers."""
    programs, log = Programs(answer), Log()
    return System(programs, refuse_fetch, log, date(2026, 1, 1), 2), programs, log
