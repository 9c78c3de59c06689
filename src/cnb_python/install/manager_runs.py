"""Runs the commands of package managers, and removes secrets from what they print.

Separate from `staging`, which decides where they run, and collects what they install.
"""

import re
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from cnb_python.install import foreign_files
from cnb_python.system.interface import Command, Outcome, Run, System
from cnb_python.system.output import ended_processes
from cnb_python.system.redaction import redact

# pip and uv print these before they run code of a package.
_RUNS_CODE = re.compile(r": started$|^ +Building ")


def run(
    system: System,
    layers_dir: Path,
    secrets: tuple[str, ...],
    runs_code: str | None,
    command: Command,
    on_line: Callable[[str], None] | None = None,
) -> Outcome:
    """Run *command*; undo what it does to *layers_dir* if it runs code of packages.

    *runs_code*: what runs the code, for the log; empty: the command itself; None: no code runs.
    *secrets* are removed from the output, which is printed if the command is shown.
    """
    output = system.output
    if command.shown:
        note = f" ({command.note})" if command.note else ""
        output.line(f"Running `{command.shown}`{note}")
    show = on_line or (output.detail if command.shown else None)
    show_redacted = None if show is None else lambda line: show(redact(line, secrets))
    program = runs_code or command.shown or Path(command.argv[0]).name
    foreign = runs_code is not None
    guard = foreign_files.undoing(layers_dir, program, output) if foreign else nullcontext()
    with guard:
        outcome = system.run(replace(command, foreign=foreign), show_redacted)
    if outcome.ended:
        output.line(ended_processes(outcome.ended, program))
    return replace(outcome, output=redact(outcome.output, secrets))


@dataclass(slots=True)
class Watched:
    """Runs commands, and records whether their output shows that code of a package ran."""

    run: Run
    ran_foreign_code: bool = False

    def __call__(self, command: Command, on_line: Callable[[str], None] | None = None) -> Outcome:
        """Run *command*. A quiet command that may have run code counts as one that did."""
        outcome = self.run(command, on_line)
        words = command.argv[1:]
        is_silent = "--quiet" in words and ("compile" in words or "export" in words)
        self.ran_foreign_code |= is_silent or any(
            _RUNS_CODE.search(line) for line in outcome.output.splitlines()
        )
        return outcome
