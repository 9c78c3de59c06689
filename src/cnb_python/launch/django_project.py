"""Finds Django projects by `manage.py`, the settings that it names, and `wsgi.py` and `asgi.py`.

Separate from `discovery`: what else a Django project can start (migrations, a shell, workers) is
found from the same facts.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain

from cnb_python.launch.code import syntax
from cnb_python.launch.code.definitions import AppDefinition, find_definitions
from cnb_python.launch.code.source_files import MOST_PARTS, ModuleFile, SourceFiles
from cnb_python.launch.tables.frameworks import DJANGO, AppObject, DetectedApp, Interface

MANAGE = "manage.py"
_MANAGE_PARTS = (MANAGE.removesuffix(".py"),)
_VARIABLE = "DJANGO_SETTINGS_MODULE"
# ASGI first: `startproject` writes WSGI_APPLICATION, so ASGI_APPLICATION is a choice.
_SETTINGS: tuple[tuple[str, Interface], ...] = (
    ("ASGI_APPLICATION", "ASGI"),
    ("WSGI_APPLICATION", "WSGI"),
)
# The modules that `startproject` writes beside the settings.
_MODULES: tuple[tuple[str, Interface], ...] = (("wsgi", "WSGI"), ("asgi", "ASGI"))
_ASGI_FACTORY = "get_asgi_application"
_ASGI_SERVERS = frozenset({"uvicorn", "uvicorn-worker", "daphne", "hypercorn", "granian"})
_MAX_STAR_IMPORTS = 4
_USUAL_SETTINGS = (
    "production",
    "prod",
    "base",
    "common",
    "development",
    "dev",
    "local",
    "settings",
)


@dataclass(frozen=True, slots=True)
class DjangoProject:
    """A directory with a `manage.py` that names a settings module."""

    directory: str
    """Relative to the app."""
    settings: str
    """If `manage.py` computes the name, a possible one; empty if no such module exists."""
    line: int
    """Of `manage.py`, where it names the settings module."""
    app: DetectedApp | None
    """The application that a server can serve."""
    installed_apps: frozenset[str]
    """`INSTALLED_APPS` of the settings, as far as it is written out."""

    @property
    def manage(self) -> str:
        """The path of its `manage.py`."""
        return f"{self.directory}/{MANAGE}" if self.directory else MANAGE


def find_django_projects(
    files: SourceFiles, installed: Mapping[str, str]
) -> tuple[DjangoProject, ...]:
    """Return the Django projects, that at the top first; none if Django is not installed."""
    if DJANGO.distribution not in installed:
        return ()
    paths = (f"{directory}/{MANAGE}" for directory in files.directories)
    deeper = (file.shown for file in files.files if file.parts[-1:] == _MANAGE_PARTS)
    manage_files = (files.at(path) for path in dict.fromkeys((MANAGE, *paths, *deeper)))
    projects = (_project(files, file, installed) for file in manage_files if file)
    return tuple(project for project in projects if project)


def _project(
    files: SourceFiles, manage: ModuleFile, installed: Mapping[str, str]
) -> DjangoProject | None:
    if manage.tree is None or b"django" not in manage.content.lower():
        return None
    directory = _import_directory(files, manage)
    settings, line = _settings_module(manage.tree) or ("", _line_of_variable(manage.tree))
    settings = settings or _computed_settings(files, directory, manage.tree)
    app = _application(files, directory, settings, line, installed) if settings else None
    installed_apps = _strings(files, directory, settings, _MAX_STAR_IMPORTS)
    return DjangoProject(directory, settings, line, app, installed_apps)


def _import_directory(files: SourceFiles, script: ModuleFile) -> str:
    """Return the directory that `python SCRIPT` imports from: that of the target of a link.

    https://docs.python.org/3/library/sys_path_init.html
    """
    target, top = script.path.resolve(), files.directory.resolve()
    # Outside of the app it does not exist in the image.
    if target.is_relative_to(top):
        parent = target.relative_to(top).parent.as_posix()
        return "" if parent == "." else parent
    return "/".join(script.parts[:-1])


def _application(
    files: SourceFiles, directory: str, settings: str, line: int, installed: Mapping[str, str]
) -> DetectedApp | None:
    configured = tuple(_from_settings(files, directory, settings))
    beside = tuple(_from_modules(files, directory, settings))
    targets = tuple(dict.fromkeys(chain((target for target, *_ in configured), beside)))
    if not targets:
        return None
    file, line, reason = configured[0][1:] if configured else (MANAGE, line, _VARIABLE)
    if not configured and directory:
        file = f"{directory}/{file}"
    if not any(sign == "ASGI_APPLICATION" for *_, sign in configured):
        chosen = _customized(files, directory, beside, installed)
        if chosen:
            (target, file, line, reason) = chosen
            targets = (target, *(each for each in targets if each != target))
    notes = _notes(files, directory, settings, targets[0])
    return DetectedApp(DJANGO.title, targets, file, line, reason, directory, notes=notes)


def _customized(
    files: SourceFiles,
    directory: str,
    beside: tuple[AppObject, ...],
    installed: Mapping[str, str],
) -> tuple[AppObject, str, int, str] | None:
    """Return the ASGI application if the app's author has made more of it than `startproject`.

    `channels` without a hand-written `asgi.py` changes nothing: WSGI serves the pages.
    """
    for target in beside:
        file = _file_of(files, directory, target.module)
        if target.interface != "ASGI" or file is None or file.tree is None:
            continue
        is_served = not _ASGI_SERVERS.isdisjoint(installed)
        if is_served and (line := _line_of_own_application(file.tree)):
            return target, file.shown, line, target.name
        if is_served and (outer := _around_django(file.tree)):
            return replace(target, name=outer.name), file.shown, outer.line, outer.name
    return None


def _around_django(tree: ast.Module) -> AppDefinition | None:
    """Return the application of another framework in which an `asgi.py` mounts Django."""
    definitions = find_definitions(tree).definitions
    return next(
        (
            each
            for each in definitions
            if each.framework
            and each.framework.distribution != DJANGO.distribution
            and each.framework.interface == "ASGI"
            and not each.is_part
        ),
        None,
    )


def _line_of_own_application(tree: ast.Module) -> int | None:
    """Return the line that defines `application` as more than `get_asgi_application()`."""
    result: int | None = None
    for statement in syntax.at_module_level(tree.body):
        match statement:
            case ast.AsyncFunctionDef(name="application"):
                result = statement.lineno
            case _ if value := syntax.assigned(statement):
                if value[0] == "application":
                    is_usual = isinstance(value[1], ast.Call) and syntax.dotted(
                        value[1].func, {}
                    ).endswith(_ASGI_FACTORY)
                    result = None if is_usual else statement.lineno
            case _:
                pass
    return result


def _notes(
    files: SourceFiles, directory: str, settings: str, target: AppObject
) -> tuple[str, ...]:
    """Return lines about what `manage.py` and the application do not agree on."""
    file = _file_of(files, directory, target.module)
    named = _settings_module(file.tree) if file and file.tree else None
    if file and named and named[0] != settings:
        return (
            (
                f"{file.shown}, line {named[1]}, uses the settings {named[0]}; manage.py uses "
                f"{settings}. {_VARIABLE} wins over both"
            ),
        )
    return ()


def _settings_module(tree: ast.Module) -> tuple[str, int] | None:
    """Return the settings module that a module names, and the line that names it."""
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


def _computed_settings(files: SourceFiles, directory: str, manage: ast.Module) -> str:
    """Return a settings module that a text in *manage* names or begins: `f"site.settings.{x}"`.

    Any of them will do, since they only show where `wsgi.py` is.
    """
    texts = (node.value for node in ast.walk(manage) if isinstance(node, ast.Constant))
    names = dict.fromkeys(text.partition("{")[0] for text in texts if isinstance(text, str))
    for name in names:
        usual = (f"{name}{each}" for each in _USUAL_SETTINGS) if name.endswith(".") else (name,)
        candidates = (each for each in usual if "settings" in each or name.endswith("."))
        if module := next((each for each in candidates if _file_of(files, directory, each)), ""):
            return module
    return ""


def _line_of_variable(tree: ast.Module) -> int:
    """Return the line that names DJANGO_SETTINGS_MODULE; 1 without one."""
    constants = (node for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return next((node.lineno for node in constants if node.value == _VARIABLE), 1)


def _from_settings(
    files: SourceFiles, directory: str, settings: str
) -> Iterator[tuple[AppObject, str, int, str]]:
    """Yield the applications that the settings name, with file, line and setting.

    Only those whose module exists in the project.
    """
    values = _values(files, directory, settings, _MAX_STAR_IMPORTS)
    for setting, interface in _SETTINGS:
        if setting in values:
            value, file, line = values[setting]
            target, _, name = value.rpartition(".")
            if name.isidentifier() and target and _file_of(files, directory, target):
                yield AppObject(interface, target, name), file, line, setting


def _from_modules(files: SourceFiles, directory: str, settings: str) -> Iterator[AppObject]:
    """Yield `wsgi.py` and `asgi.py` beside the settings, or in the nearest package above them."""
    for name, interface in _MODULES:
        package = settings if settings.count(".") < MOST_PARTS else ""
        while package:
            package = package.rpartition(".")[0]
            candidate = f"{package}.{name}" if package else name
            if _file_of(files, directory, candidate):
                yield AppObject(interface, candidate, "application")
                break


def _values(
    files: SourceFiles, directory: str, settings: str, imports_left: int
) -> dict[str, tuple[str, str, int]]:
    """Return the two settings with file and line, following `from .base import *`."""
    values: dict[str, tuple[str, str, int]] = {}
    for file, statement, starred in _statements(files, directory, settings):
        if starred and imports_left:
            values |= _values(files, directory, starred, imports_left - 1)
        match syntax.assigned(statement):
            case (name, ast.Constant(value=str(value))) if name in dict(_SETTINGS):
                values[name] = value, file.shown, statement.lineno
    return values


def _strings(
    files: SourceFiles, directory: str, settings: str, imports_left: int
) -> frozenset[str]:
    """Return the texts in `INSTALLED_APPS` and the lists that it is made of."""
    texts: set[str] = set()
    for _, statement, starred in _statements(files, directory, settings):
        if starred and imports_left:
            texts |= _strings(files, directory, starred, imports_left - 1)
        name, value = syntax.assigned(statement) or ("", None)
        if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
            name, value = statement.target.id, statement.value
        if value is not None and name.endswith("APPS"):
            constants = (node for node in ast.walk(value) if isinstance(node, ast.Constant))
            texts |= {str(node.value) for node in constants}
    return frozenset(texts)


def _statements(
    files: SourceFiles, directory: str, settings: str
) -> Iterator[tuple[ModuleFile, ast.stmt, str]]:
    """Yield the statements of a settings module, with the module of an `import *`."""
    file = _file_of(files, directory, settings)
    if file is None or file.tree is None:
        return
    package = settings if file.stem == "__init__" else settings.rpartition(".")[0]
    for statement in syntax.at_module_level(file.tree.body):
        is_star = isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*"
        starred = _absolute(package, statement) if is_star else ""
        yield file, statement, starred


def _absolute(package: str, statement: ast.stmt) -> str:
    if not isinstance(statement, ast.ImportFrom):
        return ""
    if not statement.level:
        return statement.module or ""
    parts = package.split(".")
    if statement.level > len(parts):
        return ""  # above the top: an error in Python too
    parts = parts[: len(parts) - statement.level + 1]
    return ".".join([*parts, *([statement.module] if statement.module else [])])


def _file_of(files: SourceFiles, directory: str, name: str) -> ModuleFile | None:
    """Return the file of the module called *name*, if the project has it."""
    return files.module(name, (directory,))
