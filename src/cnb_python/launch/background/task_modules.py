"""Finds modules with tasks that a worker does not load, and makes the worker load them.

Separate from `background_processes`, which finds the worker.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cnb_python.errors.base import Message
from cnb_python.launch.code.importers import module_names, names_from
from cnb_python.launch.code.source_files import ModuleFile, SourceFiles
from cnb_python.launch.code.syntax import imports_of
from cnb_python.launch.programs import IsImportable, Match
from cnb_python.launch.tables.background import BackgroundTool

_SHOWN = 5
# A worker with more modules than this has its own way to load them.
_MOST_MODULES = 50


@dataclass(frozen=True, slots=True)
class TaskModules:
    """What a worker loads."""

    match: Match
    """The object that the worker starts from, perhaps in a module that loads the tasks too."""
    words: str = ""
    """What is added to its command."""
    lines: tuple[str, ...] = ()
    cautions: tuple[Message, ...] = ()


def load_tasks(
    tool: BackgroundTool, match: Match, files: SourceFiles, importable: IsImportable
) -> TaskModules:
    """Return how the worker of *tool* that starts from *match* loads all modules with tasks.

    A worker loads the module that its command names. If this module does not import another one,
    the worker does not know the tasks there: it rejects or drops their messages.
    """
    if not tool.tasks or _is_configured(tool, match, files):
        return TaskModules(match)
    directory, _ = importable(match.file)
    pattern = re.compile(tool.tasks.encode(), re.MULTILINE)
    modules = [
        file
        for file in files.mentioning(pattern)
        if file is not match.file
        # A copy, as `tasks (1).py` or `tasks.old.py`: nothing can import it.
        and all(part.isidentifier() for part in file.parts)
        and _is_of_object(file, match, pattern)
        and importable(file)[0] == directory
    ]
    missing = _not_loaded(match.file, modules, files)
    if not missing or len(missing) > _MOST_MODULES:
        return TaskModules(match)
    if tool.loading:
        names = [importable(file)[1] for file in missing]
        line = f"Also loading {_listed(missing)}, which {match.file.shown} does not import"
        return TaskModules(match, tool.loading.format(*_joined(names)), (line,))
    return _through_another(tool, match, modules, missing, files)


def _joined(names: list[str]) -> tuple[str, str]:
    """Return *names* with spaces between them, and with commas."""
    return " ".join(names), ",".join(names)


def _through_another(
    tool: BackgroundTool,
    match: Match,
    modules: list[ModuleFile],
    missing: list[ModuleFile],
    files: SourceFiles,
) -> TaskModules:
    """Return the object from another module that imports it and all *modules* with tasks."""
    holders = (
        file
        for file in (*modules, *files.files)
        if file is not match.file and match.name in names_from(file, [match.file])
    )
    for holder in holders:
        if not _not_loaded(holder, [each for each in modules if each is not holder], files):
            line = f"Starting from {holder.shown}, which imports {match.name} and the tasks"
            return TaskModules(Match(holder, match.name, match.line), lines=(line,))
    return TaskModules(match, cautions=(_not_imported(tool, match, missing),))


def _is_configured(tool: BackgroundTool, match: Match, files: SourceFiles) -> bool:
    """Whether the code itself sets what the worker loads."""
    if not tool.configured:
        return False
    pattern = re.compile(tool.configured.encode(), re.MULTILINE)
    near = (file for file in files.files if file.parts[:-1] == match.file.parts[:-1])
    return any(pattern.search(file.content) for file in (match.file, *near))


def _is_of_object(file: ModuleFile, match: Match, pattern: re.Pattern[bytes]) -> bool:
    """Whether *file* imports the object for its tasks, or its tasks need no object."""
    sign = pattern.search(file.content)
    is_shared = sign is not None and b"shared_" in sign[0]
    return is_shared or bool(names_from(file, [match.file]))


def _not_loaded(
    start: ModuleFile, modules: Iterable[ModuleFile], files: SourceFiles
) -> list[ModuleFile]:
    """Return those of *modules* that importing *start*, with its packages, does not import."""
    by_name = {name: file for file in reversed(files.files) for name in module_names(file)}
    packages = {start.parts[:depth] for depth in range(1, len(start.parts))}
    missing = list(modules)
    waiting = [start]
    waiting += (
        each for each in files.files if each.stem == "__init__" and each.parts[:-1] in packages
    )
    loaded: set[str] = set()
    while waiting and missing:
        file = waiting.pop()
        if file.shown in loaded:
            continue
        loaded.add(file.shown)
        missing = [each for each in missing if each.shown != file.shown]
        waiting += (by_name[name] for name in _imported(file) if name in by_name)
    return missing


def _imported(file: ModuleFile) -> Iterator[str]:
    """Yield the modules that *file* may import: `a.b` and `a` for `from a import b`."""
    for origin in imports_of(file.tree).modules if file.tree else ():
        name = origin.lstrip(".")
        yield name
        yield name.rpartition(".")[0]


def _listed(modules: list[ModuleFile]) -> str:
    more = len(modules) - _SHOWN
    names = ", ".join(file.shown for file in modules[:_SHOWN])
    return f"{names} and {more} more" if more > 0 else names


def _not_imported(tool: BackgroundTool, match: Match, missing: list[ModuleFile]) -> Message:
    names = ", ".join(
        file.shown.removesuffix(".py").replace("/", ".") for file in missing[:_SHOWN]
    )
    return Message(
        title=f"The {tool.type} does not load the tasks in {_listed(missing)}",
        body=(
            f"{tool.title} loads {match.file.shown}, which does not import these tasks. Write a",
            f"module that imports {match.name} and the tasks, and name it in a Procfile. Or",
            f"import the tasks at the end of {match.file.shown}:",
            f"    import {names}",
        ),
    )
