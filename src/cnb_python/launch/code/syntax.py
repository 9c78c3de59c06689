"""Reads the syntax tree of a module: its statements, names and imports.

Separate from `definitions`, which finds applications in it.
"""

import ast
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

_MAX_BYTES = 512 * 1024
# No constructor has a longer name.
_MOST_DOTS = 20


def parse_bytes(content: bytes) -> ast.Module | None:
    """Return the syntax tree of the module *content*, None if Python could not read it."""
    if len(content) > _MAX_BYTES:
        return None
    try:
        with warnings.catch_warnings():
            # Warnings about the app's code, such as for `"\d"`, do not belong in the build log.
            warnings.simplefilter("ignore")
            return ast.parse(content)
    except SyntaxError, ValueError, RecursionError, MemoryError:
        return None


def at_module_level(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run on import, including those under `if`, `try` and `with`."""
    # Not recursive: Python itself reads thousands of `elif`, each inside the one before.
    waiting = list(body)[::-1]
    while waiting:
        statement = waiting.pop()
        below = _statements_below(statement)
        if below is None:
            yield statement
        else:
            waiting += reversed(below)


def _statements_below(statement: ast.stmt) -> list[ast.stmt] | None:
    """Return the statements of *statement* that run on import; None if it is not compound."""
    match statement:
        case ast.If() if is_main_guard(statement.test):
            return statement.orelse
        case ast.If():
            return statement.body + statement.orelse
        case ast.Try():
            handlers = [line for handler in statement.handlers for line in handler.body]
            return statement.body + handlers + statement.orelse + statement.finalbody
        case ast.With() | ast.AsyncWith():
            return statement.body
        case _:
            return None


def assigned(statement: ast.stmt) -> tuple[str, ast.expr] | None:
    """Return the name and value of `name = value`, with or without an annotation."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name, value
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            return name, value
        case _:
            return None


def is_main_guard(test: ast.expr) -> bool:
    """Whether *test* is the condition of `if __name__ == "__main__":`."""
    return isinstance(test, ast.Compare) and any(
        isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(test)
    )


def dotted(expression: ast.expr, origins: Mapping[str, str]) -> str:
    """Return the full dotted name of *expression*, resolved through the imports *origins*."""
    names: list[str] = []
    while isinstance(expression, ast.Attribute) and len(names) < _MOST_DOTS:
        names.append(expression.attr)
        expression = expression.value
    if not isinstance(expression, ast.Name):
        return ""
    first = origins.get(expression.id, expression.id)
    return ".".join((first, *reversed(names))) if first else ""


class Imports(NamedTuple):
    """What a module imports."""

    origins: Mapping[str, str]
    """The full name of each imported name; a relative one starts with dots."""
    stars: tuple[str, ...]
    """The modules of `import *`."""
    relative: bool
    """Whether any import is relative."""

    @property
    def modules(self) -> tuple[str, ...]:
        """The full names of everything that is imported."""
        return (*self.origins.values(), *self.stars)

    @property
    def packages(self) -> frozenset[str]:
        """The top-level name of each module that is imported absolutely."""
        return frozenset(
            name.partition(".")[0] for name in self.modules if not name.startswith(".")
        )


def imports_of(tree: ast.Module) -> Imports:
    """Return what *tree* imports, at any depth."""
    origins: dict[str, str] = {}
    stars: list[str] = []
    relative = False
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                origins.update(_imported(alias) for alias in names)
            case ast.ImportFrom(names=names, level=level):
                module = f"{'.' * level}{node.module or ''}"
                relative |= level > 0
                stars += [module for alias in names if alias.name == "*"]
                origins.update(
                    _imported_from(module, alias) for alias in names if alias.name != "*"
                )
            case _:
                pass
    return Imports(origins, tuple(stars), relative)


def _imported(alias: ast.alias) -> tuple[str, str]:
    top = alias.name.partition(".")[0]
    return alias.asname or top, alias.name if alias.asname else top


def _imported_from(module: str, alias: ast.alias) -> tuple[str, str]:
    joint = "" if module.endswith(".") else "."
    return alias.asname or alias.name, f"{module}{joint}{alias.name}"
