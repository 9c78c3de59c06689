"""Sends a signal to the buildpack's process in a sandbox when a condition on disk holds."""

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
    """A signal, and the condition for sending it."""

    number: signal.Signals
    when: Callable[[], bool]
    seen_by: Path
    """A directory that only the process to kill has mounted."""
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
    """Send *number* to the buildpack once, when *when* holds, while the block runs."""
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
