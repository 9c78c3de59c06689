"""Finds the files of the app that start a server, a worker or a bot, by their text.

The files are never imported. `web_programs` and `background` are the tables.
"""

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from cnb_python.launch.code.source_files import SOURCE, ModuleFile, SourceFiles
from cnb_python.launch.code.syntax import imports_of
from cnb_python.launch.launch_plan import Evidence, FoundProcess
from cnb_python.launch.procfile import WEB
from cnb_python.launch.servers import command_text
from cnb_python.launch.tables.web_programs import WEB_PROGRAMS, WebProgram

_PORT = re.compile(rb"""["']PORT["']""")
_OPTION = re.compile(
    rb"""(?:add_argument|option|Option|define)\(\s*(?:["']-\w["'],\s*)?["']"""
    rb"""(?:--)?(port|host|address)["']"""
)
# Where an option is defined with this call, its value is joined by `=`.
_TORNADO = re.compile(rb"\bdefine\(")
_PLACES_BELOW = 2
_MAX_TEXT = 256 * 1024

type IsImportable = Callable[[ModuleFile], tuple[str, str]]
"""Returns the working directory and the dotted name of a module."""


@dataclass(frozen=True, slots=True)
class Match:
    """A file whose text matches a row of a table."""

    file: ModuleFile
    name: str
    """The first group of the pattern; empty without one."""
    line: int
    """From 1."""


def find_web_programs(
    files: SourceFiles, installed: Mapping[str, str], importable: IsImportable
) -> tuple[FoundProcess, ...]:
    """Return the processes `web` of the table `WEB_PROGRAMS` that the app has, in its order."""
    rows = [
        row
        for row in WEB_PROGRAMS
        if row.distribution in installed and all(name in installed for name in row.needs)
    ]
    processes: dict[str, FoundProcess] = {}
    for row in rows:
        process = _of_row(row, files, importable)
        previous = processes.get(row.title)
        # A program that does not read PORT comes after every other way to start it.
        if process and (previous is None or (previous.fixed_port and not process.fixed_port)):
            processes[row.title] = process
    return tuple(processes.values())


def _of_row(row: WebProgram, files: SourceFiles, importable: IsImportable) -> FoundProcess | None:
    if row.package:
        match = best_match(files, row.package, row.sign, row.stems)
        return _from_python(row, match, files, importable) if match else None
    name = _data_file(files, row)
    if name is None and row.alone and not files.files:
        evidence = Evidence(row.title, "the app's packages", sign=row.distribution)
        return FoundProcess(WEB, command_text(row.template), evidence, lines=_lines(row))
    if name is None:
        return None
    command = command_text(row.template, file=_quoted(name))
    return FoundProcess(
        WEB,
        command,
        Evidence(row.title, name),
        lines=() if _is_noted(row, _text_of(files, name)) else _lines(row),
    )


def _from_python(
    row: WebProgram, match: Match, files: SourceFiles, importable: IsImportable
) -> FoundProcess:
    file = match.file
    directory, module = importable(file)
    evidence = Evidence(row.title, file.shown, match.line, match.name or row.package)
    if row.is_program:
        directory, command = python_command(file, importable)
        options, fixed = port_options(file, files) if row.reads_port else ("", False)
        fixed = fixed or bool(row.fixed_port and re.search(row.fixed_port.encode(), file.content))
        template = f"{row.template.replace('python {file}', command)}{options}"
        return FoundProcess(
            WEB, command_text(template), evidence, directory, lines=_lines(row), fixed_port=fixed
        )
    words = {"file": _quoted(file.shown), "module": module, "name": match.name}
    if "{module}" not in row.template:
        directory = ""
    return FoundProcess(
        WEB,
        command_text(row.template, **words),
        evidence,
        directory,
        lines=_lines(row),
        development=row.production,
    )


def _is_noted(row: WebProgram, content: bytes) -> bool:
    """Whether a file with *content* has what the note of *row* says."""
    pattern = row.no_note.encode()
    return bool(pattern) and re.search(pattern, content, re.MULTILINE) is not None


def _lines(row: WebProgram) -> tuple[str, ...]:
    return (row.note,) if row.note else ()


def best_match(
    files: SourceFiles, package: str, sign: str, stems: tuple[str, ...]
) -> Match | None:
    """Return the file that imports *package* and matches *sign*, the likeliest to start the app.

    Modules that another such file imports are parts of it.
    """
    matches = [*all_matches(files, package, sign)]
    names = {match.file.stem for match in matches}
    imported = {
        name
        for match in matches
        for name in _imported_names(match.file) & names
        if name != match.file.stem
    }
    candidates = [match for match in matches if match.file.stem not in imported] or matches
    return min(candidates, key=lambda match: _likeliness(match.file, stems), default=None)


def all_matches(files: SourceFiles, package: str, sign: str) -> Iterator[Match]:
    """Yield every file that imports *package* and matches *sign*."""
    imports = re.compile(
        rb"^\s*(?:from|import)\s+(?:\w+\s*,\s*)*" + package.encode() + rb"\w*\b", re.MULTILINE
    )
    pattern = re.compile(sign.encode(), re.MULTILINE) if sign else imports
    for file in files.mentioning(imports):
        if len(file.parts) > _PLACES_BELOW + 2:
            continue
        if match := pattern.search(file.content):
            name = match[match.lastindex].decode("utf-8", "replace") if match.lastindex else ""
            start = match.start() + len(match[0]) - len(match[0].lstrip())
            yield Match(file, name, file.content.count(b"\n", 0, start) + 1)


def _likeliness(file: ModuleFile, stems: tuple[str, ...]) -> tuple[int, int, tuple[str, ...]]:
    depth = len(file.parts) - 1 - (file.parts[0] == SOURCE and len(file.parts) > 1)
    stem = file.stem.lower()
    return depth, stems.index(stem) if stem in stems else len(stems), file.parts


def _imported_names(file: ModuleFile) -> set[str]:
    if file.tree is None:
        return set()
    return {part for name in imports_of(file.tree).modules for part in name.split(".")}


def _data_file(files: SourceFiles, row: WebProgram) -> str | None:
    """Return the name of the file at the top of the app that the row describes."""
    try:
        names = sorted(entry.name for entry in files.directory.iterdir())
    except OSError:
        return None
    pattern = re.compile(row.text.encode(), re.MULTILINE)
    for pattern_of_files in row.files:
        for name in names:
            if PurePath(name).match(pattern_of_files) and (
                not row.text or pattern.search(_text_of(files, name))
            ):
                return name
    return None


def _text_of(files: SourceFiles, name: str) -> bytes:
    return ModuleFile(files.directory / name, (name,)).content[:_MAX_TEXT]


def python_command(file: ModuleFile, importable: IsImportable) -> tuple[str, str]:
    """Return the working directory and the command that run *file*, as a person would.

    A module of a package is run by its name: its imports need the package.
    """
    directory, module = importable(file)
    if file.stem == "__main__" and len(file.parts) > 1:
        parts = file.parts[:-1]
        start = int(len(parts) > 1 and parts[0] == SOURCE)
        return "/".join(parts[:start]), f"python -m {'.'.join(parts[start:])}"
    if "." in module and all(part.isidentifier() for part in module.split(".")):
        return directory, f"python -m {module}"
    return "", f"python {_quoted(file.shown)}"


def port_options(file: ModuleFile, files: SourceFiles) -> tuple[str, bool]:
    """Return the options that give *file* its host and port, and whether its port is fixed."""
    names = {match[1].decode() for match in _OPTION.finditer(file.content)}
    if "port" in names:
        joint = "=" if _TORNADO.search(file.content) else " "
        words = {"port": "{port}", "host": "{host}", "address": "{host}"}
        return "".join(f" --{name}{joint}{words[name]}" for name in sorted(names)), False
    reads = _PORT.search(file.content) or any(_PORT.search(each.content) for each in files.files)
    return "", not reads


def _quoted(path: str) -> str:
    return shlex.quote(path)


def first_of(processes: Iterable[FoundProcess]) -> FoundProcess | None:
    """Return the first of *processes* whose program reads PORT, else the first."""
    everything = tuple(processes)
    return next((each for each in everything if not each.fixed_port), next(iter(everything), None))
