"""Finds the program that starts an application or bot that another module defines.

Separate from `programs`, which finds the modules by their text.
"""

import ast
import re
from collections.abc import Iterable, Iterator

from cnb_python.launch.code import syntax
from cnb_python.launch.code.source_files import ModuleFile, SourceFiles

# Names of files that usually start an app, the most likely first.
STEMS = ("main", "app", "server", "run", "start", "bot", "worker", "index", "hello", "__main__")
_MAX_STEPS = 3
# A module with more importers does not belong to one program.
_MOST_IMPORTERS = 20
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_STARTS = frozenset({"run", "start", "launch", "serve", "main", "run_until_complete"})


def starting_program(file: ModuleFile, line: int, files: SourceFiles) -> ModuleFile | None:
    """Return the file to run so that *line* of *file* takes effect; None if no file runs it.

    If *file* does nothing when it is run, that is a program that imports it. Otherwise it is
    *file*, unless a program with a usual name nearer to the top of the app imports it: the author
    probably wrote that one to start everything.
    """
    candidates = sorted(files.files, key=_likeliness)
    if not runs(file, line):
        return _program_above((file,), candidates, _MAX_STEPS)
    nearer = (each for each in candidates if len(each.parts) < len(file.parts))
    usual = [each for each in nearer if each.stem in STEMS]
    return _program_above((file,), usual, 1) or file


def _program_above(
    targets: tuple[ModuleFile, ...], candidates: list[ModuleFile], steps: int
) -> ModuleFile | None:
    """Return the first program of *candidates* that imports one of *targets*.

    At most *steps* - 1 modules may be between them.
    """
    importing = (
        each
        for each in candidates
        if each not in targets and any(imports(each, target) for target in targets)
    )
    modules: list[ModuleFile] = []
    for file in importing:
        if runs(file):
            return file
        modules.append(file)
        if len(modules) == _MOST_IMPORTERS:
            break
    return _program_above(tuple(modules), candidates, steps - 1) if modules and steps > 1 else None


def _likeliness(file: ModuleFile) -> tuple[int, int, tuple[str, ...]]:
    rank = STEMS.index(file.stem) if file.stem in STEMS else len(STEMS)
    return len(file.parts), rank, file.parts


def runs(file: ModuleFile, line: int = 0) -> bool:
    """Whether *file* does something when it is run, for example on *line*."""
    if file.tree is None:
        return False
    if file.stem == "__main__" or any(map(_is_main, file.tree.body)):
        return True
    functions = {each.name for each in file.tree.body if isinstance(each, _FUNCTIONS)}
    return any(
        statement.lineno <= line <= (statement.end_lineno or line) or _calls(statement, functions)
        for statement in syntax.at_module_level(file.tree.body)
        if not isinstance(statement, (*_FUNCTIONS, ast.ClassDef))
    )


def _is_main(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and syntax.is_main_guard(statement.test)


def _calls(statement: ast.stmt, functions: set[str]) -> bool:
    """Whether *statement* calls one of *functions*, or starts something: `asyncio.run(main())`."""
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return False
    function = statement.value.func
    if isinstance(function, ast.Name):
        return function.id in functions or function.id in _STARTS
    return isinstance(function, ast.Attribute) and function.attr in _STARTS


def imports(file: ModuleFile, target: ModuleFile) -> bool:
    """Whether *file* imports *target*, by any of the names that it can have."""
    names = module_names(target)
    last = names[-1].rpartition(".")[2].encode()
    if not re.search(
        rb"^[ \t]*(?:from|import)\s[^\n#]*\b" + last + rb"\b", file.content, re.MULTILINE
    ):
        return False
    if file.tree is None:
        return False
    modules = [name.lstrip(".") for name in syntax.imports_of(file.tree).modules]
    return any(
        module == name or module.startswith(f"{name}.") for name in names for module in modules
    )


def names_from(file: ModuleFile, targets: Iterable[ModuleFile]) -> frozenset[str]:
    """Return the names of *file* that it imports from *targets*, or makes of such names.

    With `import *`, these can be all of its names.
    """
    if file.tree is None:
        return frozenset()
    modules = {name for target in targets for name in module_names(target)}
    imported = syntax.imports_of(file.tree)
    if any(each.lstrip(".") in modules for each in imported.stars):
        return _used(file.tree)
    names = {
        name
        for name, origin in imported.origins.items()
        if any(f"{origin.lstrip('.')}.".startswith(f"{module}.") for module in modules)
    }
    for _ in range(_MAX_STEPS):
        for target, value in _bindings(file.tree):
            if names & _used(value):
                names |= _used(target)
    return frozenset(names)


def _bindings(tree: ast.Module) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield what the statements of *tree* give names to, with the values."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=targets, value=value):
                yield from ((target, value) for target in targets)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                yield target, value
            case ast.withitem(context_expr=value, optional_vars=ast.expr() as target):
                yield target, value
            case _:
                pass


def _used(tree: ast.AST) -> frozenset[str]:
    return frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))


def module_names(file: ModuleFile) -> list[str]:
    """Return the dotted names of *file*, as seen from each directory above it."""
    parts = file.parts[:-1] if file.stem == "__init__" else file.parts
    return [".".join(parts[start:]) for start in range(len(parts))] or [file.stem]
