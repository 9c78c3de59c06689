"""Finds the web applications that a module of the app creates, without importing it.

Separate from `discovery`, which decides where to look.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from cnb_python.launch.code.starts import (
    RUNNERS,
    application_text,
    methods_on_import,
    started_names,
    started_on_import,
)
from cnb_python.launch.code.syntax import at_module_level, dotted, imports_of
from cnb_python.launch.code.tracer import USUAL_NAMES, Lookup, Traced, Tracer
from cnb_python.launch.tables.frameworks import Framework, Interface

# Calls that make one application a part of another.
_MOUNTS = frozenset({"mount", "Mount", "add_subapp", "DispatcherMiddleware", "register_blueprint"})


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
    started_at: int = 0
    """The line that starts a server with it when the module is imported; 0 without one."""
    starts_itself: bool = False
    """Whether that line calls a method of an application: `app.run()`, not `serve(app)`."""
    module: str = ""
    """The module that has it, if that is not the one that was read: of `uvicorn.run("a:b")`."""


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
    started: Mapping[str, int]
    """The names that it starts a server with, and the line of each call."""
    started_on_import: Mapping[str, int]
    """The same for the servers that it starts when it is imported."""
    changed: frozenset[str]
    """The names whose objects it uses when it is imported: `app.layout = ...`, `@app.route`."""
    layouts: Mapping[str, int]
    """The names of Dash apps that get a layout, `app.layout = ...`, and the line of each."""


def find_definitions(
    tree: ast.Module,
    lookup: Lookup = lambda _: None,
    *,
    is_entry_point: bool = False,
) -> Module:
    """Return the applications that *tree* creates; an entry point (`wsgi.py`) may import them."""
    imports = imports_of(tree)
    tracer = Tracer(imports, lookup)
    lines: dict[str, int] = {}
    for statement in at_module_level(tree.body):
        tracer.follow(statement, lines)
    on_import = started_on_import(tree, imports.origins)
    definitions = [*_created(tree, tracer, lines), *_as_text(tree, imports.origins)]
    if is_entry_point:
        definitions += _reexports(tree, tracer, {definition.name for definition in definitions})
    started_at = _start_line(on_import, tracer)
    starts_itself = any(
        line == started_at and tracer.trace(ast.Name(name))
        for name, line in methods_on_import(tree)
    )
    definitions = [
        each if each.module else replace(each, started_at=started_at, starts_itself=starts_itself)
        for each in definitions
    ]
    return Module(
        definitions=tuple(sorted(definitions, key=_order)),
        imports=imports.packages,
        relative=imports.relative,
        exports=tracer.scope,
        origins=imports.origins,
        started=started_names(tree),
        started_on_import=on_import,
        changed=frozenset(_changed(tree)),
        layouts=dict(_layouts(tree)),
    )


def _start_line(on_import: Mapping[str, int], tracer: Tracer) -> int:
    """Return the first line of *on_import* that starts one of the applications of *tracer*."""
    lines = (line for name, line in on_import.items() if tracer.trace(ast.Name(name)))
    return min(lines, default=0)


def _layouts(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for statement in at_module_level(tree.body):
        targets = statement.targets if isinstance(statement, ast.Assign) else ()
        for target in targets:
            match target:
                case ast.Attribute(value=ast.Name(id=name), attr="layout"):
                    yield name, statement.lineno
                case _:
                    pass


def _changed(tree: ast.Module) -> Iterator[str]:
    """Yield the names that the statements of *tree* use, besides imports and definitions."""
    for statement in at_module_level(tree.body):
        parts: Iterable[ast.AST] = (statement,)
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            parts = statement.decorator_list
        for node in (node for part in parts for node in ast.walk(part)):
            if isinstance(node, ast.Name):
                yield node.id


def _created(
    tree: ast.Module, tracer: Tracer, lines: Mapping[str, int]
) -> Iterator[AppDefinition]:
    """Yield the applications among the names of *tracer* that have *lines*."""
    parts = _parts(tree)
    for name, traced in tracer.scope.items():
        if name in lines and traced.kind != "class" and is_served(traced):
            yield AppDefinition(
                name,
                traced.framework,
                factory=traced.kind == "factory",
                line=lines[name],
                interface=traced.interface,
                is_wrapper=traced.is_wrapper,
                is_part=name in parts,
            )


def is_served(traced: Traced) -> bool:
    """Whether a server can serve *traced* itself, not only an attribute of it."""
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
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if dotted(call.func, origins) not in RUNNERS:
            continue
        module, _, name = application_text(call).partition(":")
        if all(part.isidentifier() for part in (*module.split("."), name)):
            factory = any(
                keyword.arg == "factory"
                and isinstance(keyword.value, ast.Constant)
                and keyword.value.value is True
                for keyword in call.keywords
            )
            yield AppDefinition(name, None, factory, call.lineno, "ASGI", module=module)


def _reexports(
    tree: ast.Module, tracer: Tracer, names_defined: set[str]
) -> Iterator[AppDefinition]:
    for statement in at_module_level(tree.body):
        if isinstance(statement, ast.ImportFrom):
            names = {alias.asname or alias.name for alias in statement.names}
            for name in sorted(names.intersection(USUAL_NAMES) - names_defined):
                traced = tracer.trace(ast.Name(name)) or Traced(None, "object")
                yield AppDefinition(
                    name,
                    traced.framework,
                    factory=False,
                    line=statement.lineno,
                    interface=traced.interface,
                )


def _order(definition: AppDefinition) -> tuple[bool, bool, bool, bool, int, int]:
    return (
        definition.is_part,
        bool(definition.module),
        definition.factory,
        not definition.is_wrapper,
        USUAL_NAMES.index(definition.name) if definition.name in USUAL_NAMES else len(USUAL_NAMES),
        definition.line,
    )
