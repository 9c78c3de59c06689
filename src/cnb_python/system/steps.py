"""The steps of a build, and how long each of them took."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from cnb_python.system.interface import Output


class BuildLog(NamedTuple):
    """Steps and their seconds, in order."""

    output: Output
    clock: Callable[[], float]
    seconds: dict[str, float]

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Print the title of a step and, when the block ends well, how long it took."""
        self.output.step(title)
        start = self.clock()
        with self.output.progress(title):
            yield
        self.seconds[title] = self.clock() - start
        self.output.line(f"Done in {shown(self.seconds[title])}")


def shown(seconds: float) -> str:
    """Return *seconds* with a unit and as many digits as matter.

    >>> shown(0.123), shown(61.26)
    ('0.12 s', '61.3 s')
    """
    return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s"


def megabytes(size: int) -> str:
    """Return *size*, in bytes, in megabytes or kilobytes.

    >>> megabytes(12_345_678), megabytes(12_345)
    ('12.3 MB', '13 kB')
    """
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{-(-size // 1000)} kB"
