"""Peak memory of `bin/build` and its child processes, read on the host.

Counts anonymous memory, shared pages in proportion (`Pss_Anon`), and no page cache.
https://docs.kernel.org/filesystems/proc.html
"""

import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

PROC = Path("/proc")
PROGRAM = b"/bin/build"
PAUSE = 0.05
ANONYMOUS = re.compile(r"^Pss_Anon:\s+(\d+) kB$", re.MULTILINE)


class Watch:
    """The highest reading so far, in bytes; 0 if the engine runs on another machine."""

    def __init__(self, proc: Path = PROC) -> None:
        self.peak = 0
        self._proc = proc

    def look(self) -> None:
        """Read the memory once."""
        parents = dict(_parents(self._proc))
        roots = [pid for pid in parents if _is_stopwatch(self._proc / str(pid))]
        held = sum(_held(self._proc / str(pid)) for pid in below(roots, parents))
        self.peak = max(self.peak, held)


@contextmanager
def watching() -> Iterator[Watch]:
    """Read every 50 ms while the block runs."""
    watch, ended = Watch(), threading.Event()

    def go_on() -> None:
        while not ended.wait(PAUSE):
            watch.look()

    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        ended.set()
        thread.join()


def below(roots: Iterable[int], parents: Mapping[int, int]) -> set[int]:
    """Return the processes *roots* and all their descendants.

    >>> sorted(below([2], {1: 0, 2: 1, 3: 2, 4: 3, 5: 1}))
    [2, 3, 4]
    """
    pids, fresh = set[int](), set(roots)
    while fresh:
        pids |= fresh
        fresh = {pid for pid, parent in parents.items() if parent in fresh} - pids
    return pids


def _parents(proc: Path) -> Iterator[tuple[int, int]]:
    for entry in proc.iterdir():
        if entry.name.isdigit() and (facts := _read(entry / "stat")):
            # The program's name is in brackets and may contain any character.
            yield int(entry.name), int(facts.rpartition(b")")[2].split()[1])


def _is_stopwatch(process: Path) -> bool:
    """Return whether *process* runs a `bin/build` that `contestants.timed` wrapped."""
    for argument in _read(process / "cmdline").split(b"\0"):
        if argument.endswith(PROGRAM):
            original = process / "root" / f"{argument.decode().lstrip('/')}.timed"
            with suppress(OSError):
                return original.exists()
    return False


def _held(process: Path) -> int:
    match = ANONYMOUS.search(_read(process / "smaps_rollup").decode())
    return int(match[1]) * 1024 if match else 0


def _read(path: Path) -> bytes:
    with suppress(OSError):  # it has ended meanwhile
        return path.read_bytes()
    return b""
