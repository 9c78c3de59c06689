"""Reads one module of the app without importing it, and says which applications it makes."""

import ast
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cnb_python.launch.servers import MAKERS, Framework

FACTORIES = ("create_app", "make_app", "create_application", "make_application", "build_app")
# Names by which others import an application, likeliest first.
_NAMES = ("app", "application", "api", "server", "asgi_app", "wsgi_app")
_MOST_BYTES = 512 * 1024


@dataclass(frozen=True, slots=True)
class Made:
    """An application that a module makes, or a function that makes one."""

    name: str
    framework: Framework | None
    """None: made by something that another module defines."""
    factory: bool
    line: int


@dataclass(frozen=True, slots=True)
class Module:
    """What one file says, as far as launching goes."""

    made: tuple[Made, ...]
    """Objects before factories, likely names first."""
    imported: frozenset[str]
    """The first part of each module imported by its whole name."""
    relative: bool
    """Whether it has relative imports, and so can only be part of a package."""


def read(path: Path) -> ast.Module | None:
    """Return the syntax tree of *path*, None where it is no module that Python could read."""
    try:
        # Links may lead anywhere, and a pipe would wait for ever.
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return None
        with warnings.catch_warnings():
            # `"\d"` in the app's code is not worth a word here.
            warnings.simplefilter("ignore")
            return ast.parse(path.read_bytes())
    except OSError, SyntaxError, ValueError, RecursionError, MemoryError:
        return None


def understand(tree: ast.Module, *, is_entry_point: bool = False) -> Module:
    """Return what *tree* makes; an entry point (`wsgi.py`) may also pass on what it imports."""
    origins, relative = _imports(tree)
    made = [*_objects(tree, origins), *_factories(tree, origins)]
    if is_entry_point:
        made += _passed_on(tree, {one.name for one in made})
    made.sort(key=lambda one: (one.factory, _rank(one.name), one.line))
    return Module(
        made=tuple(made),
        imported=frozenset(origin.partition(".")[0] for origin in origins.values()),
        relative=relative,
    )


def at_module_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run on import, those under `if` and `try` included."""
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
    """Return name and value of `name = value`, annotated or not."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name, value
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            return name, value
        case _:
            return None


def _objects(tree: ast.Module, origins: Mapping[str, str]) -> Iterator[Made]:
    own_factories = {made.name: made.framework for made in _factories(tree, origins)}
    last: dict[str, Made] = {}
    for statement in at_module_level(tree.body):
        match assigned(statement):
            case (name, ast.Call(func=function)):
                called = _dotted(function, origins)
                factory = called.rpartition(".")[2]
                if called in MAKERS:
                    last[name] = Made(name, MAKERS[called], factory=False, line=statement.lineno)
                elif factory in FACTORIES:
                    framework = own_factories.get(factory)
                    last[name] = Made(name, framework, factory=False, line=statement.lineno)
            case _:
                pass
    yield from last.values()


def _factories(tree: ast.Module, origins: Mapping[str, str]) -> Iterator[Made]:
    for statement in at_module_level(tree.body):
        if (
            isinstance(statement, ast.FunctionDef)
            and statement.name in FACTORIES
            and _can_be_called_bare(statement.args)
            and (framework := _maker_called_in(statement, origins))
        ):
            yield Made(statement.name, framework, factory=True, line=statement.lineno)


def _passed_on(tree: ast.Module, known: set[str]) -> Iterator[Made]:
    for statement in at_module_level(tree.body):
        if isinstance(statement, ast.ImportFrom):
            names = {alias.asname or alias.name for alias in statement.names}
            for name in sorted(names.intersection(_NAMES) - known):
                yield Made(name, None, factory=False, line=statement.lineno)


def _maker_called_in(function: ast.FunctionDef, origins: Mapping[str, str]) -> Framework | None:
    called = (
        _dotted(node.func, origins) for node in ast.walk(function) if isinstance(node, ast.Call)
    )
    return next((MAKERS[name] for name in called if name in MAKERS), None)


def _imports(tree: ast.Module) -> tuple[dict[str, str], bool]:
    """Return what each imported name stands for, and whether any import is relative."""
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
    """Return the full name of what *expression* refers to, as far as the imports tell."""
    match expression:
        case ast.Name(id=name):
            return origins.get(name, name)
        case ast.Attribute(value=value, attr=name):
            return f"{_dotted(value, origins)}.{name}"
        case _:
            return ""


def _can_be_called_bare(arguments: ast.arguments) -> bool:
    positional = len(arguments.posonlyargs) + len(arguments.args)
    return positional == len(arguments.defaults) and None not in arguments.kw_defaults


def _is_main_guard(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare) and any(
        isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(test)
    )


def _rank(name: str) -> int:
    return _NAMES.index(name) if name in _NAMES else len(_NAMES)
