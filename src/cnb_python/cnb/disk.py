"""Files and trees on disk: written whole or not at all, removed whatever their modes."""

import os
import stat
from pathlib import Path

# The build user and the run user differ and share at most a group, so that everyone may read:
# https://github.com/buildpacks/spec/blob/main/platform.md#run-image
FILE_MODE = 0o644
PROGRAM_MODE = 0o755
DIRECTORY_MODE = 0o755


def write(path: Path, content: bytes, mode: int = FILE_MODE) -> None:
    """Put *content* at *path*, complete or not at all, with *mode* whatever the umask is.

    Raises OSError when the disk is full or the directory refuses; *path* is then as it was.
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
    """Return where *path* is made before it takes its name.

    One fixed name, so that whatever a killed build leaves is found and replaced. It never ends in
    `.toml`: the lifecycle takes every such file in the layers directory for a layer.
    """
    return path.with_name(f".{path.name}.partial")


def make_directory(path: Path) -> None:
    """Make sure that *path* is a directory that everyone may enter and we may fill.

    Parents are not made: they belong to somebody else, who gives them their modes. Raises
    FileExistsError when something else is there.
    """
    path.mkdir(exist_ok=True)
    if stat.S_IMODE(path.stat().st_mode) != DIRECTORY_MODE:
        path.chmod(DIRECTORY_MODE)


def remove(path: Path) -> None:
    """Remove the file, link or tree at *path*, if there is one; links are never followed.

    Directories without write permission (Go's module cache, some wheels) are no obstacle.
    """
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    # Detection writes a file and removes no tree, and must start fast.
    import shutil  # noqa: PLC0415 - loads compression modules

    _open_up(path)
    shutil.rmtree(path)


def _open_up(top: Path) -> None:
    _allow_all(top)
    # walk() lists a directory after its parent was handed out: in time to open it up. It counts
    # a link among the files, also one to a directory.
    for directory, names, _ in top.walk():
        for name in names:
            _allow_all(directory / name)


def _allow_all(directory: Path) -> None:
    mode = stat.S_IMODE(directory.stat().st_mode)
    if mode & stat.S_IRWXU != stat.S_IRWXU:
        directory.chmod(mode | stat.S_IRWXU)
