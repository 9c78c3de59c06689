"""The processes of the image."""

from typing import Literal, override

from cnb_python.errors.base import AppError, Message

_SHOWN = 60

_PROBLEMS: dict[ProcfileProblem, str] = {
    "no colon": "there is no colon between a process type and a command",
    "type": "a process type has letters, digits, '.', '_' and '-' only",
    "no command": "there is no command after the colon",
    "twice": "this process type was named before",
    "open quote": "a quotation mark or a backslash has no partner",
    "control character": "the line holds characters that cannot be seen",
}


type ProcfileProblem = Literal[
    "no colon", "type", "no command", "twice", "open quote", "control character"
]


class BadProcfile(AppError):
    """Lines of the Procfile that name no process."""

    problems: tuple[tuple[int, str, ProcfileProblem], ...]
    """Number from 1, text and what is wrong."""

    @override
    def describe(self) -> Message:
        return Message(
            title="The Procfile cannot be understood",
            body=tuple(
                f"  line {number}: {_PROBLEMS[problem]}: {_shown(text)}"
                for number, text, problem in self.problems
            ),
            steps=(
                (
                    "Write one process to a line: its type, a colon and its command, as in "
                    "`web: gunicorn --bind 0.0.0.0:$PORT app:app`."
                ),
                "Comments start with # at the beginning of a line.",
            ),
        )


class ProcessInEnvironment(AppError):
    """The Procfile names files of a virtual environment that the image does not have."""

    name: str
    """The Procfile's, from the top of the repository."""
    found: tuple[tuple[int, str, str, str], ...]
    """Number of the line from 1, process type, the word, and the program that it means."""

    @override
    def describe(self) -> Message:
        activated = [word for *_, word, program in self.found if program == "activate"]
        started = {word: program for *_, word, program in self.found if program != "activate"}
        return Message(
            title=f"The {self.name} uses a virtual environment that the image does not have",
            body=(
                *(f"  line {line}: {kind} names {word}" for line, kind, word, _ in self.found),
                "A virtual environment works only where it was made, so none gets into the image.",
                "The image has an environment of its own, whose programs are on PATH.",
            ),
            steps=(
                *(f"Write `{program}` in place of `{word}`." for word, program in started.items()),
                *(["Leave out `activate`: nothing has to be activated."] if activated else []),
            ),
        )


def _shown(text: str) -> str:
    visible = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return visible if len(visible) <= _SHOWN else f"{visible[:_SHOWN]}…"
