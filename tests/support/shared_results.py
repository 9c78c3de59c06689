"""Makes something once for all workers of pytest-xdist."""

import fcntl
import pickle
from collections.abc import Callable
from pathlib import Path


def shared[T](kept: Path, make: Callable[[], T]) -> T:
    """Return what the first caller's *make* gave, remembered in the file *kept*.

    Others wait for it meanwhile; what *make* raises is raised for each that asks.
    """
    with kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            made = make()
            kept.write_bytes(pickle.dumps(made))
            return made
    found: T = pickle.loads(kept.read_bytes())
    return found
