"""The key of a command, and what it made: in the app, and in the store.

The key covers everything that the files depend on: the command with its patterns, the contents of
its inputs, Python and the packages, the variables, the directories. Outputs that exist before the
run count as inputs, since a command may read or replace them; so do all links, which decide where
a path leads.

Separate from `run_commands`, which runs what the store does not have.
"""

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from cnb_python.app_steps import file_listing
from cnb_python.app_steps.commands.patterns import Patterns
from cnb_python.app_steps.file_listing import Listing
from cnb_python.cnb import disk
from cnb_python.config.build_commands import BuildCommand
from cnb_python.errors.build_commands import OutputOutsideApp
from cnb_python.errors.machine import DamagedStore
from cnb_python.layers import cache_keys
from cnb_python.provision.request import ProvidedEnvironment
from cnb_python.store.store import BUDGET_BYTES

# Raise it when a release of the buildpack runs commands in another way.
_FORMAT = "1"
# Larger outputs, such as browsers, do not fit into the store in compressed form either.
LARGEST = 4 * BUDGET_BYTES
_KEY = re.compile(r"command (?P<name>[^ ]+) (?P<salt>[0-9a-f]{32}) [0-9a-f]{64}")
_LINK = "l"


@dataclass(frozen=True, slots=True)
class CommandPlaces:
    """Where a command runs, and which files are its own."""

    app_dir: Path
    inputs: Patterns
    outputs: Patterns

    def made(self, files: Listing) -> tuple[str, ...]:
        """Return the paths of its outputs among *files*, with their directories.

        Pipes, sockets and devices are never outputs.
        """
        outputs = self.outputs.among(files)
        return tuple(sorted(path for path in outputs if files[path] != file_listing.SPECIAL))


def places_of(command: BuildCommand, environment: ProvidedEnvironment) -> CommandPlaces:
    """Return the places of *command* in the app of *environment*."""
    request = environment.request
    app_dir = request.context.app_dir
    below = request.app.directory.resolve().relative_to(app_dir.resolve())
    prefix = "" if below == Path() else str(below)
    return CommandPlaces(
        app_dir, Patterns(command.inputs or (), prefix), Patterns(command.outputs, prefix)
    )


def stored_salt(trees: frozenset[str]) -> str:
    """Return the salt in the keys of the store's *trees*; empty if no command has one."""
    matches = filter(None, map(_KEY.fullmatch, sorted(trees)))
    return next((match["salt"] for match in matches), "")


def key_of(
    command: BuildCommand, environment: ProvidedEnvironment, files: Listing, variables: str
) -> str:
    """Return the key of the archive of *command*, which runs in an app with *files*.

    *variables*: the salt and the digest of the build's variables, in hex, with a space between.
    """
    salt, _, digest = variables.partition(" ")
    inputs = _inputs(command, environment, files)
    lines = "\0".join((*_fixed(command, environment), inputs, digest))
    content = lines.encode(errors="surrogateescape")
    return f"command {command.name} {salt} {hashlib.sha256(content).hexdigest()}"


def _fixed(command: BuildCommand, environment: ProvidedEnvironment) -> tuple[str, ...]:
    request, context = environment.request, environment.request.context
    return (
        _FORMAT,
        repr(command),
        request.release.version,
        request.release.flavour,
        *(context.target.os, context.target.arch, context.target.distro),
        *(str(context.layers_dir), str(context.app_dir), str(request.app.directory)),
        *(f"{name} {digest}" for name, digest in sorted(environment.layers.items())),
        # The data is on disk, and a variable names it.
        request.app.text(cache_keys.NLTK_FILE) or "",
    )


def _inputs(command: BuildCommand, environment: ProvidedEnvironment, files: Listing) -> str:
    places = places_of(command, environment)
    above = places.outputs.above()
    relevant = {
        path: entry
        for path, entry in files.items()
        if entry.startswith(_LINK)
        or path in above
        or places.inputs.matches(path)
        or places.outputs.matches(path)
    }
    return file_listing.digest(relevant)


def restore(
    command: BuildCommand, environment: ProvidedEnvironment, files: Listing, key: str
) -> int | None:
    """Write the outputs of *command* that the store has as *key*; return the number of files.

    None: the store does not have them. *files*: the app. Raises DiskFull and OSError.
    """
    places, store = places_of(command, environment), environment.store()
    if not store.has_tree(key):
        return None
    try:
        kinds = {member.path: member.kind for member in store.tree_digests(key)}
        _remove(places.app_dir, _not_replaceable(places.made(files), files, kinds))
        count = store.unpack_tree(key, places.app_dir)
    except DamagedStore:
        return None
    file_listing.normalize(places.app_dir, places.made(file_listing.listing(places.app_dir)))
    return count


def _not_replaceable(
    paths: Collection[str], files: Listing, kinds: Mapping[str, str]
) -> tuple[str, ...]:
    """Return those of *paths* that are not outputs, or a directory only before or after the run.

    *kinds*: the first letters of the entries of all outputs, by path.
    """
    directory = file_listing.DIRECTORY
    return tuple(
        path
        for path in paths
        if path not in kinds or (files[path] == directory) != (kinds[path] == directory)
    )


class KeptOutputs(NamedTuple):
    """The outputs of a command that has run."""

    number: int
    """The number of files and links."""
    size: int
    """Bytes of the files."""
    is_stored: bool


def keep(
    command: BuildCommand, environment: ProvidedEnvironment, files: Listing, key: str
) -> KeptOutputs:
    """Put the outputs of *command* among *files* into the store as *key*, if they may fit.

    An empty *key*: they are not kept. Raises OutputOutsideApp, DiskFull and OSError.
    """
    places = places_of(command, environment)
    paths = places.made(files)
    for path in paths:
        if files[path].startswith(_LINK):
            _check_link(command, places.app_dir, path, files[path][1:])
    file_listing.normalize(places.app_dir, paths)
    outputs = [path for path in paths if files[path] != file_listing.DIRECTORY]
    size = sum((places.app_dir / path).lstat().st_size for path in outputs)
    if key and size <= LARGEST:
        environment.store().put_tree(key, places.app_dir, frozenset(paths))
    return KeptOutputs(len(outputs), size, bool(key) and environment.store().has_tree(key))


def _check_link(command: BuildCommand, app_dir: Path, path: str, target: str) -> None:
    try:
        leads_to = (app_dir / path).resolve()
    except OSError, RuntimeError:  # a link to itself
        return
    if not leads_to.is_relative_to(app_dir.resolve()):
        raise OutputOutsideApp(command.name, path, target)


def remove_undeclared(
    command: BuildCommand, environment: ProvidedEnvironment, before: Listing, after: Listing
) -> tuple[str, ...]:
    """Remove what is new in *after* and no output of *command*; return the paths.

    Directories above outputs stay.
    """
    places = places_of(command, environment)
    kept = {str(parent) for path in places.made(after) for parent in Path(path).parents}
    paths = sorted(
        path
        for path in after.keys() - before.keys() - kept
        if not places.outputs.matches(path) or after[path] == file_listing.SPECIAL
    )
    _remove(places.app_dir, paths)
    return tuple(paths)


def undeclared_changes(
    command: BuildCommand, environment: ProvidedEnvironment, before: Listing, after: Listing
) -> tuple[str, ...]:
    """Return what is changed or gone in *after* and no output of *command*."""
    matches = places_of(command, environment).outputs.matches
    changed = (path for path, entry in before.items() if after.get(path) != entry)
    return tuple(sorted(path for path in changed if not matches(path)))


def _remove(app_dir: Path, paths: Collection[str]) -> None:
    # Below a directory that is not an output, there are no outputs.
    for path in sorted(paths):
        disk.remove(app_dir / path)
