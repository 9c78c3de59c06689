"""Finds the web applications that a module of the app creates, without importing it.

Separate from `discovery`, which decides where to look.
"""

import ast
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cnb_python.launch.frameworks import CONSTRUCTORS, Framework
from cnb_python.system import regular_file

FACTORIES = ("create_app", "make_app", "create_application", "make_application", "build_app")
# Usual names of an application, the most likely first.
_NAMES = ("app", "application", "api", "server", "asgi_app", "wsgi_app")
_MAX_BYTES = 512 * 1024


@dataclass(frozen=True, slots=True)
class AppDefinition:
    """An application object that a module creates, or a function that returns one."""

    name: str
    framework: Framework | None
    """None if it is created by something that another module defines."""
    factory: bool
    line: int


@dataclass(frozen=True, slots=True)
class Module:
    """The facts about one module that decide how it is launched."""

    definitions: tuple[AppDefinition, ...]
    """Objects before factories, then the most likely names first."""
    imports: frozenset[str]
    """The top-level name of each module that it imports absolutely."""
    relative: bool
    """Whether it has relative imports, so that it must be part of a package."""


def parse_module(path: Path) -> ast.Module | None:
    """Return the syntax tree of *path*, None if Python could not read it as a module."""
    try:
        content = regular_file.read(path, _MAX_BYTES)
        with warnings.catch_warnings():
            # Warnings about the app's code, such as for `"\d"`, do not belong in the build log.
            warnings.simplefilter("ignore")
            return ast.parse(content)
    except OSError, SyntaxError, ValueError, RecursionError, MemoryError:
        return None


def find_definitions(tree: ast.Module, *, is_entry_point: bool = False) -> Module:
    """Return the applications that *tree* creates; an entry point (`wsgi.py`) may import them."""
    origins, relative = _imports(tree)
    definitions = [*_objects(tree, origins), *_factories(tree, origins)]
    if is_entry_point:
        definitions += _reexports(tree, {definition.name for definition in definitions})
    definitions.sort(
        key=lambda definition: (definition.factory, _rank(definition.name), definition.line)
    )
    return Module(
        definitions=tuple(definitions),
        imports=frozenset(origin.partition(".")[0] for origin in origins.values()),
        relative=relative,
    )


def at_module_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run on import, including those under `if`, `try` and `with`."""
    for statement in body:
        match statement:
            case ast.If() if _is_main_guard(statement.test):
                yield from at_module_level(statement.orelse)
            case ast.If():
                yield from at_module_level(statement.body + statement.orelse)
            case ast.Try():
                handlers = [line for handler in statement.handlers for line in handler.body]
                tail = statement.orelse + statement.finalbody
                yield from at_module_level(statement.body + handlers + tail)
            case ast.With():
                yield from at_module_level(statement.body)
            case _:
                yield statement


def assigned(statement: ast.stmt) -> tuple[str, ast.expr] | None:
    """Return the name and value of `name = value`, with or without an annotation."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name, value
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            return name, value
        case _:
            return None


def _objects(tree: ast.Module, origins: Mapping[str, str]) -> Iterator[AppDefinition]:
    own_factories = {
        definition.name: definition.framework for definition in _factories(tree, origins)
    }
    last: dict[str, AppDefinition] = {}
    for statement in at_module_level(tree.body):
        match assigned(statement):
            case (name, ast.Call(func=function)):
                called = _dotted(function, origins)
                factory = called.rpartition(".")[2]
                if called in CONSTRUCTORS:
                    last[name] = AppDefinition(
                        name, CONSTRUCTORS[called], factory=False, line=statement.lineno
                    )
                elif factory in FACTORIES:
                    framework = own_factories.get(factory)
                    last[name] = AppDefinition(
                        name, framework, factory=False, line=statement.lineno
                    )
            case _:
                pass
    yield from last.values()


def _factories(tree: ast.Module, origins: Mapping[str, str]) -> Iterator[AppDefinition]:
    for statement in at_module_level(tree.body):
        if (
            isinstance(statement, ast.FunctionDef)
            and statement.name in FACTORIES
            and _needs_no_arguments(statement.args)
            and (framework := _framework_called_in(statement, origins))
        ):
            yield AppDefinition(statement.name, framework, factory=True, line=statement.lineno)


def _reexports(tree: ast.Module, names_defined: set[str]) -> Iterator[AppDefinition]:
    for statement in at_module_level(tree.body):
        if isinstance(statement, ast.ImportFrom):
            names = {alias.asname or alias.name for alias in statement.names}
            for name in sorted(names.intersection(_NAMES) - names_defined):
                yield AppDefinition(name, None, factory=False, line=statement.lineno)


def _framework_called_in(
    function: ast.FunctionDef, origins: Mapping[str, str]
) -> Framework | None:
    called = (
        _dotted(node.func, origins) for node in ast.walk(function) if isinstance(node, ast.Call)
    )
    return next((CONSTRUCTORS[name] for name in called if name in CONSTRUCTORS), None)


def _imports(tree: ast.Module) -> tuple[dict[str, str], bool]:
    """Return the full name of each imported name, and whether any import is relative."""
    origins: dict[str, str] = {}
    relative = False
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                origins[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                origins[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        elif isinstance(node, ast.ImportFrom):
            relative = True
    return origins, relative


def _dotted(expression: ast.expr, origins: Mapping[str, str]) -> str:
    """Return the full dotted name of *expression*, resolved through the imports *origins*."""
    match expression:
        case ast.Name(id=name):
            return origins.get(name, name)
        case ast.Attribute(value=value, attr=name):
            return f"{_dotted(value, origins)}.{name}"
        case _:
            return ""


def _needs_no_arguments(arguments: ast.arguments) -> bool:
    positional = len(arguments.posonlyargs) + len(arguments.args)
    return positional == len(arguments.defaults) and None not in arguments.kw_defaults


def _is_main_guard(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare) and any(
        isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(test)
    )


def _rank(name: str) -> int:
    return _NAMES.index(name) if name in _NAMES else len(_NAMES)
