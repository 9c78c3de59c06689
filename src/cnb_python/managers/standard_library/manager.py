"""Apps without requirements: their code imports the standard library and itself only.

Separate from `registry`, since each package manager has its own package.
"""

import ast
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnb_python.app import App
from cnb_python.errors.base import Message
from cnb_python.managers.base import InstallContext, PackageIndexes, Pin, Resolution
from cnb_python.system import regular_file
from cnb_python.system.interface import Run

# Part of the standard library of older Pythons that are supported.
_REMOVED = frozenset({"distutils", "imp", "asynchat", "asyncore", "smtpd", "lib2to3", "cgi"})
_STANDARD = sys.stdlib_module_names | _REMOVED
# The program that names the app in messages, the most likely first.
_USUAL = ("main.py", "app.py", "server.py", "run.py", "__main__.py")
_MAX_FILES = 200
_MAX_BYTES = 512 * 1024
_NOTHING = Resolution((), from_files_alone=True, by="uv")


@dataclass(frozen=True, slots=True)
class StandardLibrary:
    """The manager of an app that needs no packages."""

    name: str = "none"
    deciding_file: str = "main.py"

    def deciding_files(self, app: App) -> tuple[str, ...]:
        """Return the programs at the top of *app*, if all its code needs no packages.

        None if a file was probably meant to name packages.
        """
        if app.misspelt_requirements() or app.requirements_variants():
            return ()
        programs = sorted(name for name in app.files if name.endswith(".py"))
        modules = dict(_read(app, programs))
        if not modules or not _imports_own_code_only(app, modules):
            return ()
        return tuple(sorted(modules, key=lambda name: (name not in _USUAL, name)))

    def with_development(self, app: App) -> tuple[StandardLibrary, tuple[str, ...]]:
        """Return this manager: no file names packages."""
        del app
        return self, ()

    def check(self, app: App) -> tuple[Message, ...]:
        """Return a warning with the line that names a package, should the app need one."""
        return (
            Message(
                "The app names no packages",
                (
                    (
                        f"{self.deciding_files(app)[0]} and the modules that it imports use the "
                        "standard library only, so nothing is installed."
                    ),
                    "If the app needs packages, name them in requirements.txt, one per line:",
                    "    flask==3.1.2",
                ),
            ),
        )

    def resolve_from_files(self, app: App, python: str, environ: Mapping[str, str]) -> Resolution:
        """Return that nothing is installed."""
        del app, python, environ
        return _NOTHING

    def resolve(self, context: InstallContext, run: Run) -> Resolution:
        """Return that nothing is installed."""
        del context, run
        return _NOTHING

    def install(
        self, resolution: Resolution, pins: Sequence[Pin], context: InstallContext, run: Run
    ) -> frozenset[str]:
        """Install nothing: there are no pins."""
        del resolution, pins, context, run
        return frozenset()

    def package_indexes(
        self, resolution: Resolution, context: InstallContext, run: Run
    ) -> PackageIndexes:
        """Return no index."""
        del resolution, context, run
        return PackageIndexes(lambda _: (), {})


def _read(app: App, names: list[str]) -> Iterator[tuple[str, ast.Module]]:
    """Yield the modules at the top that have code."""
    for name in names[:_MAX_FILES]:
        tree = _tree(app.directory / name)
        if tree and any(not _is_docstring(statement) for statement in tree.body):
            yield name, tree


def _tree(path: Path) -> ast.Module | None:
    try:
        content = regular_file.read(path, _MAX_BYTES)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(content)
    except OSError, SyntaxError, ValueError, RecursionError, MemoryError:
        return None


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _imports_own_code_only(app: App, modules: Mapping[str, ast.Module]) -> bool:
    """Whether *modules*, and the app's packages that they import, need no other package."""
    pending = [*modules.values()]
    read: set[Path] = set()
    while pending:
        for name in _imported(pending.pop()):
            if name in _STANDARD:
                continue
            package = app.directory / name
            if not package.is_dir() and not package.with_suffix(".py").is_file():
                return False
            paths = [
                path for path in sorted(package.rglob("*.py"))[:_MAX_FILES] if path not in read
            ]
            read.update(paths)
            pending += [tree for path in paths if (tree := _tree(path))]
    return True


def _imported(tree: ast.Module) -> Iterator[str]:
    """Yield the top-level name of each module that *tree* imports absolutely."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.partition(".")[0]
