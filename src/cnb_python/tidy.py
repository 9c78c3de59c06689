"""Keeps out of the image what lies in the app's directory and belongs in none, and says so."""

from pathlib import Path

from cnb_python import committed
from cnb_python.cnb.context import BuildContext
from cnb_python.committed import Committed
from cnb_python.system.outside import Output
from cnb_python.wording import committed as wording

_STEP = "App"
_NODE = "node"
_DOCKERIGNORE = ".dockerignore"


def find(context: BuildContext, kept: tuple[str, ...]) -> Committed:
    """Return what to keep out; *kept* names what the user wants in the image.

    `node_modules` do not count where an earlier buildpack has brought Node.js, and them.
    """
    found = committed.find(context.app_dir, kept)
    return found._replace(node_modules=()) if _has_node(context) else found


def before(found: Committed, context: BuildContext, demand: str, output: Output) -> None:
    """Remove what a build must not see either, and say what becomes of everything.

    *demand* says who comes later and wants Python; empty: nobody.
    """
    message = wording.notice(
        found,
        ignored_by_docker=(context.app_dir / _DOCKERIGNORE).exists(),
        keeps_git=bool(demand),
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
        committed.remove(context.app_dir, found.removable)
        + committed.remove_bytecode(context.app_dir, found),
        output,
    )


def after(found: Committed, context: BuildContext, demand: str, output: Output) -> None:
    """Remove the repository, which builds from source and hooks may have asked for a version."""
    if not demand:
        _say(committed.remove(context.app_dir, found.repositories), output)


def _say(problems: tuple[str, ...], output: Output) -> None:
    if problems:
        message = wording.not_removed(problems)
        output.warning(message.title, message.body)


def _has_node(context: BuildContext) -> bool:
    places = filter(None, context.environ.get("PATH", "").split(":"))
    return any((Path(place) / _NODE).is_file() for place in places)
