"""The processes of the image."""

from typing import Literal

from cnb_python.errors.kinds import AppError

type ProcfileProblem = Literal[
    "no colon", "type", "no command", "twice", "open quote", "control character"
]


class BadProcfile(AppError):
    """Lines of the Procfile that name no process."""

    problems: tuple[tuple[int, str, ProcfileProblem], ...]
    """Number from 1, text and what is wrong."""


class ProcessInEnvironment(AppError):
    """The Procfile names files of a virtual environment that the image does not have."""

    name: str
    """The Procfile's, from the top of the repository."""
    found: tuple[tuple[int, str, str, str], ...]
    """Number of the line from 1, process type, the word, and the program that it means."""


type LaunchFailure = BadProcfile | ProcessInEnvironment
