"""Shares a result between the workers of pytest-xdist."""

import fcntl
import pickle
from collections.abc import Callable
from pathlib import Path


def shared[T](file: Path, make: Callable[[], T]) -> T:
    """Return the result of *make*, which runs in the first worker only and is saved in *file*.

    Other workers wait for it. If *make* raises, each worker tries again.
    """
    with file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            result = make()
            file.write_bytes(pickle.dumps(result))
            return result
    loaded: T = pickle.loads(file.read_bytes())
    return loaded
