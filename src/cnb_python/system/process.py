"""Runs programs; only this module starts processes."""

import os
import selectors
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from cnb_python.errors.machine import ProgramNotStarted
from cnb_python.system.interface import Command, Outcome

KEPT_BYTES = 1024 * 1024
# Time for a tool to remove its temporary files.
GRACE_SECONDS = 5
# How often to check whether a silent program still runs.
LISTEN_SECONDS = 0.2
_CHUNK = 64 * 1024


def run(command: Command, on_line: Callable[[str], None] | None = None) -> Outcome:
    """Run *command* to its end; if the build is interrupted, end all processes that it started.

    Its stdin is empty, so that it cannot wait for an answer. Raises ProgramNotStarted if there is
    no such program or the system does not run it.
    """
    child = _started(command)
    try:
        tail = _follow(child, on_line)
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
            # A process group of its own, so that a tool's compilers can be ended with it.
            start_new_session=True,
        )
    except OSError as error:
        # Either the program or the directory may be missing.
        missing = error.filename if isinstance(error.filename, str | Path) else command.argv[0]
        reason = f"{error.strerror} ({missing})"
        raise ProgramNotStarted(command.argv[0], reason) from error


def _follow(child: subprocess.Popen[bytes], on_line: Callable[[str], None] | None) -> bytearray:
    """Pass each line to *on_line* until the end; return the last KEPT_BYTES of the output."""
    tail, line = bytearray(), bytearray()
    for chunk in _chunks(child):
        tail += chunk
        del tail[:-KEPT_BYTES]
        line += chunk
        *complete, partial = line.split(b"\n")
        for whole in complete:
            _pass(whole, on_line)
        line = bytearray(partial)
    if line:
        _pass(line, on_line)
    return tail


def _chunks(child: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """Yield the output of *child* until it has ended and nothing is left to read.

    Not until the pipe is closed: a background process that it started (an SSH master, a compiler
    cache) may keep it open forever.
    """
    if child.stdout is None:
        return
    descriptor = child.stdout.fileno()
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while True:
            ended = child.poll() is not None
            if selector.select(timeout=0 if ended else LISTEN_SECONDS):
                if not (chunk := os.read(descriptor, _CHUNK)):
                    return
                yield chunk
            elif ended:
                return


def _pass(line: bytes | bytearray, on_line: Callable[[str], None] | None) -> None:
    if on_line is not None:
        # Of a line that was rewritten with carriage returns, only the last form is shown.
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
