"""Which distribution each file of an environment belongs to, where several bring the same one.

pip leaves what it installed last, uv whatever was written last. Here the last by name wins, so
that every build gives the same image.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from cnb_python.distributions.collect import listed
from cnb_python.distributions.model import Distribution, File
from cnb_python.errors.install import PathClash


def notes(distributions: Iterable[Distribution]) -> list[str]:
    """Return what is to be said of files that *distributions* do not agree on. Raises PathClash.

    One line for all files of the same parties: the variants of OpenCV share hundreds.
    """
    paths: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for path, winner, losers in owners_of(distributions).conflicts:
        paths.setdefault((winner, losers), []).append(path)
    return [_said(winner, losers, found) for (winner, losers), found in paths.items()]


def _said(winner: str, losers: tuple[str, ...], paths: list[str]) -> str:
    others = ", ".join(losers)
    if winner:
        return f"Of {winner}, the last by name, and not of {others}: {listed(paths)}"
    return f"Left out of {others}, for the environment has its own: {listed(paths)}"


# What the environment has itself, and what the lifecycle would take for variables and programs:
# https://github.com/buildpacks/spec/blob/main/buildpack.md#layers
_RESERVED = re.compile(
    r"(pyvenv\.cfg|lib64|bin/python(3(\.\d+t?)?)?|env(\.build|\.launch)?|exec\.d|profile\.d)(/.*)?"
)
_BYTECODE = re.compile(r"(.*/)__pycache__/(.+?)\.[^./]+(?:\.opt-[^./]+)?\.pyc")


class OwnedFile(NamedTuple):
    """A file and the distribution that it is of."""

    file: File
    owner: str


class Conflict(NamedTuple):
    """A path that several distributions bring with different contents, or that is not theirs."""

    path: str
    winner: str
    """Empty where the environment itself needs the place."""
    losers: tuple[str, ...]


class Owners(NamedTuple):
    """Every file of an environment, once."""

    files: Mapping[str, OwnedFile]
    """By path."""
    conflicts: tuple[Conflict, ...]
    """In the order of their paths; to be told."""


def owners_of(distributions: Iterable[Distribution]) -> Owners:
    """Return who has each path, whatever the order of *distributions*.

    Raises PathClash when what is a file of one is a directory of another.
    """
    claims: dict[str, list[OwnedFile]] = {}
    for one in sorted(distributions, key=lambda each: each.name):
        for file in one.files:
            claims.setdefault(file.path, []).append(OwnedFile(file, one.name))
    taken = {path: claims.pop(path) for path in list(claims) if is_reserved(path)}
    files = {path: claim[-1] for path, claim in claims.items()}
    contested = {path: claim for path, claim in claims.items() if len(claim) > 1}
    if contested:
        _follow_sources(files, claims, contested.keys())
    _refuse_clashes(files)
    return Owners(files, _contests(contested, taken))


def is_reserved(path: str) -> bool:
    """Whether *path* is a place that no distribution can have."""
    return bool(_RESERVED.fullmatch(path))


def source_of(path: str) -> str:
    """Return the path of the module that *path* is the bytecode of, empty where it is none."""
    found = _BYTECODE.fullmatch(path)
    return f"{found[1]}{found[2]}.py" if found else ""


def _follow_sources(
    files: dict[str, OwnedFile],
    claims: Mapping[str, Sequence[OwnedFile]],
    contested: Iterable[str],
) -> None:
    """Let bytecode come from where its module does: unchecked, it would run in its place."""
    modules = {path for path in contested if path.endswith(".py")}
    for path in [path for path in files if path.endswith(".pyc")]:
        source = source_of(path)
        if source in modules and files[path].owner != files[source].owner:
            del files[path]
            for claim in claims[path]:
                if claim.owner == files[source].owner:
                    files[path] = claim


def _refuse_clashes(files: Mapping[str, OwnedFile]) -> None:
    seen: set[str] = set()
    for path, owned in files.items():
        above = path.rpartition("/")[0]
        while above and above not in seen:
            if above in files:
                raise PathClash(above, files[above].owner, owned.owner)
            seen.add(above)
            above = above.rpartition("/")[0]


def _contests(
    contested: Mapping[str, Sequence[OwnedFile]], taken: Mapping[str, Sequence[OwnedFile]]
) -> tuple[Conflict, ...]:
    found = [Conflict(path, "", tuple(one.owner for one in taken[path])) for path in taken]
    for path, claim in contested.items():
        winner = claim[-1]
        losers = tuple(one.owner for one in claim if one.file != winner.file)
        # What is made from a module goes without saying.
        if losers and not source_of(path):
            found.append(Conflict(path, winner.owner, losers))
    return tuple(sorted(found))
