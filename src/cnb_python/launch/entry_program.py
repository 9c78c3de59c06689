"""Finds the program of an app that uses no framework that the tables know: `main.py` and others.

Separate from `web_process`: the last resort of every app.
"""

import ast
import re
from collections.abc import Mapping

from cnb_python.app import App
from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable
from cnb_python.launch.code import syntax
from cnb_python.launch.code.importers import STEMS
from cnb_python.launch.code.source_files import SOURCE, ModuleFile, SourceFiles
from cnb_python.launch.launch_plan import Evidence, FoundProcess
from cnb_python.launch.procfile import WEB
from cnb_python.launch.programs import IsImportable, port_options, python_command
from cnb_python.launch.servers import command_text
from cnb_python.managers.requirement_lines import normalized_name
from cnb_python.python.origin import toml_line, toml_of

_SCRIPTS = ("start", "serve", "server", "web", "main")
_PYPROJECT = "pyproject.toml"
_MAX_SCRIPTS = 30
_REASON = (
    "Running the program itself: it shows no framework that this buildpack starts in another way"
)
_LISTENS = re.compile(
    rb"\.run\(|\.listen\(|\.serve_forever\(|HTTPServer|socketserver|make_server|create_server"
    rb"|start_server|uvicorn|\.serve\("
)


def find_entry_program(
    app: App, files: SourceFiles, installed: Mapping[str, str], importable: IsImportable
) -> FoundProcess | None:
    """Return the process that runs the app's program, None if it has no program, or several.

    In this order: `main.py`, `app.py` and other usual names, a package with `__main__.py`, the
    only program at the top, `[project.scripts]`. Raises what reading `pyproject.toml` raises.
    """
    file = _file(files)
    if file:
        return _from_file(file, files, importable)
    return _from_scripts(app, installed)


def find_listening_program(files: SourceFiles, importable: IsImportable) -> FoundProcess | None:
    """Return the process of a usual program at the top of the app that starts a server itself."""
    file = _named([each for each in files.files if len(each.parts) == 1])
    if file is None or not _LISTENS.search(file.content):
        return None
    return _from_file(file, files, importable)


def _file(files: SourceFiles) -> ModuleFile | None:
    at_top = [file for file in files.files if len(file.parts) == 1]
    if named := _named(at_top):
        return named
    packages = [
        file
        for file in files.files
        if file.stem == "__main__" and len(_below_source(file)) == 2 and _is_program(file)
    ]
    if len(packages) == 1:
        return packages[0]
    # Parsing is slow: a directory of many scripts has no only program.
    programs = [file for file in at_top[:_MAX_SCRIPTS] if _is_program(file)]
    if len(programs) == 1 and len(at_top) <= _MAX_SCRIPTS:
        return programs[0]
    return _named([file for file in files.files if file.parts[:-1] == (SOURCE,)])


def _named(files: list[ModuleFile]) -> ModuleFile | None:
    """Return the program among *files* that has the most usual name."""
    named = (file for stem in STEMS for file in files if file.stem == stem)
    return next((file for file in named if _is_program(file)), None)


def _below_source(file: ModuleFile) -> tuple[str, ...]:
    return file.parts[1:] if file.parts[0] == SOURCE else file.parts


def _is_program(file: ModuleFile) -> bool:
    """Whether *file* does something when it is run, besides defining names."""
    if file.tree is None:
        return False
    return file.stem == "__main__" or program_line(file.tree) > 0


def program_line(tree: ast.Module) -> int:
    """Return the first line that does something when the module is run; 0 if no line does."""
    for statement in tree.body:
        if isinstance(statement, ast.If) and syntax.is_main_guard(statement.test):
            return statement.lineno
    for statement in syntax.at_module_level(tree.body):
        is_call = isinstance(statement, ast.Expr) and isinstance(
            statement.value, ast.Call | ast.Await
        )
        if is_call or isinstance(statement, ast.For | ast.While | ast.AsyncFor):
            return statement.lineno
    return 0


def _from_file(file: ModuleFile, files: SourceFiles, importable: IsImportable) -> FoundProcess:
    directory, command = python_command(file, importable)
    options, fixed = port_options(file, files)
    line = program_line(file.tree) if file.tree else 0
    return FoundProcess(
        WEB,
        command_text(f"{command}{options}"),
        Evidence("a program", file.shown, line or 1),
        directory,
        lines=(_REASON,),
        program=file.shown,
        fixed_port=fixed and any(_LISTENS.search(each.content) for each in files.files),
    )


def _from_scripts(app: App, installed: Mapping[str, str]) -> FoundProcess | None:
    """Return the process that runs a program of the app's own project, if it is installed.

    https://packaging.python.org/en/latest/specifications/pyproject-toml/#entry-points
    """
    document = toml_of(app, _PYPROJECT)
    poetry = toml.table_at(toml.table_at(document, "tool"), "poetry")
    for table, heading in (
        (toml.table_at(document, "project"), "project"),
        (poetry, "tool.poetry"),
    ):
        name = str(table.get("name", ""))
        if normalized_name(name) not in installed:
            continue
        if script := _script(table, name):
            line = toml_line(app.text(_PYPROJECT) or "", f"{heading}.scripts", script)
            return FoundProcess(
                WEB,
                script,
                Evidence("a program", _PYPROJECT, line or 0, script),
                lines=(_REASON,),
            )
    return None


def _script(table: TomlTable, project: str) -> str:
    scripts = [*toml.table_at(table, "scripts")]
    likely = (project, project.replace("-", "_"), *_SCRIPTS)
    return next(
        (name for name in likely if name in scripts), scripts[0] if len(scripts) == 1 else ""
    )
