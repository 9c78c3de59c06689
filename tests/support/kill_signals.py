"""Sends a signal to a process of a build in a sandbox when a condition on disk holds."""

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

type Which = Callable[[Path], bool]
"""Whether to kill the process of this directory below `/proc`."""


def is_phase(process: Path) -> bool:
    """Whether *process* is the buildpack itself."""
    return any(part.endswith(PROGRAM) for part in text(process / "cmdline").split("\0"))


@dataclass(slots=True)
class Kill:
    """A signal, and the condition for sending it."""

    number: signal.Signals
    when: Callable[[], bool]
    seen_by: Path
    """A directory that only the processes of the build have mounted."""
    which: Which = is_phase
    sent: bool = False
    over: threading.Event = field(default_factory=threading.Event)

    def wait_and_send(self) -> None:
        until = time.monotonic() + PATIENCE
        while not self.over.is_set() and time.monotonic() < until:
            if self.when():
                for pid in self._pids():
                    os.kill(pid, self.number)
                    self.sent = True
                if self.sent:
                    return
            time.sleep(0.001)

    def _pids(self) -> list[int]:
        processes = [path for path in Path("/proc").glob("[0-9]*") if self.which(path)]
        return [
            int(path.name) for path in processes if str(self.seen_by) in text(path / "mountinfo")
        ]


@contextmanager
def killing(
    number: signal.Signals, when: Callable[[], bool], seen_by: Path, which: Which = is_phase
) -> Iterator[Kill]:
    """Send *number* once, when *when* holds and *which* process exists, while the block runs."""
    kill = Kill(number, when, seen_by, which)
    thread = threading.Thread(target=kill.wait_and_send)
    thread.start()
    try:
        yield kill
    finally:
        kill.over.set()
        thread.join()


def text(path: Path) -> str:
    """Return the content of a file below `/proc`; empty if the process has ended."""
    try:
        return path.read_bytes().decode(errors="replace")
    except OSError:  # it has ended meanwhile
        return ""
