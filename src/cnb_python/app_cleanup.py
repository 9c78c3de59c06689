"""App cleanup: finds files that do not belong in an image, and removes them if that is safe.

They have to be removed: slices of `launch.toml` cannot exclude files from the image.
https://github.com/buildpacks/spec/blob/main/buildpack.md#layers-1

Separate from `build`, which has one line for each step.
"""

import os
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from cnb_python.cnb import disk
from cnb_python.cnb.context import BuildContext
from cnb_python.errors.base import Message
from cnb_python.system.interface import Output

_STEP = "App"
_NODE = "node"
_DOCKERIGNORE = ".dockerignore"

GIT = ".git"
NODE_MODULES = "node_modules"
_CACHE = "__pycache__"
# https://peps.python.org/pep-0405/
_MARK = "pyvenv.cfg"
# Names at the top of environments of venv, virtualenv, uv, Poetry and pip, in lower case.
_PARTS = frozenset(
    {"bin", "scripts", "lib", "lib64", "include", "share", "etc", "man", "doc", "local", "sbin"}
    | {_MARK, ".gitignore", "cachedir.tag", ".lock", ".project", ".python", "pip-selfcheck.json"}
    | {"pip.conf", "pip.ini", ".ds_store", _CACHE}
)
_PROGRAMS = ("bin", "Scripts")
# How many characters of a name, and how many names, a message shows.
_SHOWN = 60
_NAMED = 3


class VirtualEnvironment(NamedTuple):
    """A directory with a virtual environment."""

    path: str
    """Relative to the app's directory, as `.venv`."""
    foreign: tuple[str, ...]
    """Names at its top that do not belong to the environment."""


class UnwantedFiles(NamedTuple):
    """Files that do not belong in an image; all paths are relative to the app's directory."""

    environments: tuple[VirtualEnvironment, ...] = ()
    bytecode: tuple[str, ...] = ()
    """Bytecode files that Python would not use."""
    repositories: tuple[str, ...] = ()
    """Paths called `.git`: directories or files."""
    node_modules: tuple[str, ...] = ()
    is_environment: bool = False
    """Whether the app's directory itself is a virtual environment."""
    is_partial: bool = False
    """Whether only a part of the directories was searched."""

    @property
    def removable(self) -> tuple[str, ...]:
        """The paths of environments without foreign files."""
        return tuple(
            environment.path for environment in self.environments if not environment.foreign
        )

    @property
    def caches(self) -> tuple[str, ...]:
        """The directories called `__pycache__`."""
        directories = {path.rpartition("/")[0] for path in self.bytecode}
        return tuple(sorted(path for path in directories if path.endswith(_CACHE)))


class _Collected(NamedTuple):
    """The lists that `unwanted_files` fills, in the order of `UnwantedFiles`."""

    environments: list[VirtualEnvironment]
    bytecode: list[str]
    repositories: list[str]
    node_modules: list[str]


def find_unwanted(
    context: BuildContext, kept: tuple[str, ...], most_entries: int | None = None
) -> UnwantedFiles:
    """Return the files to keep out of the image, except the names and paths in *kept*.

    `node_modules` do not count if an earlier buildpack has installed Node.js. *most_entries*: see
    `unwanted_files`.
    """
    unwanted = unwanted_files(context.app_dir, kept, most_entries)
    return unwanted._replace(node_modules=()) if has_node(context) else unwanted


def remove_before_build(
    unwanted: UnwantedFiles, context: BuildContext, build_consumers: str, output: Output
) -> None:
    """Remove the unwanted files that the build must not see either, and print what happens to all.

    *build_consumers* describes the later buildpacks that need Python; empty without them.
    """
    message = notice(
        unwanted,
        has_dockerignore=(context.app_dir / _DOCKERIGNORE).exists(),
        keeps_git=bool(build_consumers),
    )
    if message is None:
        return
    if unwanted.environments or unwanted.is_environment or unwanted.node_modules:
        output.warning(message.title, message.body)
    else:
        # Every checkout of a repository has these files: no reason for a warning.
        output.step(_STEP)
        for line in message.body:
            output.line(line)
    problems = remove(context.app_dir, unwanted.removable)
    _warn(problems + remove_bytecode(context.app_dir, unwanted), output)


def remove_after_build(
    unwanted: UnwantedFiles, context: BuildContext, build_consumers: str, output: Output
) -> None:
    """Remove repositories, from which builds from source and hooks may have read a version."""
    if not build_consumers:
        _warn(remove(context.app_dir, unwanted.repositories), output)


def unwanted_files(
    app_dir: Path, kept: Collection[str] = (), most_entries: int | None = None
) -> UnwantedFiles:
    """Return the files in *app_dir* that do not belong in an image, except those in *kept*.

    Links are not followed. Directories that cannot be read are left out. After *most_entries*
    files and directories, no further directory is searched.
    """
    collected = _Collected([], [], [], [])
    is_environment = is_partial = False
    entries = 0
    for at, names, files in _walk(app_dir, frozenset(kept)):
        if most_entries is not None and entries > most_entries:
            is_partial = True
            break
        entries += 1 + len(names) + len(files)
        if _MARK in files and not names.isdisjoint(_PROGRAMS):
            if at:
                collected.environments.append(VirtualEnvironment(at[:-1], _foreign(names | files)))
                names.clear()
                continue
            is_environment = True
        _collect(app_dir, at, names, files, collected)
        names -= {GIT, NODE_MODULES}
    return UnwantedFiles(
        tuple(sorted(collected.environments)),
        tuple(sorted(collected.bytecode)),
        tuple(sorted(collected.repositories)),
        tuple(sorted(collected.node_modules)),
        is_environment,
        is_partial,
    )


def _collect(
    app_dir: Path, at: str, names: set[str], files: set[str], collected: _Collected
) -> None:
    """Add unwanted *names* of directories and *files*, in the directory *at*, to *collected*."""
    if GIT in names or (GIT in files and not (app_dir / at / GIT).is_symlink()):
        collected.repositories.append(f"{at}{GIT}")
    if NODE_MODULES in names:
        collected.node_modules.append(f"{at}{NODE_MODULES}")
    for name in files:
        if name.endswith(".pyc") and _is_useless(at, name, files):
            path = f"{at}{name}"
            if not (app_dir / path).is_symlink():
                collected.bytecode.append(path)


def _walk(app_dir: Path, kept: Collection[str]) -> Iterator[tuple[str, set[str], set[str]]]:
    """Yield each directory: its path (empty or `a/b/`), the directories and the files in it.

    Those nearest to the top come first. A directory that is removed from the yielded set is not
    walked. Links count as files.
    """
    waiting = deque([""])
    while waiting:
        at = waiting.popleft()
        names: set[str] = set()
        files: set[str] = set()
        try:
            with os.scandir(f"{app_dir}/{at}") as entries:
                for entry in entries:
                    if entry.name not in kept and f"{at}{entry.name}" not in kept:
                        is_directory = entry.is_dir(follow_symlinks=False)
                        (names if is_directory else files).add(entry.name)
        except OSError:
            continue
        yield at, names, files
        waiting.extend(f"{at}{name}/" for name in sorted(names))


def _foreign(names: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted(name for name in names if name.lower() not in _PARTS))


def _is_useless(at: str, name: str, files: Collection[str]) -> bool:
    """Whether Python never imports the bytecode *name* in directory *at*.

    In `__pycache__` it is not imported without its source, and beside its source only by Python 2.
    Without a source it may be the module itself.
    https://docs.python.org/3/reference/import.html#cached-bytecode-invalidation
    """
    return f"/{at}".endswith(f"/{_CACHE}/") or name.removesuffix("c") in files


def has_node(context: BuildContext) -> bool:
    """Whether the build image has Node.js, or an earlier buildpack installed it.

    A buildpack that needs it for the image alone does not put it on PATH. The layers of this
    buildpack do not count: a package of the app may have the program, and whether the layer with
    the packages is on disk depends on the build.
    """
    directories = filter(None, context.environ.get("PATH", "").split(":"))
    programs = context.layers_dir.parent.glob(f"*/*/bin/{_NODE}")
    return any((Path(directory) / _NODE).is_file() for directory in directories) or any(
        context.layers_dir not in program.parents for program in programs
    )


def remove(app_dir: Path, paths: Iterable[str]) -> tuple[str, ...]:
    """Remove *paths* below *app_dir*; return the reason for each that could not be removed."""
    problems = []
    for path in paths:
        try:
            disk.remove(app_dir / path)
        except OSError as error:
            problems.append(f"{path}: {error.strerror or type(error).__name__}")
    return tuple(problems)


def remove_bytecode(app_dir: Path, unwanted: UnwantedFiles) -> tuple[str, ...]:
    """Remove the bytecode, and directories that are then empty; return problems as `remove`."""
    problems = remove(app_dir, unwanted.bytecode)
    for cache in unwanted.caches:
        try:
            (app_dir / cache).rmdir()
        except OSError:
            continue  # it has other files
    return problems


def _warn(problems: tuple[str, ...], output: Output) -> None:
    if problems:
        message = not_removed(problems)
        output.warning(message.title, message.body)


def notice(unwanted: UnwantedFiles, *, has_dockerignore: bool, keeps_git: bool) -> Message | None:
    """Return what happens to each unwanted file, and how to exclude it; None without any.

    *keeps_git*: a later buildpack may need the repository.
    """
    lines = tuple(_lines(unwanted, keeps_git=keeps_git))
    if not lines:
        return None
    return Message(
        title="Some of the app's files do not belong in an image",
        body=(*lines, *_exclusion(unwanted, has_dockerignore=has_dockerignore)),
    )


def not_removed(problems: tuple[str, ...]) -> Message:
    """Return the warning that files could not be removed, with the *problems* of `remove`."""
    return Message(
        title="Some files could not be removed from the app's directory",
        body=(*(f"  {_visible(problem)}" for problem in problems), "They are in the image."),
    )


def _lines(unwanted: UnwantedFiles, *, keeps_git: bool) -> Iterator[str]:
    for environment in unwanted.environments:
        yield _environment(environment)
    if unwanted.is_environment:
        yield (
            "The app's directory itself is a virtual environment. Not removed, although the image "
            "does not use its bin and lib. Move the app to a directory of its own."
        )
    if unwanted.bytecode:
        yield _bytecode(unwanted)
    if unwanted.repositories:
        yield _repositories(unwanted.repositories, stay=keeps_git)
    if unwanted.node_modules:
        yield f"{_named(unwanted.node_modules)}: not removed, the app may need it when it runs."


def _repositories(paths: tuple[str, ...], *, stay: bool) -> str:
    if stay:
        return f"{_named(paths)}: not removed, later buildpacks may need the repository."
    return (
        f"{_named(paths)}: removed at the end of the build. It holds the history, and sometimes a "
        "login, which users of the image should not get."
    )


def _environment(environment: VirtualEnvironment) -> str:
    path = _visible(environment.path)
    if not environment.foreign:
        return f"{path}: removed. A virtual environment works only where it was made."
    return (
        f"{path}: a virtual environment, which the image does not use. Not removed, since it also "
        f"holds {_named(environment.foreign)}. Move that out of it."
    )


def _bytecode(unwanted: UnwantedFiles) -> str:
    count = len(unwanted.bytecode)
    files = "1 file" if count == 1 else f"{count} files"
    return f"{files} of bytecode (__pycache__, .pyc): removed. Python would not use them."


def _exclusion(unwanted: UnwantedFiles, *, has_dockerignore: bool) -> Iterator[str]:
    patterns = _patterns(unwanted)
    if not patterns:
        return
    unread = " (buildpacks do not read .dockerignore)" if has_dockerignore else ""
    yield f"To exclude them from the build, write to project.toml{unread}:"
    yield "    [_]"
    yield '    schema-version = "0.2"'
    yield "    [io.buildpacks]"
    yield f"    exclude = [{', '.join(map(_quoted, patterns))}]"


def _patterns(unwanted: UnwantedFiles) -> tuple[str, ...]:
    """Return the patterns to exclude, in the form of .gitignore: a name counts everywhere."""
    paths = unwanted.removable
    names = [path.rpartition("/")[2] for path in (*unwanted.repositories, *unwanted.node_modules)]
    bytecode = ["__pycache__"] if unwanted.caches else []
    if any("__pycache__/" not in path for path in unwanted.bytecode):
        bytecode.append("*.pyc")
    return tuple(dict.fromkeys((*paths, *bytecode, *names)))


def _named(paths: tuple[str, ...]) -> str:
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    return f"{', '.join(_visible(path) for path in paths[:_NAMED])}{more}"


def _quoted(pattern: str) -> str:
    escaped = pattern.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{"".join(char if char.isprintable() else "?" for char in escaped)}"'


def _visible(text: str) -> str:
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
