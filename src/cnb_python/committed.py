"""What lies in an app's directory and belongs in no image: found, and removed where that is safe.

Slices of launch.toml leave nothing out: what no slice names is in the app's last layer. So it is
removed: https://github.com/buildpacks/spec/blob/main/buildpack.md#layers-1
"""

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from cnb_python.cnb import disk

GIT = ".git"
NODE_MODULES = "node_modules"
_CACHE = "__pycache__"
# https://peps.python.org/pep-0405/
_MARK = "pyvenv.cfg"
# What venv, virtualenv, uv, Poetry and pip put at the top of an environment, in lower case.
_PARTS = frozenset(
    {"bin", "scripts", "lib", "lib64", "include", "share", "etc", "man", "doc", "local", "sbin"}
    | {_MARK, ".gitignore", "cachedir.tag", ".lock", ".project", ".python", "pip-selfcheck.json"}
    | {"pip.conf", "pip.ini", ".ds_store", _CACHE}
)
_PROGRAMS = ("bin", "Scripts")


class Environment(NamedTuple):
    """A directory that a virtual environment was made in."""

    path: str
    """Relative to the app's directory, as `.venv`."""
    others: tuple[str, ...]
    """What else it holds: somebody's own files."""


class Committed(NamedTuple):
    """What was found; every path is relative to the app's directory, with `/`."""

    environments: tuple[Environment, ...] = ()
    bytecode: tuple[str, ...] = ()
    """Files that Python would not use: their sources are there."""
    repositories: tuple[str, ...] = ()
    """`.git`, a directory or a file."""
    node_modules: tuple[str, ...] = ()
    is_environment: bool = False
    """The app's directory itself is one."""

    @property
    def removable(self) -> tuple[str, ...]:
        """The environments that hold nothing else."""
        return tuple(one.path for one in self.environments if not one.others)

    @property
    def caches(self) -> tuple[str, ...]:
        """The directories called `__pycache__`."""
        directories = {path.rpartition("/")[0] for path in self.bytecode}
        return tuple(sorted(one for one in directories if one.endswith(_CACHE)))


def find(app_dir: Path, kept: Collection[str] = ()) -> Committed:
    """Return what in *app_dir* belongs in no image; links are not followed.

    *kept* has names and paths that the user wants to stay. What cannot be read is not looked into.
    """
    found = _Found([], [], [], [])
    is_environment = False
    for at, names, files in _walk(app_dir, frozenset(kept)):
        if _MARK in files and not names.isdisjoint(_PROGRAMS):
            if at:
                found.environments.append(Environment(at[:-1], _others(names | files)))
                names.clear()
                continue
            is_environment = True
        _look(app_dir, at, names, files, found)
        names -= {GIT, NODE_MODULES}
    return Committed(
        tuple(sorted(found.environments)),
        tuple(sorted(found.bytecode)),
        tuple(sorted(found.repositories)),
        tuple(sorted(found.node_modules)),
        is_environment,
    )


def remove(app_dir: Path, paths: Iterable[str]) -> tuple[str, ...]:
    """Remove *paths*, which `find` found in *app_dir*; return why any of them could not be."""
    problems = []
    for path in paths:
        try:
            disk.remove(app_dir / path)
        except OSError as error:
            problems.append(f"{path}: {error.strerror or type(error).__name__}")
    return tuple(problems)


def remove_bytecode(app_dir: Path, found: Committed) -> tuple[str, ...]:
    """Remove *found*'s bytecode, and the directories that are empty then; return any problems."""
    problems = remove(app_dir, found.bytecode)
    for cache in found.caches:
        try:
            (app_dir / cache).rmdir()
        except OSError:
            continue  # there is something else in it
    return problems


class _Found(NamedTuple):
    """What `find` has found so far, in the order of `Committed`."""

    environments: list[Environment]
    bytecode: list[str]
    repositories: list[str]
    node_modules: list[str]


def _look(app_dir: Path, at: str, names: set[str], files: set[str], found: _Found) -> None:
    """Add to *found* what of *names* (directories) and *files* in directory *at* counts."""
    if GIT in names or (GIT in files and not (app_dir / at / GIT).is_symlink()):
        found.repositories.append(f"{at}{GIT}")
    if NODE_MODULES in names:
        found.node_modules.append(f"{at}{NODE_MODULES}")
    for name in files:
        if name.endswith(".pyc") and _is_useless(at, name, files):
            path = f"{at}{name}"
            if not (app_dir / path).is_symlink():
                found.bytecode.append(path)


def _walk(app_dir: Path, kept: Collection[str]) -> Iterator[tuple[str, set[str], set[str]]]:
    """Yield every directory: its path, `` or `a/b/`, the directories in it, and all else.

    A directory that is taken out of the yielded set is not walked. Links count as files.
    """
    for directory, names, files in app_dir.walk():
        at = f"{directory}/".removeprefix(f"{app_dir}/")
        below, beside = (
            {name for name in group if name not in kept and f"{at}{name}" not in kept}
            for group in (names, files)
        )
        yield at, below, beside
        names[:] = below


def _others(names: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted(name for name in names if name.lower() not in _PARTS))


def _is_useless(at: str, name: str, files: Collection[str]) -> bool:
    """Whether Python does without the bytecode *name* in directory *at*.

    In `__pycache__` it is never imported without its source. Beside its source it is only ever
    what older Pythons left; alone it may be all there is of a module.
    https://docs.python.org/3/reference/import.html#cached-bytecode-invalidation
    """
    return f"/{at}".endswith(f"/{_CACHE}/") or name.removesuffix("c") in files
