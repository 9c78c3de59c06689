"""The Python files of the app in which processes are looked for, within limits.

Separate from `discovery`: the finders of web apps, workers and programs read the same files.
"""

import ast
import os
import re
from collections import deque
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
_MARK = "pyvenv.cfg"


@dataclass
class ReadingLimits:
    """How much of the app's code every build and `explain` read.

    The files that are most likely to start the app come first.
    """

    directories: int = 1500
    """Directories that are listed."""
    entries: int = 50_000
    """Names in these directories; a larger directory below the top holds data, not code."""
    few: int = 200
    """Names of a directory that is searched when no entries are left: code may be beside data."""
    content: int = 16 * 1024 * 1024
    """Bytes of files that are read."""
    parsed: int = 2 * 1024 * 1024
    """Bytes of files that are parsed, which takes a hundred times as long."""

    def takes(self, count: int) -> bool:
        """Whether a directory with *count* names can be searched; if so, its names count."""
        self.directories -= 1
        if count > self.entries:
            return count <= self.few
        self.entries -= count
        return True

    def reads(self, content: bytes) -> bytes:
        """Return *content* and count it; empty if it exceeds the limit."""
        if len(content) > self.content:
            return b""
        self.content -= len(content)
        return content

    def parses(self, content: bytes) -> ast.Module | None:
        """Return the syntax tree of *content*; None if it exceeds the limit or is not a module."""
        if not content or len(content) > self.parsed:
            return None
        self.parsed -= len(content)
        return syntax.parse_bytes(content)


@dataclass(frozen=True)
class ModuleFile:
    """A Python file of the app."""

    path: Path
    parts: tuple[str, ...]
    """Its directories and its name without `.py`, relative to the app."""
    limits: ReadingLimits = field(default_factory=ReadingLimits, compare=False, repr=False)
    """Shared by all files of the app."""

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
            return self.limits.reads(regular_file.read(self.path, _MAX_BYTES))
        except OSError:
            return b""

    @cached_property
    def tree(self) -> ast.Module | None:
        """The syntax tree; None if Python could not read it as a module."""
        return self.limits.parses(self.content)


@dataclass(frozen=True)
class SourceFiles:
    """The Python files of an app, the likeliest to start it first."""

    directory: Path
    files: tuple[ModuleFile, ...]
    directories: tuple[str, ...]
    """Those at the top that may hold code."""
    by_path: dict[str, ModuleFile] = field(default_factory=dict)
    limits: ReadingLimits = field(default_factory=ReadingLimits)
    """What is left of the limits."""

    def at(self, path: str) -> ModuleFile | None:
        """Return the file *path*, relative to the app, wherever it is."""
        if path not in self.by_path:
            parts = tuple(path.removesuffix(".py").split("/"))
            file = ModuleFile(self.directory / path, parts, self.limits)
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


def read_source_files(app_dir: Path, limits: ReadingLimits | None = None) -> SourceFiles:
    """Return the Python files of the app in *app_dir*; contents are read when they are needed."""
    limits = limits or ReadingLimits()
    top, names = _walk(app_dir, limits)
    packages = frozenset(parts[:-1] for parts in names if parts[-1] == "__init__")
    files = sorted(
        (
            ModuleFile(app_dir.joinpath(*parts[:-1], f"{parts[-1]}.py"), parts, limits)
            for parts in names
        ),
        key=lambda file: _order(file, packages),
    )[:_MAX_FILES]
    return SourceFiles(app_dir, tuple(files), top, {file.shown: file for file in files}, limits)


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


def _walk(app_dir: Path, limits: ReadingLimits) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the directories at the top, and the parts of each module.

    At the deepest levels, modules count only in packages.
    """
    top: tuple[str, ...] = ()
    modules_found: list[tuple[str, ...]] = []
    waiting: deque[tuple[str, ...]] = deque([()])
    while waiting and limits.directories > 0 and len(modules_found) < _MAX_NAMES:
        parts = waiting.popleft()
        modules, directories = _listed("/".join((str(app_dir), *parts)), parts, limits)
        modules_found += ((*parts, name) for name in modules)
        if not parts:
            directories = [name for name in directories if not (app_dir / name / _MARK).exists()]
            top = tuple(directories)
        if len(parts) < _MAX_DEPTH:
            waiting += ((*parts, name) for name in directories)
    return top, modules_found[:_MAX_NAMES]


def _listed(
    path: str, parts: tuple[str, ...], limits: ReadingLimits
) -> tuple[list[str], list[str]]:
    """Return the names of modules and directories in *path* that may hold code, without links."""
    try:
        with os.scandir(path) as listed:
            entries = sorted(listed, key=lambda entry: entry.name)
    except OSError:
        return [], []
    names = {entry.name for entry in entries} if parts else frozenset[str]()
    if not limits.takes(len(names)) or _MARK in names:
        return [], []
    if len(parts) > _MAX_NAMESPACE_DEPTH and "__init__.py" not in names:
        return [], []
    stems = (entry.name.removesuffix(".py") for entry in entries if _is_module(entry.name))
    directories = [entry.name for entry in entries if _may_hold_code(entry)]
    return [stem for stem in stems if not _TEST.fullmatch(stem)], directories[:_MAX_DIRECTORIES]


def _is_module(name: str) -> bool:
    return name.endswith(".py") and name != ".py"


def _may_hold_code(entry: os.DirEntry[str]) -> bool:
    return (
        not entry.name.startswith(".")
        and entry.name not in _SKIPPED
        and entry.is_dir(follow_symlinks=False)
    )
