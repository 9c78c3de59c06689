"""Checks the commands that the app's author wrote, before anything is installed.

Separate from `unstartable`, which needs the programs of the app's packages.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import MappingProxyType

from cnb_python.app import App
from cnb_python.errors.config import CommandNeedsQuotes, ProcessInEnvironment
from cnb_python.launch import procfile
from cnb_python.launch.named_processes import NamedProcess, counting, in_procfile

_VENV_WORD = re.compile(r"""[^\s'"`;&|()<>=]+""")
# Usual directories of virtual environments; `env` may be another directory, if it exists.
_USUAL_NAMES = (".venv", "venv", "env", "virtualenv")
_PROGRAM = re.compile(r"(?:bin|Scripts)/([\w.-]+)")


def check_commands(
    app: App,
    removed: Collection[str] = (),
    given: Mapping[str, NamedProcess] = MappingProxyType({}),
) -> None:
    """Check the commands of the Procfile and of settings (*given*).

    *removed* are the virtual environments that the image does not contain, relative to the top of
    the repository. Raises `BadProcfile`, `CommandNeedsQuotes`, `ProcessInEnvironment`, and what
    `App.text` raises.
    """
    named = counting(given, in_procfile(app) or ())
    invalid = tuple(
        (each.origin, f"{each.type}: {each.command}", each.line(command))
        for each in named
        # `"bin/my server"` is the path of a program.
        if (command := procfile.requoted(each.command)) and not _exists(app, command)
    )
    if invalid:
        raise CommandNeedsQuotes(invalid)
    if references := tuple(words_in_environments(named, app, removed)):
        raise ProcessInEnvironment(references)


def words_in_environments(
    named: Iterable[NamedProcess], app: App, removed: Collection[str]
) -> Iterator[tuple[str, str, str, str]]:
    """Yield origin, process type, word and program of each word that points into an environment.

    *removed* has the environments that were in the repository, relative to its top. One that
    exists only on a developer's machine is recognized by its usual name.
    """
    for each in named:
        for word in _VENV_WORD.findall(each.command):
            if program := _program(word, app, removed):
                yield each.origin, each.type, word, program


def _program(word: str, app: App, removed: Collection[str]) -> str:
    """Return the program that *word* names in an environment which the image lacks, else empty."""
    path = word.removeprefix(f"{app.directory}/").removeprefix("./")
    for environment in (*_names_in_commands(app, removed), *_USUAL_NAMES):
        match = _PROGRAM.fullmatch(path.removeprefix(f"{environment}/"))
        if match is None or not path.startswith(f"{environment}/"):
            continue
        if environment in removed or not _exists(app, path):
            return match[1]
    return ""


def _exists(app: App, path: str) -> bool:
    # A broken link counts as existing: it may point to a Python of the developer's machine.
    return (app.directory / path).exists(follow_symlinks=False)


def _names_in_commands(app: App, removed: Collection[str]) -> tuple[str, ...]:
    """Return *removed* as commands name them: relative to the app, and to the repository."""
    prefix = f"{app.inside}/" if app.inside else ""
    return (*removed, *(path.removeprefix(prefix) for path in removed if path.startswith(prefix)))
