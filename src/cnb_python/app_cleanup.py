"""What lies in an app's directory and belongs in no image: found, and removed where that is safe.

Slices of launch.toml leave nothing out: what no slice names is in the app's last layer. So it is
removed: https://github.com/buildpacks/spec/blob/main/buildpack.md#layers-1
"""

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


def find_unwanted(context: BuildContext, kept: tuple[str, ...]) -> UnwantedFiles:
    """Return what to keep out; *kept* names what the user wants in the image.

    `node_modules` do not count where an earlier buildpack has brought Node.js, and them.
    """
    found = find(context.app_dir, kept)
    return found._replace(node_modules=()) if _has_node(context) else found


def remove_before_build(
    found: UnwantedFiles, context: BuildContext, build_consumers: str, output: Output
) -> None:
    """Remove what a build must not see either, and say what becomes of everything.

    *demand* says who comes later and wants Python; empty: nobody.
    """
    message = notice(
        found,
        ignored_by_docker=(context.app_dir / _DOCKERIGNORE).exists(),
        keeps_git=bool(build_consumers),
    )
    if message is None:
        return
    if found.environments or found.is_environment or found.node_modules:
        output.warning(message.title, message.body)
    else:
        # Every copy of a repository has these.
        output.step(_STEP)
        for line in message.body:
            output.line(line)
    _say(
        remove(context.app_dir, found.removable) + remove_bytecode(context.app_dir, found),
        output,
    )


def remove_after_build(
    found: UnwantedFiles, context: BuildContext, build_consumers: str, output: Output
) -> None:
    """Remove the repository, which builds from source and hooks may have asked for a version."""
    if not build_consumers:
        _say(remove(context.app_dir, found.repositories), output)


def _say(problems: tuple[str, ...], output: Output) -> None:
    if problems:
        message = not_removed(problems)
        output.warning(message.title, message.body)


def _has_node(context: BuildContext) -> bool:
    places = filter(None, context.environ.get("PATH", "").split(":"))
    return any((Path(place) / _NODE).is_file() for place in places)


_SHOWN = 60
_NAMED = 3


def notice(found: UnwantedFiles, *, ignored_by_docker: bool, keeps_git: bool) -> Message | None:
    """Return what becomes of *found*, and how to leave it out; None where nothing was found.

    *ignored_by_docker*: the app has a file that only Docker reads; *keeps_git*: a buildpack that
    comes later may want the repository.
    """
    lines = tuple(_lines(found, keeps_git=keeps_git))
    if not lines:
        return None
    return Message(
        title="Some of the app's files do not belong in an image",
        body=(*lines, *_how(found, ignored_by_docker=ignored_by_docker)),
    )


def not_removed(problems: tuple[str, ...]) -> Message:
    """What could not be removed is in the image."""
    return Message(
        title="Some of it could not be removed from the app's directory",
        body=(*(f"  {_visible(problem)}" for problem in problems), "It is in the image now."),
    )


def _lines(found: UnwantedFiles, *, keeps_git: bool) -> Iterator[str]:
    for environment in found.environments:
        yield _environment(environment)
    if found.is_environment:
        yield (
            "The app's directory itself is a virtual environment. Not removed, although its bin "
            "and lib are of no use to the image. Move the app to a directory of its own."
        )
    if found.bytecode:
        yield _bytecode(found)
    if found.repositories:
        yield _repositories(found.repositories, stay=keeps_git)
    if found.node_modules:
        yield f"{_named(found.node_modules)}: not removed, the app may need it when it runs."


def _repositories(paths: tuple[str, ...], *, stay: bool) -> str:
    if stay:
        return f"{_named(paths)}: not removed, buildpacks that come later may need the repository."
    return (
        f"{_named(paths)}: removed at the end of the build. A repository's history, and at times "
        "a login, are not for everybody who has the image."
    )


def _environment(environment: VirtualEnvironment) -> str:
    path = _visible(environment.path)
    if not environment.others:
        return f"{path}: removed. A virtual environment works only where it was made."
    return (
        f"{path}: a virtual environment, of no use to the image. Not removed, since it holds "
        f"something else too: {_named(environment.others)}. Move that out of it."
    )


def _bytecode(found: UnwantedFiles) -> str:
    count = len(found.bytecode)
    files = "1 file" if count == 1 else f"{count} files"
    return f"{files} of bytecode (__pycache__, .pyc): removed. Python would not use them."


def _how(found: UnwantedFiles, *, ignored_by_docker: bool) -> Iterator[str]:
    if not _patterns(found):
        return
    unread = " (nobody reads .dockerignore here)" if ignored_by_docker else ""
    yield f"To leave them out from the start, write to project.toml{unread}:"
    yield "    [_]"
    yield '    schema-version = "0.2"'
    yield "    [io.buildpacks]"
    yield f"    exclude = [{', '.join(map(_quoted, _patterns(found)))}]"


def _patterns(found: UnwantedFiles) -> tuple[str, ...]:
    """Return what to exclude, as .gitignore has it: a name counts in every directory."""
    paths = [one.path for one in found.environments if not one.others]
    names = [path.rpartition("/")[2] for path in (*found.repositories, *found.node_modules)]
    bytecode = ["__pycache__"] if found.caches else []
    if any("__pycache__/" not in path for path in found.bytecode):
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


class VirtualEnvironment(NamedTuple):
    """A directory that a virtual environment was made in."""

    path: str
    """Relative to the app's directory, as `.venv`."""
    others: tuple[str, ...]
    """What else it holds: somebody's own files."""


class UnwantedFiles(NamedTuple):
    """What was found; every path is relative to the app's directory, with `/`."""

    environments: tuple[VirtualEnvironment, ...] = ()
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


def find(app_dir: Path, kept: Collection[str] = ()) -> UnwantedFiles:
    """Return what in *app_dir* belongs in no image; links are not followed.

    *kept* has names and paths that the user wants to stay. What cannot be read is not looked into.
    """
    found = _Collected([], [], [], [])
    is_environment = False
    for at, names, files in _walk(app_dir, frozenset(kept)):
        if _MARK in files and not names.isdisjoint(_PROGRAMS):
            if at:
                found.environments.append(VirtualEnvironment(at[:-1], _others(names | files)))
                names.clear()
                continue
            is_environment = True
        _look(app_dir, at, names, files, found)
        names -= {GIT, NODE_MODULES}
    return UnwantedFiles(
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


def remove_bytecode(app_dir: Path, found: UnwantedFiles) -> tuple[str, ...]:
    """Remove *found*'s bytecode, and the directories that are empty then; return any problems."""
    problems = remove(app_dir, found.bytecode)
    for cache in found.caches:
        try:
            (app_dir / cache).rmdir()
        except OSError:
            continue  # there is something else in it
    return problems


class _Collected(NamedTuple):
    """What `find` has found so far, in the order of `Committed`."""

    environments: list[VirtualEnvironment]
    bytecode: list[str]
    repositories: list[str]
    node_modules: list[str]


def _look(app_dir: Path, at: str, names: set[str], files: set[str], found: _Collected) -> None:
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
