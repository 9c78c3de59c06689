"""Finds what a Procfile names of virtual environments, which no image has."""

import re
from collections.abc import Collection, Iterable, Iterator

from cnb_python.app import Project
from cnb_python.launch.procfile import Entry

_WORD = re.compile(r"""[^\s'"`;&|()<>=]+""")
# Where people make them; `env` may be a directory of their own, so it has to be gone.
_USUAL = (".venv", "venv", "env", "virtualenv")
_PROGRAM = re.compile(r"(?:bin|Scripts)/([\w.-]+)")


def into_environments(
    entries: Iterable[Entry], project: Project, removed: Collection[str]
) -> Iterator[tuple[int, str, str, str]]:
    """Yield line, process type, word and program of each word that leads into an environment.

    *removed* has the environments that were in the repository, relative to its top. One that is
    only on somebody's own machine is known by its usual name.
    """
    for entry in entries:
        for word in _WORD.findall(entry.command):
            if program := _program(word, project, removed):
                yield entry.line, entry.type, word, program


def _program(word: str, project: Project, removed: Collection[str]) -> str:
    """Return what *word* names in an environment that the image lacks; empty: nothing."""
    path = word.removeprefix(f"{project.directory}/").removeprefix("./")
    for environment in (*_known(project, removed), *_USUAL):
        found = _PROGRAM.fullmatch(path.removeprefix(f"{environment}/"))
        if found is None or not path.startswith(f"{environment}/"):
            continue
        if environment in removed or not _is_there(project, path):
            return found[1]
    return ""


def _is_there(project: Project, path: str) -> bool:
    # A link to a Python that only the developer's machine has is there, for somebody who keeps it.
    return (project.directory / path).exists(follow_symlinks=False)


def _known(project: Project, removed: Collection[str]) -> tuple[str, ...]:
    """Return *removed* as commands name them, from the app's directory and from the top."""
    own = f"{project.inside}/" if project.inside else ""
    return (*removed, *(path.removeprefix(own) for path in removed if path.startswith(own)))
