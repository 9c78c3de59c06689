"""Procfiles that are not valid."""

from typing import Literal, Self, override

from cnb_python.errors.base import AppError, Message

type ProcfileProblem = Literal[
    "no colon", "type", "no command", "twice", "open quote", "control character"
]

_PROBLEMS: dict[ProcfileProblem, str] = {
    "no colon": "no colon between process type and command",
    "type": "a process type may only have letters, digits, '.', '_' and '-'",
    "no command": "no command after the colon",
    "twice": "this process type is defined twice",
    "open quote": "a quotation mark or backslash without its counterpart",
    "control character": "the line contains invisible characters",
}
_SHOWN = 60


class BadProcfile(AppError):
    """Lines of the Procfile are not valid."""

    problems: tuple[tuple[int, str, ProcfileProblem], ...]
    """Number from 1, text and problem of each line."""

    @override
    def describe(self) -> Message:
        return Message(
            title="The Procfile is not valid",
            body=(
                "Found:",
                *(
                    f"  line {number}: {_PROBLEMS[problem]}: {_shown(text)}"
                    for number, text, problem in self.problems
                ),
                (
                    "Expected: one process per line, as in `web: gunicorn --bind 0.0.0.0:$PORT "
                    "app:app`. Comments start with # at the beginning of a line."
                ),
            ),
            fixes=("Correct these lines.",),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(((2, "gunicorn app", "no colon"),))


class ProcessInEnvironment(AppError):
    """The Procfile names programs of a virtual environment that is not in the image."""

    name: str
    """The path of the Procfile, from the top of the repository."""
    references: tuple[tuple[int, str, str, str], ...]
    """Line (from 1), process type, the path in the virtual environment, and its program."""

    @override
    def describe(self) -> Message:
        paths = {path: program for *_, path, program in self.references}
        activate = [path for path, program in paths.items() if program == "activate"]
        return Message(
            title=f"The {self.name} uses a virtual environment that is not in the image",
            body=(
                "Found:",
                *(f"  line {line}: {kind} uses {path}" for line, kind, path, _ in self.references),
                (
                    "Expected: names of programs, since the programs of the image's own environment "
                    "are on PATH."
                ),
            ),
            steps=(
                *(
                    f"Replace `{path}` with `{program}`."
                    for path, program in paths.items()
                    if program != "activate"
                ),
                *(["Remove `activate`: it is not needed."] if activate else []),
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("Procfile", ((1, "web", ".venv/bin/gunicorn", "gunicorn"),))


def _shown(text: str) -> str:
    visible = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return visible if len(visible) <= _SHOWN else f"{visible[:_SHOWN]}…"
