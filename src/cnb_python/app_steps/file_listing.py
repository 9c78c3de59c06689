"""Lists the files of a directory with their digests, to find changed and added files."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from cnb_python.cnb import disk

type Listing = Mapping[str, str]
"""Kind and digest of each file, or kind and target of each link, by path below the directory.

The kinds are `f` for a file, `x` for a program, `l` for a link, `d` for a directory, and `?` for
a pipe, socket or device.
"""

DIRECTORY = "d"
SPECIAL = "?"
_LARGE_BYTES = 1024 * 1024
_GIT = ".git"
# These name the commit, which programs may read. The rest of `.git` differs between clones.
_GIT_FILES = ("HEAD", "packed-refs", "refs")


def listing(directory: Path) -> Listing:
    """Return everything below *directory*, without following links. Raises OSError."""
    return dict(_below(directory))


def digest(files: Listing) -> str:
    """Return a SHA-256 in hex over *files*."""
    hasher = hashlib.sha256()
    for path in sorted(files):
        hasher.update(f"{path}\0{files[path]}\n".encode(errors="surrogateescape"))
    return hasher.hexdigest()


def added(before: Listing, after: Listing) -> tuple[str, ...] | None:
    """Return the paths that *after* adds or changes; None if it lacks a path of *before*."""
    if before.keys() - after.keys():
        return None
    return tuple(sorted(path for path in after if before.get(path) != after[path]))


def normalize(directory: Path, paths: tuple[str, ...]) -> None:
    """Give what is at *paths* below *directory*, and its directories, the modes of an image.

    Files that are unpacked from the store have the same modes.
    """
    for path in paths:
        file = directory / path
        if file.is_dir() and not file.is_symlink():
            file.chmod(disk.DIRECTORY_MODE)
        elif not file.is_symlink():
            is_program = file.stat().st_mode & 0o111
            file.chmod(disk.PROGRAM_MODE if is_program else disk.FILE_MODE)
    for parent in {parent for path in paths for parent in Path(path).parents} - {Path()}:
        (directory / parent).chmod(disk.DIRECTORY_MODE)


def _below(root: Path) -> Iterator[tuple[str, str]]:
    waiting = [""]
    while waiting:
        directory = waiting.pop()
        with os.scandir(root / directory) as entries:
            items = list(entries)
        for entry in items:
            path = f"{directory}/{entry.name}" if directory else entry.name
            if directory == _GIT and entry.name not in _GIT_FILES:
                continue
            if entry.is_symlink():
                yield path, f"l{os.readlink(entry.path)}"  # noqa: PTH115 - the target, unchanged
            elif entry.is_dir():
                yield path, DIRECTORY
                waiting.append(path)
            elif entry.is_file():
                status = entry.stat()
                kind = "x" if status.st_mode & 0o111 else "f"
                yield path, f"{kind}{_digest(entry.path, status.st_size)}"
            else:
                yield path, SPECIAL


def _digest(path: str, size: int) -> str:
    with Path(path).open("rb") as file:
        if size > _LARGE_BYTES:
            return hashlib.file_digest(file, "sha256").hexdigest()
        return hashlib.sha256(file.read()).hexdigest()
