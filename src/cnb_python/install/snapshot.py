"""Snapshots of directories: find, and undo, changes by code of packages and of the app.

Such files are no part of the environment: a build that reuses the environment from its image would
not have them.
"""

import hashlib
import os
import re
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from cnb_python.cnb import disk
from cnb_python.cnb.disk import State
from cnb_python.errors.frameworks import PackagesChanged
from cnb_python.errors.packages.foreign_code import AppChangedByPackage
from cnb_python.python.origin import visible
from cnb_python.system import regular_file

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
                present[top.name] = disk.state_of(status)
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
    """By directory, and by path below it; those of directories have no inode."""

    def add(self, directory: Path, recorded: Mapping[str, State] | None = None) -> None:
        """Record the states of all in *directory*: *recorded* or as they are. Raises OSError."""
        present = disk.walk(directory) if recorded is None else ()
        self.states[directory] = recorded or dict(_layer_states(present))

    def extend(self, directory: Path, added: Mapping[str, State]) -> None:
        """Record the states of what the buildpack *added* to a recorded *directory*."""
        if directory in self.states:
            self.states[directory] = {**self.states[directory], **added}

    def remove_new(self, directory: Path) -> tuple[str, ...]:
        """Remove new files from *directory*; return their paths, none if it is not recorded.

        Raises PackagesChanged if an existing file was changed or removed.
        """
        if directory not in self.states:
            return ()
        after = dict(_layer_states(disk.walk(directory)))
        new = self._new(directory, after)
        for path in new:
            disk.remove(directory / path)
        return _files(directory, new, after)

    def remove_all(self, directory: Path) -> tuple[str, ...]:
        """Remove the recorded *directory*; return the paths of the files that are new in it.

        Raises PackagesChanged, after removing it, if an existing file was changed or removed.
        """
        after = dict(_layer_states(disk.walk_and_remove(directory)))
        return _files(directory, self._new(directory, after), after)

    def _new(self, directory: Path, after: Mapping[str, State]) -> set[str]:
        before = self.states[directory]
        changed = sorted(path for path, state in before.items() if after.get(path) != state)
        if changed:
            raise PackagesChanged(str(directory / changed[0]), len(changed))
        return after.keys() - before.keys()


def _layer_states(
    statuses: Iterable[tuple[str, os.stat_result]],
) -> Iterator[tuple[str, State]]:
    for path, status in statuses:
        state = disk.state_of(status)
        # The states of what is in a directory show whether it was replaced.
        yield path, state._replace(inode=0) if stat.S_ISDIR(status.st_mode) else state


def _files(directory: Path, paths: Iterable[str], states: Mapping[str, State]) -> tuple[str, ...]:
    files = (path for path in paths if not stat.S_ISDIR(states[path].mode))
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


def contents(directory: Path) -> dict[str, str]:
    """Return the mode and a digest of everything below *directory*, by path. Raises OSError.

    It cannot be deceived, as `states` can by somebody who sets times and numbers of files.
    """
    return {
        path: f"{status.st_mode:o} {_digest(directory / path, status.st_mode)}"
        for path, status in disk.walk(directory)
    }


def _digest(path: Path, mode: int) -> str:
    if stat.S_ISLNK(mode):
        return hashlib.sha256(os.fsencode(os.readlink(path))).hexdigest()  # noqa: PTH115 - exact
    if not stat.S_ISREG(mode):
        return ""
    with regular_file.opened(path, follow=False) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def states(directory: Path, skipped: Collection[str] = ()) -> dict[str, State]:
    """Return the state of everything below *directory* by path, except the names in *skipped*.

    Links are not followed. Raises OSError.
    """
    return {path: disk.state_of(status) for path, status in disk.walk(directory, skipped)}
