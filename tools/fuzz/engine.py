"""Calls a reader with mutated files, and shrinks the first one that it fails for."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from traceback import extract_tb
from types import FrameType

from cnb_python.errors.base import Failure
from tools.fuzz.mutations import LARGEST, mutated

CPU_SECONDS = 3.0
"""What a reader may take for a file of `LARGEST` bytes: a hundred times what it needs."""
_SHRINKING_CALLS = 400


class TooSlow(BaseException):
    """A reader takes longer than it may; no reader catches it."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Something that reads one file."""

    name: str
    seeds: tuple[bytes, ...]
    """Valid files."""
    read: Callable[[bytes, Path], object]
    """Called with a content and an existing directory, which it may write to."""
    allowed: tuple[type[BaseException], ...] = ()
    """What it may raise for the content of a file."""
    directory: Path = field(default=Path())


@dataclass(frozen=True, slots=True)
class Finding:
    """A file that a reader fails for."""

    reader: str
    content: bytes
    error: str
    """The exception and where it was raised."""


def fuzz(
    reader: Reader,
    seed: int,
    directory: Path,
    *,
    calls: int = 0,
    until: float = 0,
    largest: int = LARGEST,
) -> Finding | None:
    """Return the first finding, shrunk; None after *calls*, or when the clock says *until*.

    Files have at most *largest* bytes; with more than LARGEST, most have as many, and the reader
    has as much more time.
    """
    seconds = CPU_SECONDS * max(1, largest / LARGEST)
    random = Random(f"{reader.name} {seed}")  # noqa: S311 - not for secrets
    corpus = list(reader.seeds)
    for number in count():
        if (calls and number >= calls) or (until and time.monotonic() > until):
            return None
        # The valid files first: a reader that refuses them would never see what follows.
        is_seed = number < len(corpus)
        content = (
            corpus[number] if is_seed else mutated(random.choice(corpus), corpus, random, largest)
        )
        if error := failure(reader, content, directory, seconds):
            return shrunk(reader, Finding(reader.name, content, error), directory, seconds)
    return None


def failure(reader: Reader, content: bytes, directory: Path, seconds: float = CPU_SECONDS) -> str:
    """Return what *reader* must not raise for *content*, and where; empty if all is well."""
    try:
        with limited(seconds):
            reader.read(content, directory)
    except reader.allowed as error:
        if isinstance(error, Failure):
            error.describe()
        return ""
    except (Exception, TooSlow) as error:  # noqa: BLE001 - the point
        frames = [
            frame for frame in extract_tb(error.__traceback__) if "cnb_python" in frame.filename
        ]
        at = f" in {Path(frames[-1].filename).name}: {frames[-1].name}" if frames else ""
        return f"{type(error).__name__}{at}"
    return ""


@contextmanager
def limited(seconds: float = CPU_SECONDS) -> Iterator[None]:
    """Raise TooSlow in what takes longer; time that other processes take does not count."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def shrunk(
    reader: Reader, finding: Finding, directory: Path, seconds: float = CPU_SECONDS
) -> Finding:
    """Return *finding* with as few bytes as a few hundred calls find out."""
    content, size, left = finding.content, max(1, len(finding.content) // 2), _SHRINKING_CALLS
    if finding.error.startswith("TooSlow"):
        left //= 40
    while left > 0:
        for start in range(0, len(content), size):
            shorter = content[:start] + content[start + size :]
            left -= 1
            if failure(reader, shorter, directory, seconds) == finding.error:
                content = shorter
                break
            if left <= 0:
                break
        else:
            if size == 1:
                break
            size = max(1, size // 2)
    return Finding(finding.reader, content, finding.error)
