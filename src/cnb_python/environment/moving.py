"""Moves files from where they were installed to where they stay: renamed, never copied."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cnb_python.environment.distribution import File


@dataclass(frozen=True, slots=True)
class MovedFromStage:
    """A source of files that are needed in one place only."""

    root: Path
    """Holds the files at their paths; on the file system that they are moved to."""

    def bring(self, files: Sequence[File], into: Path) -> None:
        """Move *files* below *into*; whole directories at once where nothing else is in them.

        Raises OSError: FileNotFoundError for one that is not there.
        """
        _move(_tree(files), str(self.root), str(into))


@dataclass(slots=True)
class _Directory:
    """What is wanted of a directory."""

    files: set[str] = field(default_factory=set)
    directories: dict[str, _Directory] = field(default_factory=dict)


def _tree(files: Iterable[File]) -> _Directory:
    seen = {"": _Directory()}
    for file in files:
        directory, _, name = file.path.rpartition("/")
        _directory(seen, directory).files.add(name)
    return seen[""]


def _directory(seen: dict[str, _Directory], path: str) -> _Directory:
    if path not in seen:
        above, _, name = path.rpartition("/")
        seen[path] = _directory(seen, above).directories.setdefault(name, _Directory())
    return seen[path]


def _move(wanted: _Directory, source: str, target: str) -> None:
    whole = _whole(wanted, source)
    if not Path(target).exists():
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        if source in whole:
            os.rename(source, target)  # noqa: PTH104 - by the thousand, and there is no Path yet
            return
        Path(target).mkdir()
    _move_parts(wanted, source, target, whole)


def _move_parts(wanted: _Directory, source: str, target: str, whole: set[str]) -> None:
    for name in wanted.files:
        os.rename(f"{source}/{name}", f"{target}/{name}")  # noqa: PTH104 - as above
    for name, below in wanted.directories.items():
        old, new = f"{source}/{name}", f"{target}/{name}"
        try:
            os.mkdir(new)  # noqa: PTH102 - as above
        except FileExistsError:
            _move_parts(below, old, new, whole)
            continue
        if old in whole:
            os.rename(old, new)  # noqa: PTH104 - as above; over the empty directory
        else:
            _move_parts(below, old, new, whole)


def _whole(wanted: _Directory, source: str) -> set[str]:
    """Return *source* and the directories below it that hold nothing but what is wanted."""
    found: set[str] = set()
    _find_whole(wanted, source, found)
    return found


def _find_whole(wanted: _Directory, source: str, found: set[str]) -> bool:
    # Each has to be looked into, also behind one that is not whole.
    below = [
        _find_whole(each, f"{source}/{name}", found) for name, each in wanted.directories.items()
    ]
    if not all(below):
        return False
    with os.scandir(source) as entries:
        there = {entry.name: entry.is_dir(follow_symlinks=False) for entry in entries}
    expected = dict.fromkeys(wanted.files, False) | dict.fromkeys(wanted.directories, True)
    if there == expected:
        found.add(source)
    return source in found
