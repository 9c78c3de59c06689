"""What lies in a stage: every file and link, links never followed.

On the way it is tidied: modes as they are in an image, no bytecode of somebody else's, no history
of a checkout (with a token in its address), nothing that is neither file nor link.
"""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import batched
from pathlib import Path
from typing import NamedTuple

from cnb_python.cnb import disk
from cnb_python.distributions import elf
from cnb_python.distributions.model import File

_BATCH = 128
# Up to here a file is read at once; above, memory stays bounded.
_LARGE_BYTES = 1024 * 1024


class Content(NamedTuple):
    """A file and the run paths that it holds."""

    file: File
    run_paths: tuple[str, ...]


def read_all(root: Path, entries: Iterable[tuple[str, Entry]], threads: int) -> dict[str, Content]:
    """Read each of *entries* below *root* once, in *threads*: hashing lets others work.

    Raises OSError.
    """
    with ThreadPoolExecutor(threads) as pool:
        batches = pool.map(partial(_read_batch, root), batched(entries, _BATCH, strict=False))
        return {one.file.path: one for batch in batches for one in batch}


def made(path: str, content: bytes) -> File:
    """Return the file at *path* that holds *content*."""
    return File(path, hashlib.sha256(content).hexdigest(), len(content))


def digest(root: Path, path: str, entry: Entry) -> str:
    """Return the SHA-256 in hex of the file or link at *path*."""
    return _read(root, path, entry).file.digest


def _read_batch(root: Path, entries: Sequence[tuple[str, Entry]]) -> list[Content]:
    return [_read(root, path, entry) for path, entry in entries]


def _read(root: Path, path: str, entry: Entry) -> Content:
    if entry.target:
        link = made(path, entry.target.encode(errors="surrogateescape"))
        return Content(link._replace(target=entry.target), ())
    place = root / path
    if entry.size > _LARGE_BYTES:
        with place.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    else:
        found = hashlib.sha256(place.read_bytes()).hexdigest()
    may_be_elf = entry.is_program or ".so" in path
    paths = elf.run_paths(place) if may_be_elf else ()
    return Content(File(path, found, entry.size, entry.is_program), paths)


CHECKOUTS = "src"
"""Where pip checks out `-e git+https://...`, below the environment."""

_CACHE = "__pycache__"
_VERSION_CONTROL = frozenset({".git", ".hg", ".svn", ".bzr"})
_LOCK = ".lock"


class Entry(NamedTuple):
    """A file or symbolic link."""

    size: int
    is_program: bool = False
    target: str = ""
    """Where it leads, for a link."""


def walk(root: Path, line: str) -> dict[str, Entry]:
    """Return what lies below *root* but for the virtual environment's own, by path, and tidy it.

    *line* is that of its interpreter: `3.14`. Raises OSError.
    """
    own = {"pyvenv.cfg", "lib64", "bin/python", "bin/python3", f"bin/python{line}"}
    return {path: entry for path, entry in _below(root, "") if path not in own}


def entry(path: Path) -> Entry:
    """Return what lies at *path*, a file or link, and give it its mode."""
    return _entry(path, path.lstat())


def _below(root: Path, directory: str) -> Iterator[tuple[str, Entry]]:
    place = root / directory
    if stat.S_IMODE(place.stat().st_mode) != disk.DIRECTORY_MODE:
        place.chmod(disk.DIRECTORY_MODE)
    with os.scandir(place) as found:
        inside = list(found)
    for one in inside:
        path = f"{directory}/{one.name}" if directory else one.name
        if _is_litter(path, one.name) or not (one.is_symlink() or one.is_dir() or one.is_file()):
            disk.remove(root / path)
        elif one.is_dir(follow_symlinks=False):
            yield from _below(root, path)
        else:
            yield path, _entry(root / path, one.stat(follow_symlinks=False))


def _is_litter(path: str, name: str) -> bool:
    in_checkout = path.startswith(f"{CHECKOUTS}/")
    return name == _CACHE or path == _LOCK or (in_checkout and name in _VERSION_CONTROL)


def _entry(path: Path, status: os.stat_result) -> Entry:
    if stat.S_ISLNK(status.st_mode):
        target = os.readlink(path)  # noqa: PTH115 - a Path would tidy up what the link says
        return Entry(len(os.fsencode(target)), target=target)
    is_program = bool(status.st_mode & 0o111)
    mode = disk.PROGRAM_MODE if is_program else disk.FILE_MODE
    if stat.S_IMODE(status.st_mode) != mode:
        path.chmod(mode)
    return Entry(status.st_size, is_program)
