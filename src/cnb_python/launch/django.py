"""Finds a Django project by its `manage.py`, and in its settings the application to serve."""

import ast
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from cnb_python.launch import app_ast
from cnb_python.launch.servers import DJANGO, AppObject, DetectedApp, Interface

MANAGE = "manage.py"
_VARIABLE = "DJANGO_SETTINGS_MODULE"
# ASGI first: `startproject` writes WSGI_APPLICATION, so ASGI_APPLICATION is a choice.
_SETTINGS: tuple[tuple[str, Interface], ...] = (
    ("ASGI_APPLICATION", "ASGI"),
    ("WSGI_APPLICATION", "WSGI"),
)
# The modules that `startproject` writes beside the settings.
_MODULES: tuple[tuple[str, Interface], ...] = (("wsgi", "WSGI"), ("asgi", "ASGI"))
_MAX_STAR_IMPORTS = 4


def find(app_dir: Path, directory: str) -> DetectedApp | None:
    """Return the Django project with `manage.py` in *directory* of the app, None without one."""
    top = app_dir / directory
    tree = app_ast.read(top / MANAGE)
    reference = _settings_module(tree) if tree else None
    if reference is None:
        return None
    settings, line = reference
    configured = tuple(_from_settings(top, settings))
    targets = dict.fromkeys(
        chain((target for target, *_ in configured), _from_modules(top, settings))
    )
    if not targets:
        return None
    file, line, reason = configured[0][1:] if configured else (top / MANAGE, line, _VARIABLE)
    file_name = file.relative_to(app_dir).as_posix()
    return DetectedApp(DJANGO.title, tuple(targets), file_name, line, reason, directory)


def _settings_module(tree: ast.Module) -> tuple[str, int] | None:
    """Return the settings module that `manage.py` names, and the line that names it."""
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


def _from_settings(top: Path, settings: str) -> Iterator[tuple[AppObject, Path, int, str]]:
    """Yield the applications that the settings name, with file, line and setting.

    Only those whose module exists in the project.
    """
    values = _values(top, settings, _MAX_STAR_IMPORTS)
    for setting, interface in _SETTINGS:
        if setting in values:
            value, file, line = values[setting]
            target, _, name = value.rpartition(".")
            if target and _file_of(top, target):
                yield AppObject(interface, target, name), file, line, setting


def _from_modules(top: Path, settings: str) -> Iterator[AppObject]:
    """Yield `wsgi.py` and `asgi.py` beside the settings, or in the nearest package above them."""
    for name, interface in _MODULES:
        package = settings
        while package:
            package = package.rpartition(".")[0]
            candidate = f"{package}.{name}" if package else name
            if _file_of(top, candidate):
                yield AppObject(interface, candidate, "application")
                break


def _values(top: Path, settings: str, imports_left: int) -> dict[str, tuple[str, Path, int]]:
    """Return the two settings with file and line, following `from .base import *`."""
    values: dict[str, tuple[str, Path, int]] = {}
    file = _file_of(top, settings)
    tree = app_ast.read(file) if file else None
    if file is None or tree is None:
        return values
    package = settings if file.name == "__init__.py" else settings.rpartition(".")[0]
    for statement in app_ast.at_module_level(tree.body):
        if (
            imports_left
            and isinstance(statement, ast.ImportFrom)
            and statement.names[0].name == "*"
        ):
            values |= _values(top, _absolute(package, statement), imports_left - 1)
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
