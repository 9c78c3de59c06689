"""Which distribution each file of an environment is taken from if several contain the same path.

pip leaves the file of the distribution that it installed last, uv the one that was written last.
Here the last distribution by name wins, so that every build gives the same image; packages of
production win over those for development.
"""

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import NamedTuple

from cnb_python.distributions.collect import listed
from cnb_python.distributions.model import Distribution, File
from cnb_python.errors.packages.install import PathConflict

# Paths that the environment has itself, and those that the lifecycle reads in a layer:
# https://github.com/buildpacks/spec/blob/main/buildpack.md#layers
_RESERVED = re.compile(
    r"(pyvenv\.cfg|lib64|bin/python(3(\.\d+t?)?)?|env(\.build|\.launch)?|exec\.d|profile\.d)(/.*)?"
)
_BYTECODE = re.compile(r"(.*/)__pycache__/(.+?)\.[^./]+(?:\.opt-[^./]+)?\.pyc")


class OwnedFile(NamedTuple):
    """A file and the name of the distribution that it is taken from."""

    file: File
    owner: str


class Conflict(NamedTuple):
    """A path that several distributions contain with different contents, or that is reserved."""

    path: str
    winner: str
    """Empty for a reserved path."""
    losers: tuple[str, ...]


class Owners(NamedTuple):
    """Every file of an environment, once."""

    files: Mapping[str, OwnedFile]
    """By path."""
    conflicts: tuple[Conflict, ...]
    """In the order of their paths."""


def conflict_messages(
    distributions: Iterable[Distribution], development: Container[str] = frozenset()
) -> list[str]:
    """Return a log line for each set of distributions with path conflicts. Raises PathConflict.

    One line names all their paths: the variants of OpenCV have hundreds in common.
    """
    paths: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for path, winner, losers in owners_of(distributions, development).conflicts:
        paths.setdefault((winner, losers), []).append(path)
    return [_message(winner, losers, common) for (winner, losers), common in paths.items()]


def _message(winner: str, losers: tuple[str, ...], paths: list[str]) -> str:
    names = ", ".join(losers)
    if not winner:
        return f"Leaving out {listed(paths)} of {names}: reserved for the environment"
    verb, copies = ("is", "copy") if len(paths) == 1 else ("are", "copies")
    return f"{listed(paths)} {verb} in {names} and {winner}; using {winner}'s {copies}"


def owners_of(
    distributions: Iterable[Distribution], development: Container[str] = frozenset()
) -> Owners:
    """Return the owner of each path, whatever the order of *distributions*.

    Those named in *development* get no path that another one contains: the shards of production
    have to be the same without them.

    Raises PathConflict if a file of one distribution is a directory of another.
    """
    candidates: dict[str, list[OwnedFile]] = {}
    for distribution in _strongest_last(distributions, development):
        for file in distribution.files:
            candidates.setdefault(file.path, []).append(OwnedFile(file, distribution.name))
    reserved = {path: candidates.pop(path) for path in list(candidates) if is_reserved(path)}
    files = {path: owned[-1] for path, owned in candidates.items()}
    ambiguous = {path: owned for path, owned in candidates.items() if len(owned) > 1}
    if ambiguous:
        _follow_sources(files, candidates, ambiguous.keys())
    _refuse_file_and_directory(files)
    return Owners(files, _conflicts(ambiguous, reserved))


def _strongest_last(
    distributions: Iterable[Distribution], development: Container[str]
) -> list[Distribution]:
    return sorted(distributions, key=lambda each: (each.name not in development, each.name))


def is_reserved(path: str) -> bool:
    """Whether *path* belongs to the environment itself, so that no distribution can have it."""
    return bool(_RESERVED.fullmatch(path))


def source_of(path: str) -> str:
    """Return the path of the module that *path* is the bytecode of; empty for other files."""
    match = _BYTECODE.fullmatch(path)
    return f"{match[1]}{match[2]}.py" if match else ""


def _follow_sources(
    files: dict[str, OwnedFile],
    candidates: Mapping[str, Sequence[OwnedFile]],
    ambiguous: Iterable[str],
) -> None:
    """Take bytecode from the owner of its module: Python never compares it with the source."""
    modules = {path for path in ambiguous if path.endswith(".py")}
    for path in [path for path in files if path.endswith(".pyc")]:
        source = source_of(path)
        if source in modules and files[path].owner != files[source].owner:
            del files[path]
            for candidate in candidates[path]:
                if candidate.owner == files[source].owner:
                    files[path] = candidate


def _refuse_file_and_directory(files: Mapping[str, OwnedFile]) -> None:
    seen: set[str] = set()
    for path, owned in files.items():
        above = path.rpartition("/")[0]
        while above and above not in seen:
            if above in files:
                raise PathConflict(above, files[above].owner, owned.owner)
            seen.add(above)
            above = above.rpartition("/")[0]


def _conflicts(
    ambiguous: Mapping[str, Sequence[OwnedFile]], reserved: Mapping[str, Sequence[OwnedFile]]
) -> tuple[Conflict, ...]:
    conflicts = [
        Conflict(path, "", tuple(candidate.owner for candidate in candidates))
        for path, candidates in reserved.items()
    ]
    for path, candidates in ambiguous.items():
        winner = candidates[-1]
        losers = tuple(
            candidate.owner for candidate in candidates if candidate.file != winner.file
        )
        # A conflict of bytecode follows from that of its module.
        if losers and not source_of(path):
            conflicts.append(Conflict(path, winner.owner, losers))
    return tuple(sorted(conflicts))
