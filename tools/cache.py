"""Keeps what is slow to make: built tools, root file systems, images.

Outside the checkout, because `pack build --buildpack .` ships everything in it.
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
    """Return the cache directory of this project; make it if it is missing."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    kept = Path(home) / "cnb-python"
    kept.mkdir(parents=True, exist_ok=True)
    return kept


def digest(*pins: str | bytes) -> str:
    """Return a short digest of *pins*."""
    parts = (pin.encode() if isinstance(pin, str) else pin for pin in pins)
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Run the block in one process at a time; the kernel frees the lock of a killed one."""
    with (directory() / f"{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Waiting for another process that uses {name}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def entry(name: str, pins: str, title: str, make: Callable[[Path], None]) -> Path:
    """Return the cached directory *name* for the digest *pins*; call *make* if it is missing.

    It is complete or missing: *make* fills another directory, which is then renamed. *title* is
    the line of progress that is printed before *make* runs.
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
    # A killed process may have left it. This process holds the lock.
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        make(partial)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    partial.rename(kept)
