"""The last line of a terminal, which shows how long the running step has taken.

Loaded only where the output is a terminal: in a pipe the log has no such lines.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

# A cursor at the start of an empty line: ECMA-48, "erase in line".
_ERASE = "\r\x1b[2K"
_TICK_SECONDS = 1.0
# Shorter pauses need no sign that the build is still running.
_QUIET_SECONDS = 3.0


class StatusLine:
    """Writes text to a terminal, and below it the time of a step that prints nothing."""

    def __init__(
        self,
        stream: TextIO,
        clock: Callable[[], float] = time.monotonic,
        tick_seconds: float = _TICK_SECONDS,
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._tick_seconds = tick_seconds
        self._lock = threading.Lock()
        self._is_shown = False
        self._printed_at = clock()

    def print(self, text: str) -> None:
        """Write *text*, whole lines, in place of the status line."""
        with self._lock:
            self._erase()
            self._stream.write(text)
            self._stream.flush()
            self._printed_at = self._clock()

    @contextmanager
    def running(self, title: str) -> Iterator[None]:
        """Show the time of the step *title* until the block ends."""
        stopped = threading.Event()
        ticker = threading.Thread(target=self._tick, args=(title, stopped), daemon=True)
        ticker.start()
        try:
            yield
        finally:
            stopped.set()
            ticker.join()
            with self._lock:
                self._erase()
                self._stream.flush()

    def show(self, title: str, seconds: float) -> None:
        """Show that the step *title* has run for *seconds*, unless something was just printed."""
        with self._lock:
            if self._clock() - self._printed_at >= _QUIET_SECONDS:
                self._erase()
                self._stream.write(f"  {title}: {seconds:.0f} s")
                self._stream.flush()
                self._is_shown = True

    def _tick(self, title: str, stopped: threading.Event) -> None:
        start = self._clock()
        while not stopped.wait(self._tick_seconds):
            self.show(title, self._clock() - start)

    def _erase(self) -> None:
        if self._is_shown:
            self._stream.write(_ERASE)
            self._is_shown = False
