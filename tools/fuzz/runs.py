"""One run of a reader, in a process of its own: processes cannot import it from `__main__`."""

import resource
import tempfile
import time
from pathlib import Path

from tools.fuzz import app_readers, package_readers
from tools.fuzz.engine import Finding, Reader, fuzz

_MEMORY = 2 << 30


def readers() -> tuple[Reader, ...]:
    """Return all readers."""
    return (*app_readers.readers(), *package_readers.readers())


def run(name: str, seed: int, seconds: float) -> Finding | None:
    """Return the first finding of the reader *name* within *seconds*."""
    # A reader that would need more raises MemoryError, which is a finding.
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    reader = next(each for each in readers() if each.name == name)
    with tempfile.TemporaryDirectory(prefix="cnb-python-fuzz-") as scratch:
        return fuzz(reader, seed, Path(scratch), until=time.monotonic() + seconds)
