"""Writes files completely or not at all, and removes trees with any modes."""

import errno
import os
import stat
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

# The build user and the run user differ and share at most a group, so every file is readable by
# all:
# https://github.com/buildpacks/spec/blob/main/platform.md#run-image
FILE_MODE = 0o644
PROGRAM_MODE = 0o755
DIRECTORY_MODE = 0o755


class State(NamedTuple):
    """The state of a file; equal states mean an unchanged file, since each change sets ctime."""

    mode: int
    size: int
    inode: int
    ctime_ns: int


def state_of(status: os.stat_result) -> State:
    """Return the state of the file with *status*."""
    if stat.S_ISDIR(status.st_mode):
        # The other properties of a directory change with its contents.
        return State(status.st_mode, 0, status.st_ino, 0)
    return State(status.st_mode, status.st_size, status.st_ino, status.st_ctime_ns)


def write(path: Path, content: bytes, mode: int = FILE_MODE) -> None:
    """Write *content* to *path*, complete or not at all, with *mode* under any umask.

    Raises OSError; *path* is then unchanged.
    """
    draft = draft_of(path)
    remove(draft)
    try:
        with draft.open("xb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def is_full(error: OSError) -> bool:
    """Whether *error* says that a file system or a quota is full."""
    return error.errno in {errno.ENOSPC, errno.EDQUOT}


def is_in_the_way(error: OSError) -> bool:
    """Whether *error* says that a path cannot exist beside another, or cannot exist at all."""
    return error.errno in {
        *(errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG),
        errno.EILSEQ,
    }


def draft_of(path: Path) -> Path:
    """Return the path at which *path* is written before it is renamed.

    It is the same in each build, so that leftovers of a killed build are replaced. It never ends
    in `.toml`: for the lifecycle, every such file in the layers directory is a layer.
    """
    return path.with_name(f".{path.name}.partial")


def make_directory(path: Path) -> None:
    """Make *path* a directory that all may read and the build user may write to.

    Its parents are not made: their modes are not the buildpack's to choose. Raises FileExistsError
    if *path* is something else.
    """
    path.mkdir(exist_ok=True)
    if stat.S_IMODE(path.stat().st_mode) != DIRECTORY_MODE:
        path.chmod(DIRECTORY_MODE)


def walk(root: Path, skipped: Collection[str] = ()) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the path and status of everything below *root*, except the names in *skipped*.

    Paths are relative to *root*, with slashes. Links are not followed. A directory comes before
    its contents and is read after it was yielded, so the caller can still change its mode. Raises
    OSError.
    """
    waiting = [("", str(root))]
    while waiting:
        prefix, directory = waiting.pop()
        with os.scandir(directory) as entries:
            for entry in entries:
                if entry.name in skipped:
                    continue
                status = entry.stat(follow_symlinks=False)
                yield f"{prefix}{entry.name}", status
                if stat.S_ISDIR(status.st_mode):
                    waiting.append((f"{prefix}{entry.name}/", entry.path))


def walk_and_remove(root: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield what `walk` yields, and remove everything with *root* itself meanwhile.

    Each directory is listed once. Raises OSError.
    """
    waiting, listed = [("", str(root))], list[str]()
    while waiting:
        prefix, directory = waiting.pop()
        listed.append(directory)
        with os.scandir(directory) as entries:
            items = list(entries)
        for item in items:
            status = item.stat(follow_symlinks=False)
            yield f"{prefix}{item.name}", status
            if stat.S_ISDIR(status.st_mode):
                waiting.append((f"{prefix}{item.name}/", item.path))
            else:
                _try(os.unlink, item.path)
    for directory in reversed(listed):
        _try(os.rmdir, directory)
    # What could not be removed, such as the contents of a directory without write permission.
    remove(root)


def _try(remove_one: Callable[[str], None], path: str) -> None:
    with suppress(OSError):
        remove_one(path)


def remove(path: Path) -> None:
    """Remove the file, link or tree at *path*, if there is one; links are never followed.

    Directories without write permission (Go's module cache, some wheels) are removed too.
    """
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    try:
        _remove_tree(str(path))
    except OSError, RecursionError:
        # Rare, and slower: every directory is listed twice more. Detection, which must start fast,
        # removes no tree.
        import shutil  # noqa: PLC0415 - loads compression modules

        _open_up(path)
        shutil.rmtree(path)


def _remove_tree(directory: str) -> None:
    with os.scandir(directory) as entries:
        items = list(entries)  # removing while listing would skip some on some file systems
    for item in items:
        if item.is_dir(follow_symlinks=False):
            _remove_tree(item.path)
        else:
            os.unlink(item.path)  # noqa: PTH108 - thousands of calls, and no Path exists yet
    os.rmdir(directory)  # noqa: PTH106 - as above


def _open_up(top: Path) -> None:
    _allow_all(top)
    # walk() yields a directory before it lists those below: in time to change their modes. A link
    # is one of its files, also a link to a directory.
    for directory, names, _ in top.walk():
        for name in names:
            _allow_all(directory / name)


def _allow_all(directory: Path) -> None:
    mode = stat.S_IMODE(directory.stat().st_mode)
    if mode & stat.S_IRWXU != stat.S_IRWXU:
        directory.chmod(mode | stat.S_IRWXU)
