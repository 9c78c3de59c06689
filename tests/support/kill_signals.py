"""Ends the buildpack's own process in a sandbox, at a moment that the disk shows."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PROGRAM = "/bin/start.py"
PATIENCE = 60.0


@dataclass(slots=True)
class Kill:
    """A signal that waits for its moment."""

    number: signal.Signals
    when: Callable[[], bool]
    seen_by: Path
    """A directory that the process to be ended sees mounted."""
    sent: bool = False
    over: threading.Event = field(default_factory=threading.Event)

    def wait_and_send(self) -> None:
        until = time.monotonic() + PATIENCE
        while not self.over.is_set() and time.monotonic() < until:
            if self.when():
                for pid in _phases_that_see(self.seen_by):
                    os.kill(pid, self.number)
                    self.sent = True
                return
            time.sleep(0.001)


@contextmanager
def killing(number: signal.Signals, when: Callable[[], bool], seen_by: Path) -> Iterator[Kill]:
    """While the block runs: send *number* to the buildpack once *when* holds, and only once."""
    kill = Kill(number, when, seen_by)
    thread = threading.Thread(target=kill.wait_and_send)
    thread.start()
    try:
        yield kill
    finally:
        kill.over.set()
        thread.join()


def _phases_that_see(directory: Path) -> list[int]:
    processes = [path for path in Path("/proc").glob("[0-9]*") if _runs_a_phase(path)]
    return [int(path.name) for path in processes if str(directory) in _text(path / "mountinfo")]


def _runs_a_phase(process: Path) -> bool:
    return any(part.endswith(PROGRAM) for part in _text(process / "cmdline").split("\0"))


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="replace")
    except OSError:  # it has ended meanwhile
        return ""
