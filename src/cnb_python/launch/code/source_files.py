"""The Python files of the app in which processes are looked for, within limits.

Separate from `discovery`: the finders of web apps, workers and programs read the same files.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cnb_python.launch.code import syntax
from cnb_python.system import regular_file

# Modules that usually create the app; those written for servers first.
MOST_PARTS = 50
"""Parts of the name of a module; a longer one is that of no file."""
_STEMS = ("wsgi", "asgi", "app", "main", "server", "application", "api", "run", "__init__")
SOURCE = "src"
_SKIPPED = frozenset(
    {"node_modules", "__pycache__", "site-packages", "venv", "env", "virtualenv", "build", "dist"}
    | {"tests", "test", "docs", "doc", "examples", "example", "static", "templates", "migrations"}
)
_TEST = re.compile(r"test_.*|.*_test|conftest|setup|noxfile|fabfile|tasks_test")
# Limits for very large repositories; what is beyond them is not found.
_MAX_DIRECTORIES = 100
_MAX_DEPTH = 5
# Directories without `__init__.py` can each hold a service (`services/api/app/main.py`), but also
# much that is not code, so they are searched less deeply.
_MAX_NAMESPACE_DEPTH = 3
_MAX_FILES = 600
_MAX_NAMES = 3000
_MAX_BYTES = 512 * 1024


@dataclass(frozen=True)
class ModuleFile:
    """A Python file of the app."""

    path: Path
    parts: tuple[str, ...]
    """Its directories and its name without `.py`, relative to the app."""

    @property
    def shown(self) -> str:
        """The path relative to the app."""
        return f"{'/'.join(self.parts)}.py"

    @property
    def stem(self) -> str:
        """The name without `.py`."""
        return self.parts[-1]

    @cached_property
    def content(self) -> bytes:
        """The bytes of the file; empty if it cannot be read, or is too large for a module."""
        try:
            return regular_file.read(self.path, _MAX_BYTES)
        except OSError:
            return b""

    @cached_property
    def tree(self) -> ast.Module | None:
        """The syntax tree; None if Python could not read it as a module."""
        return syntax.parse_bytes(self.content) if self.content else None


@dataclass(frozen=True)
class SourceFiles:
    """The Python files of an app, the likeliest to start it first."""

    directory: Path
    files: tuple[ModuleFile, ...]
    directories: tuple[str, ...]
    """Those at the top that may hold code."""
    by_path: dict[str, ModuleFile] = field(default_factory=dict)

    def at(self, path: str) -> ModuleFile | None:
        """Return the file *path*, relative to the app, wherever it is."""
        if path not in self.by_path:
            file = ModuleFile(self.directory / path, tuple(path.removesuffix(".py").split("/")))
            if not file.path.is_file():
                return None
            self.by_path[path] = file
        return self.by_path[path]

    def mentioning(self, pattern: re.Pattern[bytes]) -> Iterator[ModuleFile]:
        """Yield the files whose text matches *pattern*."""
        return (file for file in self.files if pattern.search(file.content))

    def module(self, name: str, roots: tuple[str, ...]) -> ModuleFile | None:
        """Return the file of the module *name* (dotted), looked up in the directories *roots*."""
        parts = name.split(".")
        if len(parts) > MOST_PARTS or not all(part.isidentifier() for part in parts):
            return None
        for root in roots:
            path = "/".join([root, *parts] if root else parts)
            file = self.at(f"{path}.py") or self.at(f"{path}/__init__.py")
            if file:
                return file
        return None


def read_source_files(app_dir: Path) -> SourceFiles:
    """Return the Python files of the app in *app_dir*; contents are read when they are needed."""
    names = [*_walk(app_dir, ())]
    top = tuple(_directories(app_dir))
    packages = frozenset(parts[:-1] for parts in names if parts[-1] == "__init__")
    files = sorted(
        (ModuleFile(app_dir.joinpath(*parts[:-1], f"{parts[-1]}.py"), parts) for parts in names),
        key=lambda file: _order(file, packages),
    )[:_MAX_FILES]
    return SourceFiles(app_dir, tuple(files), top, {file.shown: file for file in files})


def _order(
    file: ModuleFile, packages: frozenset[tuple[str, ...]]
) -> tuple[int, int, tuple[str, ...]]:
    """Sort by directory, then by usual names: the top, directories, packages in `src`, deeper.

    *packages* are the directories with an `__init__.py`. Deep files in others come last.
    """
    depth = len(file.parts) - 1
    level = depth - 1 if depth > 1 and file.parts[0] == SOURCE else depth
    rank = _STEMS.index(file.stem) if file.stem in _STEMS else len(_STEMS)
    is_loose = level > 1 and file.parts[:-1] not in packages
    return (min(level, 2) + (depth > 1) + is_loose, rank, file.parts)


def _walk(app_dir: Path, parents: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the parts of each module below *parents*; at the deepest levels, only in packages."""
    pending = [parents]
    names_left = _MAX_NAMES
    while pending:
        parts = pending.pop(0)
        directory = app_dir.joinpath(*parts)
        for name in _modules(directory):
            names_left -= 1
            if names_left < 0:
                return
            yield (*parts, name)
        if len(parts) < _MAX_DEPTH:
            pending += [
                (*parts, name)
                for name in _directories(directory)
                if _is_searched(directory / name, parts)
            ]


def _is_searched(directory: Path, parents: tuple[str, ...]) -> bool:
    return len(parents) < _MAX_NAMESPACE_DEPTH or (directory / "__init__.py").is_file()


def _modules(directory: Path) -> list[str]:
    try:
        names = sorted(entry.name for entry in directory.iterdir() if entry.suffix == ".py")
    except OSError:
        return []
    stems = (name.removesuffix(".py") for name in names)
    return [stem for stem in stems if not _TEST.fullmatch(stem)]


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
