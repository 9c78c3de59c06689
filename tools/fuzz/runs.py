"""One run of a reader, in a process of its own: processes cannot import it from `__main__`."""

import resource
import tempfile
import time
from pathlib import Path

from tools.fuzz import (
    app_readers,
    option_readers,
    package_readers,
    supply_chain_readers,
    tool_readers,
)
from tools.fuzz.engine import CPU_SECONDS, Finding, Reader, failure, fuzz
from tools.fuzz.mutations import LARGEST

_MEMORY = 2 << 30
_PREFIX = "cnb-python-fuzz-"


def readers() -> tuple[Reader, ...]:
    """Return all readers."""
    return (
        *app_readers.readers(),
        *package_readers.readers(),
        *tool_readers.readers(),
        *option_readers.readers(),
        *supply_chain_readers.readers(),
    )


def run(name: str, seed: int, seconds: float, largest: int = LARGEST) -> Finding | None:
    """Return the first finding of the reader *name* within *seconds*."""
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as scratch:
        until = time.monotonic() + seconds
        return fuzz(reader_of(name), seed, Path(scratch), until=until, largest=largest)


def run_again(name: str, file: Path) -> str:
    """Return how the reader *name* fails for the content of *file*; empty if it does not."""
    content = file.read_bytes()
    seconds = CPU_SECONDS * max(1, len(content) / LARGEST)
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as scratch:
        return failure(reader_of(name), content, Path(scratch), seconds)


def reader_of(name: str) -> Reader:
    """Return the reader *name*."""
    return next(each for each in readers() if each.name == name)


def limit_memory() -> None:
    """Let what needs more than 2 GB in this process raise MemoryError, which is a finding."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
