"""Finds the apps that can be served by parsing the code, never by importing it.

A Django project is found from manage.py and its settings, other apps from the objects that their
modules create.

Separate from `processes`, which prefers a Procfile to it.
"""

import ast
from collections.abc import Collection, Iterator
from itertools import chain, islice
from pathlib import Path

from cnb_python.launch import app_ast
from cnb_python.launch.app_ast import AppDefinition, Module
from cnb_python.launch.frameworks import (
    DJANGO,
    FRAMEWORKS,
    AppObject,
    DetectedApp,
    Framework,
    Interface,
)

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
# Modules that usually create the app; those written for servers first.
_STEMS = ("wsgi", "asgi", "app", "main", "server", "application", "api", "run", "__init__")
_ENTRY_POINTS = frozenset({"wsgi", "asgi"})
_SOURCE = "src"
_SKIPPED = frozenset(
    {"node_modules", "__pycache__", "site-packages", "venv", "env", "virtualenv", "build", "dist"}
    | {"tests", "test", "docs", "doc", "examples", "example", "static", "templates", "migrations"}
)
# Limits for very large repositories; an app beyond them is not found.
_MAX_DIRECTORIES = 100
_MAX_FILES = 100


def find_django_project(app_dir: Path, directory: str) -> DetectedApp | None:
    """Return the Django project with `manage.py` in *directory* of the app, None without one."""
    manage = app_dir / directory / MANAGE
    tree = app_ast.parse_module(manage)
    top = _import_directory(app_dir, manage)
    directory = "" if top == app_dir else top.relative_to(app_dir).as_posix()
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
    file, line, reason = configured[0][1:] if configured else (manage, line, _VARIABLE)
    file_name = file.relative_to(app_dir).as_posix()
    return DetectedApp(DJANGO.title, tuple(targets), file_name, line, reason, directory)


def _import_directory(app_dir: Path, script: Path) -> Path:
    """Return the directory that `python SCRIPT` imports from: that of the target of a link.

    https://docs.python.org/3/library/sys_path_init.html
    """
    target, top = script.resolve(), app_dir.resolve()
    # Outside of the app it does not exist in the image.
    return (
        app_dir / target.relative_to(top).parent if target.is_relative_to(top) else script.parent
    )


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
    tree = app_ast.parse_module(file) if file else None
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


def find(app_dir: Path, installed: Collection[str]) -> tuple[DetectedApp, ...]:
    """Return the apps in *app_dir* that can be served, the most likely first.

    *installed* has the normalized names of the installed distributions. Code that uses a framework
    which is not installed is an example, unused, or another app.
    """
    directories = ("", *_directories(app_dir))
    candidates = [*_django(app_dir, directories, installed), *_objects(app_dir, installed)]
    # One app is often found twice: in Django's settings, and in the wsgi.py that they name.
    apps: dict[tuple[str, str], DetectedApp] = {}
    for candidate in candidates:
        key = candidate.directory, str(candidate.targets[0])
        if not any(_covers(app, candidate) for app in apps.values()):
            apps[key] = candidate
    return tuple(apps.values())


def _covers(app: DetectedApp, other: DetectedApp) -> bool:
    return app.directory == other.directory and set(other.targets) <= set(app.targets)


def _django(
    app_dir: Path, directories: tuple[str, ...], installed: Collection[str]
) -> Iterator[DetectedApp]:
    if DJANGO.distribution in installed:
        for directory in directories:
            if app := find_django_project(app_dir, directory):
                yield app


def _objects(app_dir: Path, installed: Collection[str]) -> Iterator[DetectedApp]:
    files = islice(_files(app_dir), _MAX_FILES)
    for path in files:
        tree = app_ast.parse_module(path)
        if tree is None:
            continue
        module = app_ast.find_definitions(tree, is_entry_point=path.stem in _ENTRY_POINTS)
        for definition in module.definitions:
            if framework := _framework(definition, installed):
                yield _detected_app(app_dir, path, module, definition, framework)
                break


def _files(app_dir: Path) -> Iterator[Path]:
    """Yield the files to parse: at the top, in directories, then in packages under `src`."""
    top = _directories(app_dir)
    below = [f"{_SOURCE}/{name}" for name in _directories(app_dir / _SOURCE)]
    for group in ([""], top, below):
        for stem in _STEMS:
            for directory in group:
                path = app_dir / directory / f"{stem}.py"
                if path.is_file():
                    yield path


def _directories(parent: Path) -> list[str]:
    """Return the names of directories in *parent* that may contain the app, without links."""
    try:
        entries = sorted(parent.iterdir())
    except OSError:
        return []
    return [entry.name for entry in entries if _may_hold_code(entry)][:_MAX_DIRECTORIES]


def _may_hold_code(entry: Path) -> bool:
    return (
        not entry.name.startswith(".")
        and entry.name not in _SKIPPED
        and not entry.is_symlink()
        and entry.is_dir()
        and not (entry / "pyvenv.cfg").exists()
    )


def _framework(definition: AppDefinition, installed: Collection[str]) -> Framework | None:
    """Return the framework of *definition*, if it is installed."""
    if definition.framework:
        return definition.framework if definition.framework.distribution in installed else None
    frameworks = [framework for framework in FRAMEWORKS if framework.distribution in installed]
    # With Flask and FastAPI installed, the other module may use either.
    return frameworks[0] if len({framework.interface for framework in frameworks}) == 1 else None


def _detected_app(
    app_dir: Path, path: Path, module: Module, definition: AppDefinition, framework: Framework
) -> DetectedApp:
    directory, name = _importable(app_dir, path, module)
    target = AppObject(framework.interface, name, definition.name, factory=definition.factory)
    shown = path.relative_to(app_dir).as_posix()
    return DetectedApp(
        framework.title, (target,), shown, definition.line, definition.name, directory
    )


def _importable(app_dir: Path, path: Path, module: Module) -> tuple[str, str]:
    """Return the working directory, relative to the app, and the module name of *path* in it.

    The working directory of a file in a package is the directory above that package.
    """
    parts = path.relative_to(app_dir).with_suffix("").parts
    start = int(_is_source_root(parts, module))
    while start < len(parts) - 1 and not _is_package(app_dir, parts[: start + 1], module):
        start += 1
    names = parts[start:-1] if parts[-1] == "__init__" else parts[start:]
    return "/".join(parts[:start]), ".".join(names)


def _is_source_root(parts: tuple[str, ...], module: Module) -> bool:
    """Whether `src` contains the app's modules, and is not a package itself."""
    is_below = len(parts) > 2 or (len(parts) == 2 and not module.relative)
    return parts[0] == _SOURCE and is_below and _SOURCE not in module.imports


def _is_package(app_dir: Path, parts: tuple[str, ...], module: Module) -> bool:
    directory = app_dir.joinpath(*parts)
    if not parts[-1].isidentifier():
        return False
    if module.relative or parts[-1] in module.imports:
        return True
    # `from models import User` beside models.py is no package, even with an `__init__.py`.
    flat = any((directory / f"{name}.py").is_file() for name in module.imports)
    return not flat and (directory / "__init__.py").is_file()
