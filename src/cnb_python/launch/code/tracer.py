"""Follows the statements of a module: which of its names are applications.

Separate from `definitions`, which chooses those that can be served.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from cnb_python.launch.code.syntax import Imports, at_module_level, dotted
from cnb_python.launch.tables.frameworks import (
    CALLABLES,
    CONSTRUCTORS,
    CONVERTERS,
    METHODS,
    WRAPPERS,
    Framework,
    Interface,
)

FACTORIES = ("create_app", "make_app", "create_application", "make_application", "build_app")
# Usual names of an application, the most likely first.
USUAL_NAMES = ("app", "application", "api", "server", "asgi_app", "wsgi_app")

type Kind = Literal["object", "factory", "class"]


@dataclass(frozen=True, slots=True)
class Traced:
    """What an expression is: an application, or something that returns one."""

    framework: Framework | None
    kind: Kind
    interface: Interface | None = None
    is_wrapper: bool = False
    is_async: bool = False


type Lookup = Callable[[str], Traced | None]
"""Returns what an imported name is, by its full name: `shop.app.create_app`, `.app.create_app`."""


class Tracer:
    """Follows the statements of a module, and remembers which names are applications."""

    def __init__(self, imports: Imports, lookup: Lookup) -> None:
        self.scope: dict[str, Traced] = {}
        self._imports = imports
        self._origins = imports.origins
        self._lookup = lookup

    def follow(self, statement: ast.stmt, lines: dict[str, int]) -> None:
        """Record in `scope` what *statement* defines, and its line in *lines*."""
        match statement:
            case ast.Assign(targets=targets, value=value):
                names = [name for target in targets for name in _names_of(target, value)]
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                names = [name]
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._define(statement.name, self._function(statement), statement.lineno, lines)
                return
            case ast.ClassDef():
                bases = (self._of_name(base) for base in statement.bases)
                base = next((base for base in bases if base and base.kind == "class"), None)
                self._define(statement.name, base, statement.lineno, lines)
                return
            case _:
                return
        traced = self.trace(value)
        for name in names:
            self._define(name, traced, statement.lineno, lines)

    def _define(self, name: str, traced: Traced | None, line: int, lines: dict[str, int]) -> None:
        if traced:
            self.scope[name] = traced
            lines[name] = line
        elif name in self.scope and name not in USUAL_NAMES:
            # `app = celery.wrap(app)` is likely still the app; another name is something else.
            del self.scope[name]
            lines.pop(name, None)

    def trace(self, value: ast.expr) -> Traced | None:
        """Return what *value* is, None if it is not an application."""
        match value:
            case ast.Call(func=function):
                return self._call(value, function)
            case ast.Await(value=inner):
                return self.trace(inner)
            case ast.Name():
                return self._of_name(value)
            case ast.Attribute(value=inner, attr=name):
                is_long = isinstance(inner, ast.Attribute) and not dotted(inner, {})
                owner = None if is_long else self.trace(inner)
                if owner and owner.framework and name in owner.framework.attributes:
                    return Traced(owner.framework, "object", "WSGI", is_wrapper=True)
                return self._of_name(value)
            case _:
                return None

    def _call(self, call: ast.Call, function: ast.expr) -> Traced | None:
        name = dotted(function, self._origins)
        last = name.rpartition(".")[2] or getattr(function, "attr", "")
        if converted := self._wrapped(call, name, last):
            return converted
        called = self._of_name(function)
        if called and called.kind in {"class", "factory"}:
            return replace(called, kind="object", is_async=False)
        framework = METHODS.get(last)
        if framework and isinstance(function, ast.Attribute) and self._uses(framework):
            return Traced(framework, "object", is_wrapper=True)
        if last in FACTORIES and name in self._origins.values():
            return Traced(None, "object")
        return None

    def _uses(self, framework: Framework) -> bool:
        return framework.package in self._imports.packages

    def _wrapped(self, call: ast.Call, name: str, last: str) -> Traced | None:
        """Return the application that *call* makes of its first arguments."""
        if not (last.endswith("Middleware") or last in WRAPPERS or name in CONVERTERS):
            return None
        arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
        inner = next((traced for each in arguments if (traced := self.trace(each))), None)
        if inner is None or inner.kind != "object":
            imported = any(
                isinstance(each, ast.Name) and each.id in self._origins for each in arguments[:1]
            )
            inner = Traced(None, "object") if imported and name not in CONSTRUCTORS else None
        if inner is None:
            return None
        return replace(inner, interface=CONVERTERS.get(name, inner.interface), is_wrapper=True)

    def _of_name(self, expression: ast.expr) -> Traced | None:
        """Return what a plain or dotted name is."""
        if isinstance(expression, ast.Name) and expression.id in self.scope:
            return self.scope[expression.id]
        name = dotted(expression, self._origins)
        candidates = (name, *(f"{star}.{name}" for star in self._imports.stars))
        for candidate in candidates:
            if framework := CONSTRUCTORS.get(candidate):
                return Traced(framework, "class")
        if not name:
            return None
        return next((traced for each in candidates if (traced := self._lookup(each))), None)

    def _function(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> Traced | None:
        """Return the factory that *function* is: it needs no arguments and returns an app."""
        is_async = isinstance(function, ast.AsyncFunctionDef)
        parameters = tuple(argument.arg for argument in function.args.args)
        if (plain := CALLABLES.get(parameters)) and is_async == (plain.interface == "ASGI"):
            return Traced(plain, "object")
        if not _needs_no_arguments(function.args) or _is_generator(function):
            return None
        inner = Tracer(self._imports, self._lookup)
        inner.scope.update(self.scope)
        returned = inner.returned(function.body)
        if returned is None and function.name in FACTORIES:
            returned = self._called_in(function)
        elif returned is None and function.returns is not None:
            returned = self._of_name(function.returns)
        if returned is None or returned.framework is None:
            return None
        if is_async and returned.framework.interface != "aiohttp":
            return None
        return replace(returned, kind="factory", is_async=is_async)

    def returned(self, body: list[ast.stmt]) -> Traced | None:
        """Return the application that a function with *body* returns."""
        result = None
        for statement in at_module_level(body):
            match statement:
                case ast.Return(value=ast.expr() as value):
                    traced = self.trace(value)
                    result = result or (traced if traced and traced.kind == "object" else None)
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                    pass
                case _:
                    self.follow(statement, {})
        return result

    def _called_in(self, function: ast.AST) -> Traced | None:
        calls = (node.func for node in ast.walk(function) if isinstance(node, ast.Call))
        traced = (self._of_name(name) for name in calls)
        return next((each for each in traced if each and each.kind == "class"), None)


def _names_of(target: ast.expr, value: ast.expr) -> Iterator[str]:
    """Yield the names that get the application: `app` of `app, rt = fast_app()`."""
    match target:
        case ast.Name(id=name):
            yield name
        case ast.Tuple(elts=[ast.Name(id=name), *_]) if isinstance(value, ast.Call):
            yield name
        case _:
            pass


def _needs_no_arguments(arguments: ast.arguments) -> bool:
    positional = len(arguments.posonlyargs) + len(arguments.args)
    return positional == len(arguments.defaults) and None not in arguments.kw_defaults


def _is_generator(function: ast.AST) -> bool:
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(function))
