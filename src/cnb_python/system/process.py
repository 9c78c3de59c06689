"""Runs programs; only this module starts processes."""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Condition

from cnb_python.errors.machine import ProcessesLeft, ProgramNotStarted
from cnb_python.system import orphans
from cnb_python.system.interface import Command, HelperLost, Outcome
from cnb_python.system.program_output import ProgramOutput

# Time for a tool to remove its temporary files.
GRACE_SECONDS = 5
# How often to check whether a silent program still runs.
LISTEN_SECONDS = 0.2
# Programs usually end at once when they have closed their output.
_FIRST_PAUSE_SECONDS = 0.001
_END_PAUSE_SECONDS = 0.01
_CHUNK = 64 * 1024
# What a pipe can hold at most, for users other than root.
_PIPE_BYTES = 1024 * 1024
_SOURCE = Path(__file__).parents[2]
_SERVE = """\
import sys
from importlib import import_module
sys.path.append(sys.argv[1])
import_module(sys.argv[2]).serve(sys.stdin.buffer, sys.stdout.buffer)
"""


def run(command: Command, on_line: Callable[[str], None] | None = None) -> Outcome:
    """Run *command* to its end; end the processes that it leaves, or has if it is interrupted.

    Those of its process group, and all others too if it is foreign. Its stdin is empty, so that it
    cannot wait for an answer. Raises ProgramNotStarted if there is no such program or the system
    does not run it, NoProgress and TookTooLong if it exceeds a limit, and ProcessesLeft if a
    foreign command's processes cannot be ended.
    """
    orphans.adopt()
    with _TURNS.alone() if command.foreign else _TURNS.shared():
        earlier = orphans.children() if command.foreign else frozenset()
        child = _started(command)
        try:
            output = ProgramOutput(on_line)
            _read_until_end(child, output, command, earlier if command.foreign else None)
            ended = _end_left(child, command, earlier)
            _read_remaining(child, output)
            return Outcome(child.wait(), output.finish(), ended)
        except ProcessesLeft:
            raise
        except BaseException:
            _interrupt(child, command, earlier)
            raise
        finally:
            if child.stdout is not None:
                child.stdout.close()


class _Turns:
    """Any number of commands run at the same time, but a foreign one runs alone."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._running = 0
        self._foreign = 0
        """Those that run or wait."""

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Wait until no foreign command runs or waits."""
        with self._changed:
            self._changed.wait_for(lambda: not self._foreign)
            self._running += 1
        with self._until_done():
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until no command runs, and hold new ones back."""
        with self._changed:
            self._foreign += 1
            try:
                self._changed.wait_for(lambda: not self._running)
                self._running += 1
            except BaseException:
                self._foreign -= 1
                self._changed.notify_all()
                raise
        try:
            with self._until_done():
                yield
        finally:
            with self._changed:
                self._foreign -= 1
                self._changed.notify_all()

    @contextmanager
    def _until_done(self) -> Iterator[None]:
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()


# Of the whole process: its children are too.
_TURNS = _Turns()


def _started(command: Command) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command.argv,
            # As a shell sets it: requirements files may contain ${PWD}.
            env={**command.env, "PWD": str(command.cwd)},
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


def _read_until_end(
    child: subprocess.Popen[bytes],
    output: ProgramOutput,
    command: Command,
    earlier: frozenset[int] | None,
) -> None:
    """Read what *child* prints until it has ended; it is not reaped.

    Not until the pipe is closed: a background process that it started (an SSH master, a compiler
    cache) may keep it open. Raises NoProgress and TookTooLong.
    """
    from cnb_python.system import progress_limit  # noqa: PLC0415 - most builds run no command

    limit = progress_limit.ProgressLimit(
        command.limits,
        child.pid,
        work_of=lambda session: progress_limit.work_of_session(session, earlier),
    )
    pause = _FIRST_PAUSE_SECONDS
    while not orphans.has_ended(child.pid):
        chunk = _chunk(child, LISTEN_SECONDS)
        if chunk:
            output.add(chunk)
            limit.note_output()
        elif chunk is not None:
            time.sleep(pause)
            pause = min(2 * pause, LISTEN_SECONDS)
        if excess := limit.excess():
            servers = progress_limit.servers_of(child.pid, earlier)
            raise progress_limit.failure(command, excess, servers)


def _read_remaining(child: subprocess.Popen[bytes], output: ProgramOutput) -> None:
    """Read what the pipe holds; another process may still write to it, without an end."""
    remaining = _PIPE_BYTES
    while remaining > 0 and (chunk := _chunk(child, 0)):
        output.add(chunk)
        remaining -= len(chunk)


def _chunk(child: subprocess.Popen[bytes], seconds: float) -> bytes | None:
    """Return what *child* prints next: empty at the end, None if nothing comes in *seconds*."""
    if child.stdout is None:
        return b""
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        return os.read(child.stdout.fileno(), _CHUNK) if selector.select(seconds) else None


def _end_left(child: subprocess.Popen[bytes], command: Command, earlier: frozenset[int]) -> int:
    """End and reap what *child* left when it ended; return how many processes were killed."""
    if not command.foreign:
        # The group's id is that of the child, which nothing else can get before it is reaped.
        _signal_group(child, signal.SIGKILL)
        child.wait()
        return 0
    child.wait()
    ended = orphans.end_all_but(earlier, child.pid)
    if ended.remaining:
        raise ProcessesLeft(command.shown or command.argv[0], ended.remaining)
    return ended.killed


def _interrupt(child: subprocess.Popen[bytes], command: Command, earlier: frozenset[int]) -> None:
    """End *child* if it still runs, with all that it started."""
    try:
        if child.returncode is None:
            _signal_group(child, signal.SIGTERM)
            _wait(child, GRACE_SECONDS)
    finally:
        # It is not reaped, so the group is still its own; others of the group may ignore SIGTERM.
        if child.returncode is None:
            _signal_group(child, signal.SIGKILL)
            child.wait()
        if command.foreign:
            orphans.end_all_but(earlier, child.pid)


def _wait(child: subprocess.Popen[bytes], seconds: float) -> None:
    """Wait until *child* has ended, for at most *seconds*; it is not reaped."""
    end = time.monotonic() + seconds
    while not orphans.has_ended(child.pid) and time.monotonic() < end:
        time.sleep(_END_PAUSE_SECONDS)


def _signal_group(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        return  # the whole group has ended by itself


class HelperProcess:
    """A process of the buildpack's own interpreter; it ends when this one closes its stdin."""

    def __init__(self, module: str) -> None:
        options = ("-I", "-B", "-S", "-X", "utf8", "-c", _SERVE, str(_SOURCE), module)
        try:
            # Its errors are not shown: this process does its work then, and reports them.
            self._child = subprocess.Popen(
                (sys.executable, *options),
                env={},
                cwd="/",
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                # So that Ctrl-C reaches this process alone, which ends it.
                start_new_session=True,
            )
        except OSError as error:
            raise ProgramNotStarted(sys.executable, error.strerror or str(error)) from error

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._child.pid

    def ask(self, request: bytes) -> bytes:
        """Send *request*, a line without its end, and return the answer. Raises HelperLost."""
        requests, answers = self._child.stdin, self._child.stdout
        if requests is None or answers is None:
            raise HelperLost
        try:
            requests.write(request + b"\n")
            requests.flush()
            answer = answers.readline()
        except (OSError, ValueError) as error:  # ValueError: closed meanwhile
            raise HelperLost from error
        if not answer.endswith(b"\n"):
            raise HelperLost
        return answer

    def close(self) -> None:
        """End the process, whatever it does."""
        self._child.kill()
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
