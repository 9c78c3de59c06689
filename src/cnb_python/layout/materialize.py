"""Writes shards and the environment of links to disk, and checks what lies there afterwards.

Separate from `layers/venv_and_shards`, which decides which layers are made.
"""

import os
import shutil
import stat
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cnb_python.cnb import disk
from cnb_python.cnb.disk import State
from cnb_python.distributions.model import File, directories_of
from cnb_python.errors.base import ContractBroken
from cnb_python.layout.conflicts import OwnedFile, is_reserved
from cnb_python.layout.links import Link, VenvEntry
from cnb_python.layout.names import TREE
from cnb_python.layout.shards import Shard

NEW_DIRECTORY = State(stat.S_IFDIR | disk.DIRECTORY_MODE, 0, 0, 0)
NOTHING_PLACED: Mapping[str, State] = {}

type RootOf = Callable[[str], Path]
"""Returns the directory that holds a distribution's files at their paths, by its name."""


def materialize_shard(
    shard: Shard,
    into: Path,
    root_of: RootOf,
    placed: Mapping[str, State] = NOTHING_PLACED,
    absent: Collection[str] = (),
) -> dict[str, State] | None:
    """Move the files of *shard* into the directory *into*/`tree`, which holds nothing else then.

    *placed* are the states of files that are there already, *absent* the paths of those that the
    layer does not need to have yet. The roots of the others must be on
    the file system of *into*. Returns the state of each path in *into*, as in a `Snapshot`. None:
    they are not known, since a file has other hard links, whose removal will change its state.
    Raises OSError, and ContractBroken if the result is not what *shard* lists.
    """
    disk.make_directory(into)
    if shard.files.keys() - placed.keys() - set(absent):
        states = _materialize(shard.name, shard.files, into / TREE, root_of, placed)
        return None if states is None else layer_states(states)
    # They were written from verified archives just now.
    return layer_states(placed)


def materialize_merged(
    shard: Shard, venv: Path, root_of: RootOf, placed: Mapping[str, State] = NOTHING_PLACED
) -> None:
    """Move the files of *shard*, the only one of the merged layout, into the environment *venv*.

    *venv* is new and holds only what every virtual environment has, and the files that are
    *placed*. Raises as `materialize_shard`.
    """
    _materialize(shard.name, shard.files, venv, root_of, placed)


def materialize_links(entries: Sequence[VenvEntry], venv: Path, root_of: RootOf) -> None:
    """Write *entries*, links and copies, into the environment *venv*, which has none of them yet.

    The roots need to hold only the files that are copied. The shards need not exist. Raises
    OSError.
    """
    existing = {""}
    for entry in entries:
        _make_directory(entry.path.rpartition("/")[0], venv, existing)
        if isinstance(entry, Link):
            (venv / entry.path).symlink_to(entry.target)
        else:
            _copy(entry.file, root_of(entry.owner), venv)


def _make_directory(path: str, venv: Path, existing: set[str]) -> None:
    if path not in existing:
        _make_directory(path.rpartition("/")[0], venv, existing)
        disk.make_directory(venv / path)
        existing.add(path)


def _copy(file: File, root: Path, venv: Path) -> None:
    with (root / file.path).open("rb") as source, (venv / file.path).open("xb") as copy:
        os.fchmod(copy.fileno(), _mode(file))
        shutil.copyfileobj(source, copy)


def _materialize(
    document: str,
    owned: Mapping[str, OwnedFile],
    tree: Path,
    root_of: RootOf,
    placed: Mapping[str, State],
) -> dict[str, State] | None:
    files: dict[str, list[File]] = {}
    for path, (file, owner) in owned.items():
        if path not in placed:
            files.setdefault(owner, []).append(file)
    for name, owned_files in files.items():
        try:
            move_files(owned_files, root_of(name), tree)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            problem = f"{error.filename} of {name} is not as it was"
            raise ContractBroken(document, problem) from error
    for path, (file, _) in owned.items():
        if file.target and path not in placed:
            _retarget(tree / file.path, file.target)
    return _check(document, owned, tree)


def layer_states(states: Mapping[str, State]) -> dict[str, State]:
    """Return the states, as in a `Snapshot`, of a new layer with files of these *states*.

    Paths are below the layer's `tree`, those of the result below the layer.
    """
    files = {f"{TREE}/{path}": state for path, state in states.items()}
    return files | dict.fromkeys(directories_of(files), NEW_DIRECTORY)


def _retarget(link: Path, target: str) -> None:
    """Point *link* to *target*, which may differ from the target that was installed."""
    # A Path would normalize the target.
    if link.is_symlink() and os.readlink(link) != target:  # noqa: PTH115 - as above
        link.unlink()
        link.symlink_to(target)


def _mode(file: File) -> int:
    return disk.PROGRAM_MODE if file.is_program else disk.FILE_MODE


def _check(document: str, files: Mapping[str, OwnedFile], tree: Path) -> dict[str, State] | None:
    """Compare everything in *tree* with *files*, and give its directories the mode 755.

    Returns the states, None if a file has other hard links.
    """
    disk.make_directory(tree)
    statuses = {}
    for path, status in disk.walk(tree):
        statuses[path] = status
        if path in files or not stat.S_ISDIR(status.st_mode):
            _check_file(document, path, files.get(path), status, tree)
        elif stat.S_IMODE(status.st_mode) != disk.DIRECTORY_MODE:
            (tree / path).chmod(disk.DIRECTORY_MODE)
    if missing := files.keys() - statuses.keys():
        raise ContractBroken(document, f"{min(missing)} is missing, of {len(missing)} files")
    return _states(statuses)


def _states(statuses: Mapping[str, os.stat_result]) -> dict[str, State] | None:
    states = {}
    for path, status in statuses.items():
        if stat.S_ISDIR(status.st_mode):
            states[path] = NEW_DIRECTORY
        elif status.st_nlink == 1:
            states[path] = disk.state_of(status)
        else:
            return None
    return states


def _check_file(
    document: str, path: str, owned: OwnedFile | None, status: os.stat_result, tree: Path
) -> None:
    is_expected = is_reserved(path) if owned is None else _is_equal(owned.file, status, tree)
    if not is_expected:
        raise ContractBroken(document, f"{path} is not what was installed")


def _is_equal(file: File, status: os.stat_result, tree: Path) -> bool:
    if file.target:
        is_link = stat.S_ISLNK(status.st_mode)
        return is_link and os.readlink(tree / file.path) == file.target  # noqa: PTH115 - as above
    return status.st_mode == stat.S_IFREG | _mode(file) and status.st_size == file.size


@dataclass(slots=True)
class _DirectoryMove:
    """What to move of a directory."""

    files: set[str] = field(default_factory=set)
    directories: dict[str, _DirectoryMove] = field(default_factory=dict)


def move_files(files: Iterable[File], root: Path, into: Path) -> None:
    """Move *files* from their paths below *root* to the same paths below *into*.

    A directory that holds nothing else is moved as a whole. Raises OSError: FileNotFoundError if
    a file is missing.
    """
    _move(_tree(files), str(root), str(into))


def _tree(files: Iterable[File]) -> _DirectoryMove:
    seen = {"": _DirectoryMove()}
    for file in files:
        directory, _, name = file.path.rpartition("/")
        _directory(seen, directory).files.add(name)
    return seen[""]


def _directory(seen: dict[str, _DirectoryMove], path: str) -> _DirectoryMove:
    if path not in seen:
        parent, _, name = path.rpartition("/")
        seen[path] = _directory(seen, parent).directories.setdefault(name, _DirectoryMove())
    return seen[path]


def _move(directory: _DirectoryMove, source: str, target: str) -> None:
    whole = _whole(directory, source)
    if not Path(target).exists():
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        if source in whole:
            os.rename(source, target)  # noqa: PTH104 - thousands of calls, and no Path exists yet
            return
        Path(target).mkdir()
    _move_parts(directory, source, target, whole)


def _move_parts(directory: _DirectoryMove, source: str, target: str, whole: set[str]) -> None:
    for name in directory.files:
        os.rename(f"{source}/{name}", f"{target}/{name}")  # noqa: PTH104 - as above
    for name, below in directory.directories.items():
        old, new = f"{source}/{name}", f"{target}/{name}"
        try:
            os.mkdir(new)  # noqa: PTH102 - as above
        except FileExistsError:
            _move_parts(below, old, new, whole)
            continue
        if old in whole:
            os.rename(old, new)  # noqa: PTH104 - as above; replaces the empty directory
        else:
            _move_parts(below, old, new, whole)


def _whole(directory: _DirectoryMove, source: str) -> set[str]:
    """Return those of *source* and the directories below it that hold nothing but what moves."""
    whole: set[str] = set()
    _find_whole(directory, source, whole)
    return whole


def _find_whole(directory: _DirectoryMove, source: str, whole: set[str]) -> bool:
    # A list: every directory has to be searched, also those after one that is not whole.
    below = [
        _find_whole(each, f"{source}/{name}", whole)
        for name, each in directory.directories.items()
    ]
    if not all(below):
        return False
    with os.scandir(source) as entries:
        actual = {entry.name: entry.is_dir(follow_symlinks=False) for entry in entries}
    expected = dict.fromkeys(directory.files, False) | dict.fromkeys(directory.directories, True)
    if actual == expected:
        whole.add(source)
    return source in whole
