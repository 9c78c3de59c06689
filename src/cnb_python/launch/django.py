"""Finds a Django project from its `manage.py`: the settings say what serves it."""

import ast
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from cnb_python.launch import app_ast
from cnb_python.launch.servers import DJANGO, AppObject, DetectedApp, Interface

MANAGE = "manage.py"
_VARIABLE = "DJANGO_SETTINGS_MODULE"
# Setting, interface, and the module that `startproject` writes beside the settings. ASGI first:
# projects have WSGI_APPLICATION from the start, ASGI_APPLICATION only if somebody chose it.
_SETTINGS: tuple[tuple[str, Interface], ...] = (
    ("ASGI_APPLICATION", "ASGI"),
    ("WSGI_APPLICATION", "WSGI"),
)
_BESIDE: tuple[tuple[str, Interface], ...] = (("wsgi", "WSGI"), ("asgi", "ASGI"))
_MOST_STAR_IMPORTS = 4


def find(app_dir: Path, directory: str) -> DetectedApp | None:
    """Return the project whose `manage.py` is in *directory* of the app, None without one."""
    top = app_dir / directory
    tree = app_ast.read(top / MANAGE)
    place = _settings_module(tree) if tree else None
    if place is None:
        return None
    settings, line = place
    chosen = tuple(_chosen(top, settings))
    targets = dict.fromkeys(chain((target for target, *_ in chosen), _beside(top, settings)))
    if not targets:
        return None
    file, line, sign = chosen[0][1:] if chosen else (top / MANAGE, line, _VARIABLE)
    shown = file.relative_to(app_dir).as_posix()
    return DetectedApp(DJANGO.title, tuple(targets), shown, line, sign, directory)


def _settings_module(tree: ast.Module) -> tuple[str, int] | None:
    """Return the settings module that `manage.py` names, and the line."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(args=[ast.Constant(value=name), ast.Constant(value=str(settings))]) if (
                name == _VARIABLE
            ):
                return settings, node.lineno
            case ast.Assign(
                targets=[ast.Subscript(slice=ast.Constant(value=name))],
                value=ast.Constant(value=str(settings)),
            ) if name == _VARIABLE:
                return settings, node.lineno
    return None


def _chosen(top: Path, settings: str) -> Iterator[tuple[AppObject, Path, int, str]]:
    """Yield what the settings name, where the file they name exists."""
    values = _values(top, settings, _MOST_STAR_IMPORTS)
    for setting, interface in _SETTINGS:
        if setting in values:
            value, file, line = values[setting]
            target, _, name = value.rpartition(".")
            if target and _file_of(top, target):
                yield AppObject(interface, target, name), file, line, setting


def _beside(top: Path, settings: str) -> Iterator[AppObject]:
    """Yield `wsgi.py` and `asgi.py` of the settings' package, or of the nearest one above it."""
    for name, interface in _BESIDE:
        package = settings
        while package:
            package = package.rpartition(".")[0]
            candidate = f"{package}.{name}" if package else name
            if _file_of(top, candidate):
                yield AppObject(interface, candidate, "application")
                break


def _values(top: Path, settings: str, more: int) -> dict[str, tuple[str, Path, int]]:
    """Return the two settings, with file and line; `from .base import *` is followed."""
    values: dict[str, tuple[str, Path, int]] = {}
    file = _file_of(top, settings)
    tree = app_ast.read(file) if file else None
    if file is None or tree is None:
        return values
    package = settings if file.name == "__init__.py" else settings.rpartition(".")[0]
    for statement in app_ast.at_module_level(tree.body):
        if more and isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*":
            values |= _values(top, _absolute(package, statement), more - 1)
        match app_ast.assigned(statement):
            case (name, ast.Constant(value=str(value))) if name in dict(_SETTINGS):
                values[name] = value, file, statement.lineno
    return values


def _absolute(package: str, statement: ast.ImportFrom) -> str:
    if not statement.level:
        return statement.module or ""
    parts = package.split(".")
    parts = parts[: len(parts) - statement.level + 1]
    return ".".join([*parts, *([statement.module] if statement.module else [])])


def _file_of(top: Path, name: str) -> Path | None:
    """Return the file of the module called *name*, if the project has it."""
    parts = name.split(".")
    if not all(part.isidentifier() for part in parts):
        return None
    path = top.joinpath(*parts)
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return next((candidate for candidate in candidates if candidate.is_file()), None)
