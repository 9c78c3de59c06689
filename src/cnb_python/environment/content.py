"""What files hold: digests, and what native libraries ask for."""

import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import batched
from pathlib import Path
from typing import NamedTuple

from cnb_python.environment import libraries
from cnb_python.environment.distribution import File
from cnb_python.environment.tree import Entry

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
    paths = libraries.run_paths(place) if may_be_elf else ()
    return Content(File(path, found, entry.size, entry.is_program), paths)
