"""A build in which the programs of package managers are answers in a table."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from cnb_python.managers.base import InstallContext
from cnb_python.managers.tool import Program
from cnb_python.system.interface import Command, Outcome

PYTHON = "3.13.1"
# Of the words of a shell that writes what a program says to a file, that file.
_SHELL = 3


class Programs:
    """Answers a command by the words behind its program's; remembers what ran.

    An answer is the output, which a shell may write to a file, and the exit code, and what is
    written to the file behind `--output`.
    """

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, str, str]] = {}
        self.ran: list[Command] = []

    def answer(self, word: str, said: str = "", code: int = 0, exported: str = "") -> None:
        self.answers[word] = (code, said, exported)

    def __call__(self, command: Command, on_line: Callable[[str], None] | None = None) -> Outcome:
        del on_line
        into = Path(command.argv[_SHELL]) if command.argv[0] == "/bin/sh" else None
        command = replace(command, argv=command.argv[_SHELL + 1 :]) if into else command
        self.ran.append(command)
        code, said, exported = next(
            (self.answers[word] for word in command.argv if word in self.answers), (0, "", "")
        )
        if "--output" in command.argv and not code:
            at = command.argv.index("--output") + 1
            Path(command.argv[at]).write_text(exported, encoding="utf-8")
        if into:
            into.write_text(said, encoding="utf-8")
        return Outcome(code, said)

    def words(self, program: str) -> list[tuple[str, ...]]:
        """The arguments of each start of *program*."""
        return [one.argv[1:] for one in self.ran if one.argv[0] == program]


def place(directory: Path, **environ: str) -> InstallContext:
    """Return one for the app in *directory*, in which programs are started by their names."""
    scratch = directory.parent / "scratch"
    scratch.mkdir(exist_ok=True)

    def bring(program: Program) -> tuple[str, ...]:
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
        bring=bring,
    )


def app(directory: Path, files: Iterable[tuple[str, str]]) -> Path:
    """Write *files* into a new app in *directory*."""
    made = directory / "app"
    for name, text in files:
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(text, encoding="utf-8")
    return made


def installed(programs: Programs) -> list[str]:
    """The lines of every file of requirements that uv was given, in order."""
    files = [
        Path(command.argv[command.argv.index("--requirements") + 1])
        for command in programs.ran
        if "--requirements" in command.argv
    ]
    return [line for file in files for line in file.read_text("utf-8").splitlines()]
