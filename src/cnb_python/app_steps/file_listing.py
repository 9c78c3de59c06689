"""What an app directory holds: to tell whether it is the same, and what has been added to it."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from cnb_python.cnb import disk

type Listing = Mapping[str, str]
"""Kind and digest of each file and link, by path below the directory."""

_LARGE_BYTES = 1024 * 1024
_GIT = ".git"
# Which commit it is, which programs ask for. The rest differs between clones of the same commit.
_OF_GIT = ("HEAD", "packed-refs", "refs")


def listing(directory: Path) -> Listing:
    """Return what lies below *directory*; links are not followed. Raises OSError."""
    return dict(_below(directory, ""))


def digest(found: Listing) -> str:
    """Return a SHA-256 in hex over *found*."""
    whole = hashlib.sha256()
    for path in sorted(found):
        whole.update(f"{path}\0{found[path]}\n".encode(errors="surrogateescape"))
    return whole.hexdigest()


def added(before: Listing, after: Listing) -> tuple[str, ...] | None:
    """Return the paths that are new or other in *after*; None where one of *before* is gone."""
    if before.keys() - after.keys():
        return None
    return tuple(sorted(path for path in after if before.get(path) != after[path]))


def normalize(directory: Path, paths: tuple[str, ...]) -> None:
    """Give *paths* below *directory*, and all directories on the way, the modes of an image.

    They are those that they have when they come from the store.
    """
    for path in paths:
        place = directory / path
        if not place.is_symlink():
            is_program = place.stat().st_mode & 0o111
            place.chmod(disk.PROGRAM_MODE if is_program else disk.FILE_MODE)
    for parent in {parent for path in paths for parent in Path(path).parents} - {Path()}:
        (directory / parent).chmod(disk.DIRECTORY_MODE)


def _below(root: Path, directory: str) -> Iterator[tuple[str, str]]:
    with os.scandir(root / directory) as found:
        inside = list(found)
    for one in inside:
        path = f"{directory}/{one.name}" if directory else one.name
        if directory == _GIT and one.name not in _OF_GIT:
            continue
        if one.is_symlink():
            yield path, f"l{os.readlink(one.path)}"  # noqa: PTH115 - word for word
        elif one.is_dir():
            yield from _below(root, path)
        elif one.is_file():
            status = one.stat()
            kind = "x" if status.st_mode & 0o111 else "f"
            yield path, f"{kind}{_digest(one.path, status.st_size)}"


def _digest(path: str, size: int) -> str:
    with Path(path).open("rb") as file:
        if size > _LARGE_BYTES:
            return hashlib.file_digest(file, "sha256").hexdigest()
        return hashlib.sha256(file.read()).hexdigest()
