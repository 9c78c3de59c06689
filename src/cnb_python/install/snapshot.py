"""Snapshots of directories: find, and undo, changes by code of packages and of the app.

Such files are no part of the environment: a build that reuses the environment from its image would
not have them.
"""

import os
import re
import stat
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from cnb_python.cnb import disk
from cnb_python.errors.building import AppChangedByPackage
from cnb_python.errors.frameworks import PackagesChanged
from cnb_python.python.origin import visible

# Needed only while a package is built: the environment has its metadata.
_BUILD_ARTIFACT = re.compile(r".*\.egg-info|\.eggs|\.pdm-build|__pycache__")
# An ordinary name too, so only a directory with the contents that setuptools writes counts.
_BUILD = "build"
_OF_SETUPTOOLS = re.compile(r"lib(\..+)?|bdist\..+|temp\..+")
_GIT = ".git"
# https://packaging.python.org/en/latest/specifications/recording-installed-packages/
_METADATA = re.compile(r"([^/]+)\.(?:dist|egg)-info/(?:METADATA|PKG-INFO)")
# Files that programs write again if they are missing.
_CACHE = re.compile(r"(?:^|/)__pycache__(?:/|$)|\.(?:pyc|cache)$")


class State(NamedTuple):
    """The state of a file; equal states mean an unchanged file, since each change sets ctime."""

    mode: int
    size: int
    inode: int
    ctime_ns: int


@dataclass(slots=True)
class AppSnapshot:
    """Finds the files that building packages leaves in the directory of the app."""

    directory: Path
    written: set[str] = field(default_factory=set)
    """Paths below it that were written and stay, since the app may need them."""
    _states: Mapping[str, State] = field(default_factory=dict)

    def take(self) -> None:
        """Record the state of the directory, before packages are built. Raises OSError."""
        self._states = self._present()

    def clean(self) -> None:
        """Remove new build artifacts; add other new and changed paths to `written`.

        Raises OSError.
        """
        before, after = map(_without_git, (self._states, self._present()))
        new = after.keys() - before.keys()
        artifacts = {path for path in new if _is_artifact(path, after)}
        for path in artifacts:
            disk.remove(self.directory / path)
        below = {
            path for path in new if any(str(parent) in artifacts for parent in _parents(path))
        }
        remaining = after.keys() - artifacts - below
        self.written |= {path for path in remaining if before.get(path) != after[path]}

    def remove_foreign(self, package: str) -> tuple[str, ...]:
        """Remove what the build of *package*, which is not part of the app, left; return it.

        The paths of files and links, and of empty directories, below the top, in order. Raises
        AppChangedByPackage if a file of the app was changed or removed, and OSError.
        """
        before, after = self._states, self._present()
        changed = sorted(path for path, state in before.items() if after.get(path) != state)
        if changed:
            raise AppChangedByPackage(package, visible(changed[0]), len(changed))
        new = after.keys() - before.keys()
        for path in new:
            disk.remove(self.directory / path)
        parents = {str(parent) for path in new for parent in _parents(path)}
        return tuple(sorted(path for path in new if path not in parents))

    def _present(self) -> dict[str, State]:
        # Git's directory at the top is large, and in no image.
        with os.scandir(self.directory) as entries:
            tops = [(each, each.stat(follow_symlinks=False)) for each in entries]
        present = {}
        for top, status in tops:
            if top.name != _GIT:
                present[top.name] = state_of(status)
                if stat.S_ISDIR(status.st_mode):
                    below = states(Path(top))
                    present |= {f"{top.name}/{path}": state for path, state in below.items()}
        return present


def _without_git(paths: Mapping[str, State]) -> Mapping[str, State]:
    """Return *paths* except those of Git: programs that determine a version write there too."""
    return {path: state for path, state in paths.items() if _GIT not in path.split("/")}


def _is_artifact(path: str, paths: Iterable[str]) -> bool:
    name = PurePosixPath(path).name
    if name != _BUILD:
        return _BUILD_ARTIFACT.fullmatch(name) is not None
    inside = (each.removeprefix(f"{path}/") for each in paths if each.startswith(f"{path}/"))
    return all(_OF_SETUPTOOLS.fullmatch(each.partition("/")[0]) for each in inside)


def _parents(path: str) -> tuple[PurePosixPath, ...]:
    return tuple(PurePosixPath(path).parents)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The states of directories before other code runs."""

    states: dict[Path, Mapping[str, State]] = field(default_factory=dict)
    """By directory, and by path below it."""

    def add(self, directory: Path) -> None:
        """Record the state of everything in *directory*. Raises OSError."""
        self.states[directory] = states(directory)

    def remove_new(self, directory: Path) -> tuple[str, ...]:
        """Remove new files from *directory*; return their paths, none if it is not recorded.

        Raises PackagesChanged if an existing file was changed or removed.
        """
        before = self.states.get(directory)
        if before is None:
            return ()
        after = states(directory)
        changed = sorted(path for path, state in before.items() if after.get(path) != state)
        if changed:
            raise PackagesChanged(str(directory / changed[0]), len(changed))
        new = after.keys() - before.keys()
        files = [path for path in new if not stat.S_ISDIR(after[path].mode)]
        for path in new:
            disk.remove(directory / path)
        return tuple(str(directory / path) for path in files)


class AddedFiles(NamedTuple):
    """Files that code added to the layers of the environment."""

    packages: tuple[str, ...]
    """Names from their metadata: `six-1.17.0`."""
    files: tuple[str, ...]
    """Paths of other files, without caches; empty if there are packages."""


def added(paths: Iterable[str]) -> AddedFiles:
    """Return the packages and files that the added *paths* are."""
    ordered = sorted(paths)
    packages = [match[1] for path in ordered if (match := _METADATA.search(path))]
    files = (path for path in ordered if not _CACHE.search(path))
    return AddedFiles(tuple(packages), () if packages else tuple(files))


def states(directory: Path, skipped: Collection[str] = ()) -> dict[str, State]:
    """Return the state of everything below *directory* by path, except the names in *skipped*.

    Links are not followed. Raises OSError.
    """
    return {path: state_of(status) for path, status in disk.walk(directory, skipped)}


def state_of(status: os.stat_result) -> State:
    """Return the state of the file with *status*."""
    if stat.S_ISDIR(status.st_mode):
        # The other properties of a directory change with its contents.
        return State(status.st_mode, 0, status.st_ino, 0)
    return State(status.st_mode, status.st_size, status.st_ino, status.st_ctime_ns)
