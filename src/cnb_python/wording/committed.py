"""The words for what lay in the app's directory and belongs in no image."""

from collections.abc import Iterator

from cnb_python.committed import Committed, Environment
from cnb_python.wording.message import Message

_SHOWN = 60
_NAMED = 3


def notice(found: Committed, *, ignored_by_docker: bool, keeps_git: bool) -> Message | None:
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


def _lines(found: Committed, *, keeps_git: bool) -> Iterator[str]:
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


def _environment(environment: Environment) -> str:
    path = _visible(environment.path)
    if not environment.others:
        return f"{path}: removed. A virtual environment works only where it was made."
    return (
        f"{path}: a virtual environment, of no use to the image. Not removed, since it holds "
        f"something else too: {_named(environment.others)}. Move that out of it."
    )


def _bytecode(found: Committed) -> str:
    count = len(found.bytecode)
    files = "1 file" if count == 1 else f"{count} files"
    return f"{files} of bytecode (__pycache__, .pyc): removed. Python would not use them."


def _how(found: Committed, *, ignored_by_docker: bool) -> Iterator[str]:
    if not _patterns(found):
        return
    unread = " (nobody reads .dockerignore here)" if ignored_by_docker else ""
    yield f"To leave them out from the start, write to project.toml{unread}:"
    yield "    [_]"
    yield '    schema-version = "0.2"'
    yield "    [io.buildpacks]"
    yield f"    exclude = [{', '.join(map(_quoted, _patterns(found)))}]"


def _patterns(found: Committed) -> tuple[str, ...]:
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
