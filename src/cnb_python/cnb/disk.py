"""Writes files completely or not at all, and removes trees with any modes."""

import os
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

# The build user and the run user differ and share at most a group, so every file is readable by
# all:
# https://github.com/buildpacks/spec/blob/main/platform.md#run-image
FILE_MODE = 0o644
PROGRAM_MODE = 0o755
DIRECTORY_MODE = 0o755


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


def remove(path: Path) -> None:
    """Remove the file, link or tree at *path*, if there is one; links are never followed.

    Directories without write permission (Go's module cache, some wheels) are removed too.
    """
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    # Detection, which must start fast, writes a file and removes no tree.
    import shutil  # noqa: PLC0415 - loads compression modules

    _open_up(path)
    shutil.rmtree(path)


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
