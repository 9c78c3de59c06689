"""Finds the calls that start a server: `app.run()`, `uvicorn.run(app)`, `web.run_app(app)`.

Separate from `definitions`, which finds the applications that they start.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping

from cnb_python.launch.code.syntax import at_module_level, dotted

RUNNERS = frozenset({"uvicorn.run", "granian.Granian", "uvicorn.Config"})
"""Functions that serve an application, which may be given as text: `uvicorn.run("main:app")`."""
_METHODS = frozenset({"run", "run_server", "run_app", "serve"})


def started_names(tree: ast.Module) -> Mapping[str, int]:
    """Return the names that *tree* starts a server with, in any place, and the line of each."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return _first_lines(calls)


def started_on_import(tree: ast.Module, origins: Mapping[str, str]) -> Mapping[str, int]:
    """Return the same for the calls that run when *tree* is imported; *origins* are its imports.

    A server that imports such a module starts a second server, and does not serve the application.
    """
    calls = _calls_on_import(tree)
    return {**_first_lines(calls), **dict(_as_text(calls, origins))}


def methods_on_import(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield the name and the line of each `NAME.run()` that runs when *tree* is imported.

    Not `serve(NAME)`, whose server is another one.
    """
    for call in _calls_on_import(tree):
        match call.func:
            case ast.Attribute(value=ast.Name(id=name), attr=method) if method in _METHODS:
                yield name, call.lineno
            case _:
                pass


def _calls_on_import(tree: ast.Module) -> list[ast.Call]:
    statements = [each for each in at_module_level(tree.body) if _is_simple(each)]
    return [node for each in statements for node in ast.walk(each) if isinstance(node, ast.Call)]


def _is_simple(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr | ast.Assign)


def _first_lines(calls: Iterable[ast.Call]) -> Mapping[str, int]:
    lines: dict[str, int] = {}
    for call in calls:
        for name in _started(call):
            lines[name] = min(call.lineno, lines.get(name, call.lineno))
    return lines


def _started(call: ast.Call) -> Iterator[str]:
    """Yield the names that may be the application that *call* starts."""
    match call.func:
        case ast.Attribute(value=owner, attr=method) if method in _METHODS:
            if isinstance(owner, ast.Name):
                yield owner.id
        case ast.Name(id=function) if function in _METHODS:
            pass
        case _:
            return
    for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
        if isinstance(argument, ast.Name):
            yield argument.id


def _as_text(calls: Iterable[ast.Call], origins: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    for call in calls:
        if dotted(call.func, origins) in RUNNERS and (text := application_text(call)):
            yield text.partition(":")[2], call.lineno


def application_text(call: ast.Call) -> str:
    """Return the text that names the application in *call*, a call of RUNNERS; empty without one.

    https://www.uvicorn.org/#running-programmatically
    """
    named = (keyword.value for keyword in call.keywords if keyword.arg in {"app", "target"})
    match next(iter((*call.args[:1], *named)), None):
        case ast.Constant(value=str(text)):
            return text
        case _:
            return ""
