"""Fakes of the tools that managers run: their outcomes are in a table."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from cnb_python.managers.base import InstallContext
from cnb_python.managers.tool import Program
from cnb_python.system.interface import Command, Outcome

PYTHON = "3.13.1"
# The position of the output file in the shell command that writes a tool's output to a file.
_SHELL_FILE = 3


class FakeTools:
    """Runs no command: the outcome is the first answer for a word of it; records the command.

    An outcome is the output, which a shell may write to a file, the exit code, and the contents of
    the file after `--output`.
    """

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, str, str]] = {}
        self.ran: list[Command] = []
        self.installed: list[str] = []
        """The lines of the requirements files that uv installed, in order."""

    def answer(self, word: str, output: str = "", code: int = 0, exported: str = "") -> None:
        self.answers[word] = (code, output, exported)

    def __call__(self, command: Command, on_line: Callable[[str], None] | None = None) -> Outcome:
        del on_line
        file = Path(command.argv[_SHELL_FILE]) if command.argv[0] == "/bin/sh" else None
        command = replace(command, argv=command.argv[_SHELL_FILE + 1 :]) if file else command
        self.ran.append(command)
        if "--requirements" in command.argv:
            requirements = Path(command.argv[command.argv.index("--requirements") + 1])
            self.installed += requirements.read_text("utf-8").splitlines()
        code, output, exported = next(
            (answer for word, answer in self.answers.items() if word in command.argv), (0, "", "")
        )
        if "--output" in command.argv and not code:
            at = command.argv.index("--output") + 1
            Path(command.argv[at]).write_text(exported, encoding="utf-8")
        if file:
            file.write_text(output, encoding="utf-8")
        return Outcome(code, output)

    def words(self, tool: str) -> list[tuple[str, ...]]:
        """Return the arguments of each command of *tool*."""
        return [command.argv[1:] for command in self.ran if command.argv[0] == tool]


def context_of(directory: Path, **environ: str) -> InstallContext:
    """Return a context for the app in *directory*, in which tools start by their names."""
    scratch = directory.parent / "scratch"
    scratch.mkdir(exist_ok=True)

    def start_program(program: Program) -> tuple[str, ...]:
        return (program.name,)

    return InstallContext(
        app_dir=directory,
        environment=Path("/layers/venv"),
        tool=Path("/tools/pip"),
        cache=None,
        scratch=scratch,
        environ={"PATH": "/bin", "PIP_CONFIG_FILE": "/dev/null", **environ},
        python=PYTHON,
        uv=Path("/uv"),
        start_program=start_program,
    )


def write_app(directory: Path, files: Iterable[tuple[str, str]]) -> Path:
    """Write *files* into a new app in *directory*; return the app."""
    app = directory / "app"
    for name, text in files:
        (app / name).parent.mkdir(parents=True, exist_ok=True)
        (app / name).write_text(text, encoding="utf-8")
    return app


def installed_lines(tools: FakeTools) -> list[str]:
    """Return the lines of every requirements file that uv installed, in order."""
    return tools.installed
