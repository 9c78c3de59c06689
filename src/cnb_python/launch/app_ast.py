"""Finds the web applications that a module of the app creates, without importing it.

Separate from `discovery`, which decides where to look.
"""

import ast
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

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
_NAMES = ("app", "application", "api", "server", "asgi_app", "wsgi_app")
# Calls that make one application a part of another.
_MOUNTS = frozenset({"mount", "Mount", "add_subapp", "DispatcherMiddleware", "register_blueprint"})
# Functions that serve an application, which may be given as text: `uvicorn.run("main:app")`.
_RUNNERS = frozenset({"uvicorn.run", "granian.Granian", "uvicorn.Config"})
_MAX_BYTES = 512 * 1024
# No constructor has a longer name.
_MOST_DOTS = 20

type Kind = Literal["object", "factory", "class"]


@dataclass(frozen=True, slots=True)
class AppDefinition:
    """An application object that a module creates, or a function that returns one."""

    name: str
    framework: Framework | None
    """None if it is created by something that another module defines."""
    factory: bool
    line: int
    interface: Interface | None = None
    """The interface, if it is not that of the framework."""
    is_wrapper: bool = False
    """Whether it wraps another application: `ProxyFix(app)`."""
    is_part: bool = False
    """Whether another application contains it: `app.mount("/v1", api)`."""
    module: str = ""
    """The module that has it, if that is not the one that was read: of `uvicorn.run("a:b")`."""


@dataclass(frozen=True, slots=True)
class Traced:
    """What an expression is: an application, or something that returns one."""

    framework: Framework | None
    kind: Kind
    interface: Interface | None = None
    is_wrapper: bool = False
    is_async: bool = False


@dataclass(frozen=True, slots=True)
class Module:
    """The facts about one module that decide how it is launched."""

    definitions: tuple[AppDefinition, ...]
    """Objects before factories, then the most likely names first."""
    imports: frozenset[str]
    """The top-level name of each module that it imports absolutely."""
    relative: bool
    """Whether it has relative imports, so that it must be part of a package."""
    exports: Mapping[str, Traced]
    """What other modules can import from it."""
    origins: Mapping[str, str]
    """The full name of each imported name; a relative one starts with dots."""


type Lookup = Callable[[str], Traced | None]
"""Returns what an imported name is, by its full name: `shop.app.create_app`, `.app.create_app`."""


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


def find_definitions(
    tree: ast.Module,
    lookup: Lookup = lambda _: None,
    *,
    is_entry_point: bool = False,
) -> Module:
    """Return the applications that *tree* creates; an entry point (`wsgi.py`) may import them."""
    origins, stars, relative = imports_of(tree)
    tracer = _Tracer(origins, stars, lookup)
    lines: dict[str, int] = {}
    for statement in at_module_level(tree.body):
        tracer.follow(statement, lines)
    names = {name: traced for name, traced in tracer.scope.items() if name in lines}
    parts = _parts(tree)
    definitions = [
        AppDefinition(
            name,
            traced.framework,
            factory=traced.kind == "factory",
            line=lines[name],
            interface=traced.interface,
            is_wrapper=traced.is_wrapper,
            is_part=name in parts,
        )
        for name, traced in names.items()
        if traced.kind != "class" and (traced.framework is None or _is_served(traced))
    ]
    definitions += _as_text(tree, origins)
    if is_entry_point:
        definitions += _reexports(tree, tracer, {definition.name for definition in definitions})
    definitions.sort(key=_order)
    return Module(
        definitions=tuple(definitions),
        imports=frozenset(
            origin.partition(".")[0]
            for origin in (*origins.values(), *stars)
            if not origin.startswith(".")
        ),
        relative=relative,
        exports=tracer.scope,
        origins=origins,
    )


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


def imports_of(tree: ast.Module) -> tuple[dict[str, str], tuple[str, ...], bool]:
    """Return the full name of each imported name, and the modules of `import *`.

    Last, whether any import is relative.
    """
    origins: dict[str, str] = {}
    stars: list[str] = []
    relative = False
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                origins[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom):
            module = f"{'.' * node.level}{node.module or ''}"
            relative |= node.level > 0
            for alias in node.names:
                if alias.name == "*":
                    stars.append(module)
                else:
                    joint = "" if module.endswith(".") else "."
                    origins[alias.asname or alias.name] = f"{module}{joint}{alias.name}"
    return origins, tuple(stars), relative


class _Tracer:
    """Follows the statements of a module, and remembers which names are applications."""

    def __init__(self, origins: Mapping[str, str], stars: tuple[str, ...], lookup: Lookup) -> None:
        self.scope: dict[str, Traced] = {}
        self._origins = origins
        self._stars = stars
        self._lookup = lookup
        self._packages = {origin.partition(".")[0] for origin in (*origins.values(), *stars)}

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
        elif name in self.scope and name not in _NAMES:
            # `app = celery.wrap(app)` is likely still the app; another name is something else.
            del self.scope[name]
            lines.pop(name, None)

    def trace(self, value: ast.expr) -> Traced | None:
        """Return what *value* is, None if it is no application."""
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
        if framework and isinstance(function, ast.Attribute) and self._imports(framework):
            return Traced(framework, "object", is_wrapper=True)
        if last in FACTORIES and name in self._origins.values():
            return Traced(None, "object")
        return None

    def _imports(self, framework: Framework) -> bool:
        return framework.package in self._packages

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
        candidates = (name, *(f"{star}.{name}" for star in self._stars))
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
        inner = _Tracer(self._origins, self._stars, self._lookup)
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


def _is_served(traced: Traced) -> bool:
    framework = traced.framework
    return framework is None or framework.is_served or traced.is_wrapper


def _parts(tree: ast.Module) -> frozenset[str]:
    """Return the names of applications that are parts of other ones."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return frozenset(
        name.id
        for call in calls
        if dotted(call.func, {}).rpartition(".")[2] in _MOUNTS
        for argument in (*call.args, *(keyword.value for keyword in call.keywords))
        for name in ast.walk(argument)
        if isinstance(name, ast.Name)
    )


def _as_text(tree: ast.Module, origins: Mapping[str, str]) -> Iterator[AppDefinition]:
    """Yield the application that `uvicorn.run("shop.web:app")` names."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=function, args=[ast.Constant(value=str(text)), *_]) if (
                dotted(function, origins) in _RUNNERS
            ):
                module, _, name = text.partition(":")
                if all(part.isidentifier() for part in (*module.split("."), name)):
                    factory = any(
                        keyword.arg == "factory"
                        and isinstance(keyword.value, ast.Constant)
                        and keyword.value.value is True
                        for keyword in node.keywords
                    )
                    yield AppDefinition(name, None, factory, node.lineno, "ASGI", module=module)
            case _:
                pass


def _reexports(
    tree: ast.Module, tracer: _Tracer, names_defined: set[str]
) -> Iterator[AppDefinition]:
    for statement in at_module_level(tree.body):
        if isinstance(statement, ast.ImportFrom):
            names = {alias.asname or alias.name for alias in statement.names}
            for name in sorted(names.intersection(_NAMES) - names_defined):
                traced = tracer.trace(ast.Name(name)) or Traced(None, "object")
                yield AppDefinition(
                    name,
                    traced.framework,
                    factory=False,
                    line=statement.lineno,
                    interface=traced.interface,
                )


def _needs_no_arguments(arguments: ast.arguments) -> bool:
    positional = len(arguments.posonlyargs) + len(arguments.args)
    return positional == len(arguments.defaults) and None not in arguments.kw_defaults


def _is_generator(function: ast.AST) -> bool:
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(function))


def _order(definition: AppDefinition) -> tuple[bool, bool, bool, bool, int, int]:
    return (
        definition.is_part,
        bool(definition.module),
        definition.factory,
        not definition.is_wrapper,
        _NAMES.index(definition.name) if definition.name in _NAMES else len(_NAMES),
        definition.line,
    )
