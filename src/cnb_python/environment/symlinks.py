"""Symbolic links among a distribution's files, so that they lead where they did from a share.

A relative link counts from where its file really is. What it leads to lies beside it where both
are in one share; everything else is found by way of the environment, where all is in its place.
"""

import hashlib
from collections.abc import Iterator, Mapping

from cnb_python.environment.distribution import File
from cnb_python.environment.owners import Owned
from cnb_python.environment.places import VENV


def at_home(
    parts: Mapping[str, Mapping[str, Owned]],
) -> Iterator[tuple[str, Mapping[str, Owned]]]:
    """Yield each share of *parts* (name → its files by path) with links that work from there."""
    if not any(owned.file.target for files in parts.values() for owned in files.values()):
        yield from parts.items()
        return
    shares_of = _shares_below(parts)
    for name, files in parts.items():
        yield name, {path: _moved(owned, name, shares_of) for path, owned in files.items()}


def _shares_below(parts: Mapping[str, Mapping[str, Owned]]) -> dict[str, set[str]]:
    """Return the shares that have each path, or files below it."""
    found: dict[str, set[str]] = {}
    for name, files in parts.items():
        for path in files:
            above = path
            while above and name not in found.setdefault(above, set()):
                found[above].add(name)
                above = above.rpartition("/")[0]
    return found


def _moved(owned: Owned, share: str, shares_of: Mapping[str, set[str]]) -> Owned:
    file = owned.file
    if not file.target or file.target.startswith("/"):
        return owned
    aim = _aim(file)
    if shares_of.get(aim) == {share}:
        return owned
    # Out of `<share>/tree/<path>` and into its neighbour.
    target = f"{'../' * (file.path.count('/') + 2)}{VENV}/{aim}"
    digest = hashlib.sha256(target.encode(errors="surrogateescape")).hexdigest()
    return owned._replace(file=file._replace(target=target, digest=digest))


def _aim(file: File) -> str:
    """Return what *file* leads to, as a path below the environment."""
    parts = file.path.split("/")[:-1]
    for part in file.target.split("/"):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)
