"""Lays out shares and the environment of links, and looks whether what lies there is right."""

import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cnb_python.cnb import disk
from cnb_python.distributions.model import File
from cnb_python.errors.base import ContractBroken
from cnb_python.layout.conflicts import Owned, is_reserved
from cnb_python.layout.links import Link, Place
from cnb_python.layout.names import TREE
from cnb_python.layout.shards import Shard


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
class _DirectoryMove:
    """What is wanted of a directory."""

    files: set[str] = field(default_factory=set)
    directories: dict[str, _DirectoryMove] = field(default_factory=dict)


def _tree(files: Iterable[File]) -> _DirectoryMove:
    seen = {"": _DirectoryMove()}
    for file in files:
        directory, _, name = file.path.rpartition("/")
        _directory(seen, directory).files.add(name)
    return seen[""]


def _directory(seen: dict[str, _DirectoryMove], path: str) -> _DirectoryMove:
    if path not in seen:
        above, _, name = path.rpartition("/")
        seen[path] = _directory(seen, above).directories.setdefault(name, _DirectoryMove())
    return seen[path]


def _move(wanted: _DirectoryMove, source: str, target: str) -> None:
    whole = _whole(wanted, source)
    if not Path(target).exists():
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        if source in whole:
            os.rename(source, target)  # noqa: PTH104 - by the thousand, and there is no Path yet
            return
        Path(target).mkdir()
    _move_parts(wanted, source, target, whole)


def _move_parts(wanted: _DirectoryMove, source: str, target: str, whole: set[str]) -> None:
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


def _whole(wanted: _DirectoryMove, source: str) -> set[str]:
    """Return *source* and the directories below it that hold nothing but what is wanted."""
    found: set[str] = set()
    _find_whole(wanted, source, found)
    return found


def _find_whole(wanted: _DirectoryMove, source: str, found: set[str]) -> bool:
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


__all__ = ["FileSource", "MovedFromStage", "lay_out_links", "lay_out_merged", "lay_out_share"]


class FileSource(Protocol):
    """Where a distribution's files come from."""

    def bring(self, files: Sequence[File], into: Path) -> None:
        """Put exactly *files* below *into*, which may hold others, at their paths."""


def lay_out_share(share: Shard, into: Path, source_of: Callable[[str], FileSource]) -> None:
    """Fill the directory *into*/`tree` with the files of *share*, and with nothing else.

    *source_of* gives the source of a distribution by its name. Raises what the sources raise, and
    ContractBroken when something else than *share* says lies there afterwards.
    """
    disk.make_directory(into)
    _lay_out(share.name, share.files, into / TREE, source_of)


def lay_out_merged(share: Shard, venv: Path, source_of: Callable[[str], FileSource]) -> None:
    """Put the files of *share*, which are all there are, into the environment *venv* itself.

    *venv* is a new one with nothing but what it needs to be one. Raises as `lay_out_share`.
    """
    _lay_out(share.name, share.files, venv, source_of)


def lay_out_links(places: Sequence[Place], venv: Path, root_of: Callable[[str], Path]) -> None:
    """Make *places* in the environment *venv*, which has none of them yet.

    *root_of* gives by a distribution's name a directory that still holds its files, or at least
    those that are copied, at their paths. Shares need not be there. Raises OSError.
    """
    made = {""}
    for place in places:
        _make_directory(place.path.rpartition("/")[0], venv, made)
        if isinstance(place, Link):
            (venv / place.path).symlink_to(place.target)
        else:
            _copy(place.file, root_of(place.owner), venv)


def _make_directory(path: str, venv: Path, made: set[str]) -> None:
    if path not in made:
        _make_directory(path.rpartition("/")[0], venv, made)
        disk.make_directory(venv / path)
        made.add(path)


def _copy(file: File, root: Path, venv: Path) -> None:
    with (root / file.path).open("rb") as source, (venv / file.path).open("xb") as copy:
        os.fchmod(copy.fileno(), _mode(file))
        shutil.copyfileobj(source, copy)


def _lay_out(
    document: str, owned: Mapping[str, Owned], tree: Path, source_of: Callable[[str], FileSource]
) -> None:
    files: dict[str, list[File]] = {}
    for file, owner in owned.values():
        files.setdefault(owner, []).append(file)
    for name, some in files.items():
        try:
            source_of(name).bring(some, tree)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            problem = f"{error.filename} of {name} is not as it was"
            raise ContractBroken(document, problem) from error
    for file, _ in owned.values():
        if file.target:
            _lead_on(tree / file.path, file.target)
    _check(document, owned, tree)


def _lead_on(link: Path, target: str) -> None:
    """Have *link* lead where it must from here, which may not be where it led before."""
    # A Path would tidy up what the link says.
    if link.is_symlink() and os.readlink(link) != target:  # noqa: PTH115 - as above
        link.unlink()
        link.symlink_to(target)


def _mode(file: File) -> int:
    return disk.PROGRAM_MODE if file.is_program else disk.FILE_MODE


def _check(document: str, files: Mapping[str, Owned], tree: Path) -> None:
    """Look at everything in *tree*; make its directories what everyone may enter."""
    disk.make_directory(tree)
    missing = files.keys() - set(_seen(document, files, tree))
    if missing:
        raise ContractBroken(document, f"{min(missing)} is missing, of {len(missing)} files")


def _seen(document: str, files: Mapping[str, Owned], tree: Path) -> Iterator[str]:
    for path, found in _walk(tree):
        owned = files.get(path)
        if owned is None and is_reserved(path):
            continue
        if owned is None or not _is(owned.file, found, tree):
            raise ContractBroken(document, f"{path} is not what was installed")
        yield path


def _is(file: File, found: os.stat_result, tree: Path) -> bool:
    if file.target:
        is_link = stat.S_ISLNK(found.st_mode)
        return is_link and os.readlink(tree / file.path) == file.target  # noqa: PTH115 - as above
    return found.st_mode == stat.S_IFREG | _mode(file) and found.st_size == file.size


def _walk(top: Path) -> Iterator[tuple[str, os.stat_result]]:
    waiting = [("", str(top))]
    while waiting:
        at, directory = waiting.pop()
        with os.scandir(directory) as entries:
            for entry in entries:
                state = entry.stat(follow_symlinks=False)
                if not stat.S_ISDIR(state.st_mode):
                    yield f"{at}{entry.name}", state
                    continue
                if stat.S_IMODE(state.st_mode) != disk.DIRECTORY_MODE:
                    Path(entry).chmod(disk.DIRECTORY_MODE)
                waiting.append((f"{at}{entry.name}/", entry.path))
