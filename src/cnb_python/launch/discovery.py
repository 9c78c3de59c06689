"""Finds what an app serves by parsing its code, never by importing it."""

from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path

from cnb_python.launch import app_ast, django
from cnb_python.launch.app_ast import Made, Module
from cnb_python.launch.servers import DJANGO, FRAMEWORKS, AppObject, DetectedApp, Framework

# Files that apps start from; the ones written for servers first.
_STEMS = ("wsgi", "asgi", "app", "main", "server", "application", "api", "run", "__init__")
_ENTRY_POINTS = frozenset({"wsgi", "asgi"})
_SOURCE = "src"
_SKIPPED = frozenset(
    {"node_modules", "__pycache__", "site-packages", "venv", "env", "virtualenv", "build", "dist"}
    | {"tests", "test", "docs", "doc", "examples", "example", "static", "templates", "migrations"}
)
# Enough for any app that can be found at all, and an end for everything else.
_MOST_DIRECTORIES = 100
_MOST_FILES = 100


def find(app_dir: Path, installed: Collection[str]) -> tuple[DetectedApp, ...]:
    """Return the apps in *app_dir* that can be served, the likeliest first.

    *installed* has the normalised names of the installed distributions: code that uses a framework
    which is not among them is an example, a leftover, or another app.
    """
    directories = ("", *_directories(app_dir))
    candidates = [*_django(app_dir, directories, installed), *_objects(app_dir, installed)]
    # One app is often reachable twice: Django's settings, and the wsgi.py that they name.
    kept: dict[tuple[str, str], DetectedApp] = {}
    for found in candidates:
        key = found.directory, str(found.targets[0])
        if not any(_serves(other, found) for other in kept.values()):
            kept[key] = found
    return tuple(kept.values())


def _serves(found: DetectedApp, other: DetectedApp) -> bool:
    return found.directory == other.directory and set(other.targets) <= set(found.targets)


def _django(
    app_dir: Path, directories: tuple[str, ...], installed: Collection[str]
) -> Iterator[DetectedApp]:
    if DJANGO.distribution in installed:
        for directory in directories:
            if found := django.find(app_dir, directory):
                yield found


def _objects(app_dir: Path, installed: Collection[str]) -> Iterator[DetectedApp]:
    files = islice(_files(app_dir), _MOST_FILES)
    for path in files:
        tree = app_ast.read(path)
        if tree is None:
            continue
        understood = app_ast.understand(tree, is_entry_point=path.stem in _ENTRY_POINTS)
        for made in understood.made:
            if framework := _framework(made, installed):
                yield _found(app_dir, path, understood, made, framework)
                break


def _files(app_dir: Path) -> Iterator[Path]:
    """Yield the files to look into: the top, then directories, then packages under `src`."""
    top = _directories(app_dir)
    below = [f"{_SOURCE}/{name}" for name in _directories(app_dir / _SOURCE)]
    for group in ([""], top, below):
        for stem in _STEMS:
            for directory in group:
                path = app_dir / directory / f"{stem}.py"
                if path.is_file():
                    yield path


def _directories(parent: Path) -> list[str]:
    """Return the directories of *parent* that may hold the app; links are not followed."""
    try:
        entries = sorted(parent.iterdir())
    except OSError:
        return []
    return [entry.name for entry in entries if _may_hold_code(entry)][:_MOST_DIRECTORIES]


def _may_hold_code(entry: Path) -> bool:
    return (
        not entry.name.startswith(".")
        and entry.name not in _SKIPPED
        and not entry.is_symlink()
        and entry.is_dir()
        and not (entry / "pyvenv.cfg").exists()
    )


def _framework(made: Made, installed: Collection[str]) -> Framework | None:
    """Return what *made* is made with, if that is installed."""
    if made.framework:
        return made.framework if made.framework.distribution in installed else None
    present = [framework for framework in FRAMEWORKS if framework.distribution in installed]
    # Flask beside FastAPI: nothing tells which of them the other module uses.
    return present[0] if len({framework.interface for framework in present}) == 1 else None


def _found(
    app_dir: Path, path: Path, understood: Module, made: Made, framework: Framework
) -> DetectedApp:
    directory, name = _importable(app_dir, path, understood)
    target = AppObject(framework.interface, name, made.name, factory=made.factory)
    shown = path.relative_to(app_dir).as_posix()
    return DetectedApp(framework.title, (target,), shown, made.line, made.name, directory)


def _importable(app_dir: Path, path: Path, understood: Module) -> tuple[str, str]:
    """Return where Python has to start, and the name by which it then imports *path*.

    A file that is part of a package, or imports its neighbours as one, starts above that package.
    """
    parts = path.relative_to(app_dir).with_suffix("").parts
    start = int(_is_source_root(parts, understood))
    while start < len(parts) - 1 and not _is_package(app_dir, parts[: start + 1], understood):
        start += 1
    names = parts[start:-1] if parts[-1] == "__init__" else parts[start:]
    return "/".join(parts[:start]), ".".join(names)


def _is_source_root(parts: tuple[str, ...], understood: Module) -> bool:
    """Whether `src` holds the app's modules rather than being one of its packages."""
    is_below = len(parts) > 2 or (len(parts) == 2 and not understood.relative)
    return parts[0] == _SOURCE and is_below and _SOURCE not in understood.imported


def _is_package(app_dir: Path, parts: tuple[str, ...], understood: Module) -> bool:
    folder = app_dir.joinpath(*parts)
    if not parts[-1].isidentifier():
        return False
    if understood.relative or parts[-1] in understood.imported:
        return True
    # `from models import User` beside models.py: an `__init__.py` alone makes no package of that.
    flat = any((folder / f"{name}.py").is_file() for name in understood.imported)
    return not flat and (folder / "__init__.py").is_file()
