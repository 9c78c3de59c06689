"""Finds the files of the app that start a server, a worker or a bot, by their text.

The files are never imported. `web_programs` and `background` are the tables.
"""

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from cnb_python.launch.code.importers import (
    imports,
    names_from,
    runs,
    starting_program,
)
from cnb_python.launch.code.source_files import SOURCE, ModuleFile, SourceFiles
from cnb_python.launch.code.syntax import imports_of
from cnb_python.launch.launch_plan import Evidence, FoundProcess
from cnb_python.launch.procfile import WEB
from cnb_python.launch.servers import command_text
from cnb_python.launch.tables.web_programs import WEB_PROGRAMS, WebProgram

_PORT = re.compile(rb"""["']PORT["']""")
_OPTION = re.compile(
    rb"""(?:(?P<argument>add_argument)|option|Option|define)\(\s*(?:["']-\w["'],\s*)?["']"""
    rb"""(?P<dashes>--)?(?P<name>port|host|address)["']"""
)
# Options after a subcommand, which the program may need too, are not those of the program.
_SUBCOMMANDS = re.compile(rb"add_subparsers\(|click\.group\b|(?<!\bclick)\.command\(")
# Where an option is defined with this call, its value is joined by `=`.
_TORNADO = re.compile(rb"\bdefine\(")
_WORD = re.compile(r"\w+")
_DEFINES = re.compile(r"\w+\s*=")
# What only a bot does.
_POLLS = re.compile(r"polling\(")
_WEB_FRAMEWORK = re.compile(
    rb"^[ \t]*(?:from|import)\s+(?:flask|fastapi|quart|sanic|starlette)\b", re.MULTILINE
)
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
        completing = _completing(files, row) if row.completed else None
        match = completing or best_match(files, row.package, row.sign, row.stems)
        if match and row.is_program:
            return _from_program(row, match, files, importable)
        return _from_python(row, match, importable) if match else None
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


def _from_program(
    row: WebProgram, match: Match, files: SourceFiles, importable: IsImportable
) -> FoundProcess | None:
    """Return the process that runs the program with *match*; None if no program runs it."""
    file = starting_program(match.file, match.line, files)
    if file is None:
        return None
    directory, command = python_command(file, importable)
    options, fixed = port_options(file, files) if row.reads_port else ("", False)
    code = match.file.content
    fixed = fixed or bool(row.fixed_port and re.search(row.fixed_port.encode(), code))
    template = f"{row.template.replace('python {file}', command)}{options}"
    lines = _lines(row)
    if file is not match.file:
        lines = (f"Running {file.shown}, which imports it", *lines)
    return FoundProcess(
        WEB,
        command_text(template),
        _evidence(row, match),
        directory,
        lines=lines,
        fixed_port=fixed,
        program=file.shown,
        cautions=row.caution.messages(files.directory, match.file.shown, code)
        if row.caution
        else (),
    )


def _evidence(row: WebProgram, match: Match) -> Evidence:
    return Evidence(row.title, match.file.shown, match.line, match.name or row.package)


def _from_python(row: WebProgram, match: Match, importable: IsImportable) -> FoundProcess:
    directory, module = importable(match.file)
    words = {"file": _quoted(match.file.shown), "module": module, "name": match.name}
    if "{module}" not in row.template:
        directory = ""
    return FoundProcess(
        WEB,
        command_text(row.template, **words),
        _evidence(row, match),
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


def _completing(files: SourceFiles, row: WebProgram) -> Match | None:
    """Return the program that completes and starts an object of another module."""
    pattern = re.compile(row.completed.encode(), re.MULTILINE)
    matches = (
        match
        for match in _indirect_matches(files, row.package, row.sign)
        if pattern.search(match.file.content)
        and not any(
            pattern.search(each.content)
            for each in files.mentioning(_import_of(row.package))
            if imports(match.file, each)
        )
    )
    return min(matches, key=lambda match: _likeliness(match.file, row.stems), default=None)


def best_match(
    files: SourceFiles,
    package: str,
    sign: str,
    stems: tuple[str, ...],
    ignored: Callable[[ModuleFile], frozenset[int]] | None = None,
) -> Match | None:
    """Return the file that imports *package* and matches *sign*, the likeliest to start the app.

    Modules that another such file imports are parts of it. A program may import *package* through
    a module of the app: `from loader import bot`. Lines that *ignored* returns do not count.
    """
    direct = all_matches(files, package, sign, ignored)
    matches = [*direct] or [*_indirect_matches(files, package, sign)]
    names = {match.file.stem for match in matches}
    imported = {
        name
        for match in matches
        for name in _imported_names(match.file) & names
        if name != match.file.stem
    }
    candidates = [match for match in matches if match.file.stem not in imported] or matches
    return min(candidates, key=lambda match: _likeliness(match.file, stems), default=None)


def all_matches(
    files: SourceFiles,
    package: str,
    sign: str,
    ignored: Callable[[ModuleFile], frozenset[int]] | None = None,
) -> Iterator[Match]:
    """Yield every file that imports *package* and matches *sign* on a line that is not ignored.

    *ignored* returns the lines of a file that do not count.
    """
    imports = _import_of(package)
    pattern = re.compile(sign.encode(), re.MULTILINE) if sign else imports
    for file in files.mentioning(imports):
        matches = _matches(file, pattern)
        if ignored and (match := next(matches, None)):
            lines = ignored(file)
            matches = (each for each in (match, *matches) if each.line not in lines)
        if match := next(matches, None):
            yield match


def _indirect_matches(files: SourceFiles, package: str, sign: str) -> Iterator[Match]:
    """Yield the programs that match *sign* with what a module of the app with *package* has.

    Not `app.run()` of a web app, in a module or beside one that also sends messages by a bot.
    """
    importing = [*files.mentioning(_import_of(package))]
    pattern = re.compile(sign.encode(), re.MULTILINE)
    for file in files.mentioning(pattern) if sign and importing else ():
        modules = [each for each in importing if imports(file, each)]
        if not modules:
            continue
        names = names_from(file, modules)
        startable = names_from(file, (each for each in modules if not _is_of_web(each)))
        lines = file.content.decode("utf-8", "replace").split("\n")
        for match in _matches(file, pattern):
            line = lines[match.line - 1]
            usable = names if _DEFINES.match(line) or _POLLS.search(line) else startable
            if usable.intersection(_WORD.findall(line)) and runs(file, match.line):
                yield match
                break


def _is_of_web(file: ModuleFile) -> bool:
    """Whether *file* may create a web app, which programs start with the same words as a bot."""
    return _WEB_FRAMEWORK.search(file.content) is not None


def _import_of(package: str) -> re.Pattern[bytes]:
    return re.compile(
        rb"^[ \t]*(?:from|import)\s+(?:\w+\s*,\s*)*" + package.encode() + rb"\w*\b", re.MULTILINE
    )


def _matches(file: ModuleFile, pattern: re.Pattern[bytes]) -> Iterator[Match]:
    is_near = len(file.parts) <= _PLACES_BELOW + 2
    for match in pattern.finditer(file.content) if is_near else ():
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
    return ModuleFile(files.directory / name, (name,), files.limits).content[:_MAX_TEXT]


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
    """Return the arguments that give *file* its host and port, and whether its port is fixed.

    The file defines these options, or a module of the app that it imports.
    """
    options = _options_of(file)
    if not options:
        defining = (each for each in files.mentioning(_OPTION) if imports(file, each))
        options = next(filter(None, map(_options_of, defining)), "")
    if options:
        return options, False
    reads = _PORT.search(file.content) or any(_PORT.search(each.content) for each in files.files)
    return "", not reads


def _options_of(file: ModuleFile) -> str:
    """Return the arguments with the host and port that *file* defines; empty without a port."""
    if _SUBCOMMANDS.search(file.content):
        return ""
    words = {b"port": "{port}", b"host": "{host}", b"address": "{host}"}
    separator = "=" if _TORNADO.search(file.content) else " "
    defined = {match["name"]: match for match in _OPTION.finditer(file.content)}
    if b"port" not in defined:
        return ""
    # In the order of their definitions, unlike options.
    positional = [
        name for name, match in defined.items() if match["argument"] and not match["dashes"]
    ]
    options = (
        f" --{name.decode()}{separator}{words[name]}"
        for name in sorted({*defined} - {*positional})
    )
    return "".join((*options, *(f" {words[name]}" for name in positional)))


def _quoted(path: str) -> str:
    return shlex.quote(path)


def first_of(processes: Iterable[FoundProcess]) -> FoundProcess | None:
    """Return the first of *processes* whose program reads PORT, else the first."""
    everything = tuple(processes)
    return next((each for each in everything if not each.fixed_port), next(iter(everything), None))
