"""Keeps what is slow to make, outside the checkout: built tools, root file systems, images.

Outside, because `pack build --buildpack .` ships whatever lies in the checkout.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.processes import say


def directory() -> Path:
    """The folder of everything kept for this project, made if need be."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    kept = Path(home) / "cnb-python"
    kept.mkdir(parents=True, exist_ok=True)
    return kept


def digest(*pins: str | bytes) -> str:
    """A short name for exactly these inputs."""
    parts = (pin.encode() if isinstance(pin, str) else pin for pin in pins)
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Let one process at a time through; the kernel frees the lock of one that is killed."""
    with (directory() / f"{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Waiting for another process that uses {name}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def entry(name: str, pins: str, title: str, make: Callable[[Path], None]) -> Path:
    """The kept folder *name* for the digest *pins*, filled by *make* the first time.

    It appears complete or not at all: *make* fills another folder, which is then renamed. *title*
    is the line of progress shown when there is something to do.
    """
    kept = directory() / f"{name}-{pins}"
    if kept.exists():
        return kept
    with locked(name):
        if not kept.exists():
            say(title)
            _fill(kept, make)
    return kept


def _fill(kept: Path, make: Callable[[Path], None]) -> None:
    partial = kept.with_name(f"{kept.name}.part")
    # What a killed process left: ours alone, since the lock is held.
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        make(partial)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    partial.rename(kept)
