"""Keeps what was laid out as it is while the app's code runs beside it.

What the code wrote is no part of the environment: another build, which takes the environment from
its image, would not have it.
"""

import os
import re
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from cnb_python.cnb import disk
from cnb_python.errors.frameworks import PackagesChanged

# Of use while a package is built, and to nobody else: metadata is in the environment.
_WASTE = re.compile(r".*\.egg-info|\.eggs|\.pdm-build|__pycache__")
# This one is an ordinary word, too: beside the table of a project it is setuptools' own.
_BUILD = "build"
_OF_SETUPTOOLS = re.compile(r"lib(\..+)?|bdist\..+|temp\..+")
# Which programs that ask for a version write to as well.
_SKIPPED = frozenset({".git"})


@dataclass(slots=True)
class AppSnapshot:
    """What building packages leaves in a directory."""

    directory: Path
    written: set[str] = field(default_factory=set)
    """Paths below it of what was written and stays: it may be meant to."""
    _seen: Mapping[str, State] = field(default_factory=dict)

    def look(self) -> None:
        """Note what is there, before something is built."""
        self._seen = states(self.directory, _SKIPPED)

    def clear(self) -> None:
        """Remove what is waste, and note what else is new or other. Raises OSError."""
        before, after = self._seen, states(self.directory, _SKIPPED)
        new = after.keys() - before.keys()
        waste = {path for path in new if _is_waste(path, after)}
        for path in waste:
            disk.remove(self.directory / path)
        below = {path for path in new if any(str(one) in waste for one in _parents(path))}
        stays = after.keys() - waste - below
        self.written |= {path for path in stays if before.get(path) != after[path]}


def _is_waste(path: str, found: Mapping[str, State]) -> bool:
    name = PurePosixPath(path).name
    if name != _BUILD:
        return _WASTE.fullmatch(name) is not None
    inside = (one.removeprefix(f"{path}/") for one in found if one.startswith(f"{path}/"))
    return all(_OF_SETUPTOOLS.fullmatch(one.partition("/")[0]) for one in inside)


def _parents(path: str) -> tuple[PurePosixPath, ...]:
    return tuple(PurePosixPath(path).parents)


# https://packaging.python.org/en/latest/specifications/recording-installed-packages/
_METADATA = re.compile(r"([^/]+)\.(?:dist|egg)-info/(?:METADATA|PKG-INFO)")
# What programs make again whenever they miss it.
_CACHE = re.compile(r"(?:^|/)__pycache__(?:/|$)|\.(?:pyc|cache)$")


class AddedFiles(NamedTuple):
    """What was written beside what was laid out."""

    packages: tuple[str, ...]
    """As their metadata is called: `six-1.17.0`."""
    files: tuple[str, ...]
    """All files but those of packages and caches, by their paths."""


def added(paths: Iterable[str]) -> AddedFiles:
    """Return what *paths*, which were added, are."""
    found = sorted(paths)
    metadata = [name for path in found if (name := _METADATA.search(path))]
    files = (path for path in found if not _CACHE.search(path))
    return AddedFiles(tuple(one[1] for one in metadata), () if metadata else tuple(files))


class State(NamedTuple):
    """What tells whether a file is the one it was; every change of it changes its last field."""

    mode: int
    size: int
    inode: int
    changed: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Directories as they were."""

    seen: dict[Path, Mapping[str, State]] = field(default_factory=dict)
    """What lay in each, by path below it."""

    def remember(self, directory: Path) -> None:
        """Note what *directory* holds, all of it. Raises OSError."""
        self.seen[directory] = states(directory)

    def check(self, directory: Path) -> tuple[str, ...]:
        """Remove what is new in *directory*, if it was noted; return the paths of its files.

        Raises PackagesChanged when something that it held is not as it was.
        """
        before = self.seen.get(directory)
        if before is None:
            return ()
        after = states(directory)
        wrong = sorted(path for path, state in before.items() if after.get(path) != state)
        if wrong:
            raise PackagesChanged(str(directory / wrong[0]), len(wrong))
        new = after.keys() - before.keys()
        files = [path for path in new if not stat.S_ISDIR(after[path].mode)]
        for path in new:
            disk.remove(directory / path)
        return tuple(str(directory / path) for path in files)


def states(directory: Path, skipped: Collection[str] = ()) -> dict[str, State]:
    """Return the state of everything below *directory* by its path, but of the names *skipped*.

    Links are not followed. Raises OSError.
    """
    return dict(_below(directory, "", skipped))


def _below(root: Path, directory: str, skipped: Collection[str]) -> Iterator[tuple[str, State]]:
    with os.scandir(root / directory) as found:
        inside = [one for one in found if one.name not in skipped]
    for one in inside:
        path = f"{directory}/{one.name}" if directory else one.name
        status = one.stat(follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            # Its other properties change with what lies in it.
            yield path, State(status.st_mode, 0, status.st_ino, 0)
            yield from _below(root, path, skipped)
        else:
            yield path, State(status.st_mode, status.st_size, status.st_ino, status.st_ctime_ns)
