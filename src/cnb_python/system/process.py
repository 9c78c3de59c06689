"""Runs programs. The only module that starts processes."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import IO

from cnb_python.errors import ProgramNotStarted
from cnb_python.system.outside import Command, Outcome

KEPT_BYTES = 1024 * 1024
# Time for a tool to remove its temporary files.
GRACE_SECONDS = 5
_CHUNK = 64 * 1024


def run(command: Command, on_line: Callable[[str], None] | None = None) -> Outcome:
    """Run *command* to its end; nothing it started outlives an interruption of ours.

    Its stdin is empty, so that no question waits for an answer. Raises ProgramNotStarted when
    there is no such program or the system refuses to run it.
    """
    child = _started(command)
    try:
        tail = _follow(child.stdout, on_line)
        return Outcome(child.wait(), tail.decode("utf-8", "replace"))
    finally:
        _end(child)


def _started(command: Command) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command.argv,
            env=dict(command.env),
            cwd=command.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # A group of its own, so that a tool's compilers can be ended with it.
            start_new_session=True,
        )
    except OSError as error:
        # Both the program and the directory may be what is missing.
        missing = error.filename if isinstance(error.filename, str | Path) else command.argv[0]
        reason = f"{error.strerror} ({missing})"
        raise ProgramNotStarted(command.argv[0], reason) from error


def _follow(stream: IO[bytes] | None, on_line: Callable[[str], None] | None) -> bytearray:
    """Hand over line by line until the end; return the last bytes, whole lines where possible."""
    tail, line = bytearray(), bytearray()
    while stream is not None and (chunk := os.read(stream.fileno(), _CHUNK)):
        tail += chunk
        del tail[:-KEPT_BYTES]
        line += chunk
        *complete, rest = line.split(b"\n")
        for one in complete:
            _hand(one, on_line)
        line = bytearray(rest)
    if line:
        _hand(line, on_line)
    return tail


def _hand(line: bytes | bytearray, on_line: Callable[[str], None] | None) -> None:
    if on_line is not None:
        # A line that a tool rewrote in place is shown as it ended.
        shown = line.rstrip(b"\r").rpartition(b"\r")[2]
        on_line(shown.decode("utf-8", "replace"))


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.stdout is not None:
        child.stdout.close()
    if child.poll() is not None:
        return
    _signal_group(child, signal.SIGTERM)
    try:
        child.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    finally:
        _signal_group(child, signal.SIGKILL)
        child.wait()


def _signal_group(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        return  # the whole group has ended by itself
