"""Recognizes a program that waits without end, such as for a server that sends single bytes.

The time-outs of pip, uv, Poetry and Git are for each read: a server that sends a byte now and then
never exceeds them. A compilation may take hours, but it keeps a processor busy. So output,
processor time and written data are progress. A program may print "waiting" without end: output
without the other two is progress for some hours only.
"""

import os
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple

from cnb_python.errors.machine import NoProgress, TookTooLong
from cnb_python.system.interface import Command
from cnb_python.system.limits import Limits
from cnb_python.system.transfer_limits import SLOWEST

BUSY = 0.01
"""The part of the time of one processor that counts as progress."""
PRINTING = 8
"""A program may do nothing but print for this many times the limit."""
_LONGEST_INTERVAL = 10.0
_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
# https://github.com/torvalds/linux/blob/master/include/net/tcp_states.h
_ESTABLISHED = "01"
# An address of IPv4 in a socket of IPv6: https://datatracker.ietf.org/doc/html/rfc4291
_MAPPED = b"\0" * 10 + b"\xff\xff"
# Of a word of 32 bits.
_DIGITS = 8


class ProcessWork(NamedTuple):
    """What a process, and those of its children that ended, have done."""

    cpu_seconds: float
    written: int | None
    """Bytes, to files and pipes; None if the system does not allow to read it."""


type WorkOf = Callable[[int], dict[int, ProcessWork]]
"""Returns the work of each process of a command, by the ids of processes."""

type Excess = Literal["", "silent", "printing", "time"]
"""The limit that a command exceeds: for one that does nothing, or only prints; for all; none."""


def work_of_session(session: int, earlier: frozenset[int] | None = None) -> dict[int, ProcessWork]:
    """Return the work of the process *session*, of its descendants and its session.

    *earlier*: the children that this process had before. All others count too: `orphans` adopts
    what left the session, such as the daemon of a compiler. None: other commands run as well, so
    that no child but *session* is known to be of this one. The result is empty without /proc.
    https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    """
    processes = {pid: fields for pid in _all_processes() if (fields := _stat(pid))}
    members = {pid for pid, fields in processes.items() if session in {pid, int(fields[3])}}
    if earlier is not None:
        own = os.getpid()
        children = {pid for pid, fields in processes.items() if int(fields[1]) == own}
        members |= children - earlier
    while more := {
        pid
        for pid, fields in processes.items()
        if int(fields[1]) in members and pid not in members
    }:
        members |= more
    return {
        pid: ProcessWork(sum(map(int, processes[pid][11:15])) / _TICKS, _written(pid))
        for pid in members
    }


class ProgressLimit:
    """Measures the progress of a command, and its time, until it exceeds one of *limits*.

    *session*: the id of its first process, and of its session. *received*: returns how many bytes
    the system has received; None if it is not known.
    """

    def __init__(
        self,
        limits: Limits,
        session: int,
        clock: Callable[[], float] = time.monotonic,
        work_of: WorkOf = work_of_session,
        received: Callable[[], int | None] | None = None,
    ) -> None:
        self._limits = limits
        self._session = session
        self._clock = clock
        self._work_of = work_of
        self._received_now = received or received_bytes
        shortest = min((each for each in limits if each), default=0)
        self._interval = min(shortest / 10, _LONGEST_INTERVAL)
        self._measured = clock()
        self._elapsed = 0.0
        self._work = dict[int, ProcessWork]()
        self._received: int | None = None
        self._silent = _Idle(limits.idle)
        self._printing = _Idle(limits.idle * PRINTING)

    def note_output(self) -> None:
        """Count output of the command as progress, for a limited time."""
        self._silent.start_again()

    def excess(self) -> Excess:
        """Return the limit that the command exceeds. Measures its progress now and then."""
        now = self._clock()
        elapsed = now - self._measured
        if not self._interval or elapsed < self._interval:
            return ""
        # No more than that: this process, and so the command, may have been stopped meanwhile.
        elapsed = min(elapsed, 2 * self._interval)
        self._measured = now
        self._elapsed += elapsed
        if self._limits.total and self._elapsed >= self._limits.total:
            return "time"
        cpu_seconds, written = self._measure() if self._limits.idle else (0.0, None)
        for idle in (self._silent, self._printing):
            idle.add(elapsed, cpu_seconds, written)
        if self._silent.is_exceeded:
            return "silent"
        return "printing" if self._printing.is_exceeded else ""

    def _measure(self) -> tuple[float, int | None]:
        """Return the seconds of processors, and the bytes written, since the last measurement.

        Bytes are those that the system received, if it does not allow to read what was written:
        without them, a long download looks like one without an end. None if it is not known.
        """
        work = self._work_of(self._session)
        cpu_seconds, written = 0.0, 0
        for pid, each in work.items():
            before = self._work.get(pid, ProcessWork(0, 0))
            cpu_seconds += max(each.cpu_seconds - before.cpu_seconds, 0)
            written += max((each.written or 0) - (before.written or 0), 0)
        self._work = work
        if work and all(each.written is not None for each in work.values()):
            return cpu_seconds, written
        received, before_that = self._received_now(), self._received
        self._received = received
        if not work or received is None:
            return cpu_seconds, None
        return cpu_seconds, written + received - (received if before_that is None else before_that)


class _Idle:
    """Adds up the time without work; more than *seconds* of it are too much; 0: no limit."""

    def __init__(self, seconds: float) -> None:
        self._limit = seconds
        self.start_again()

    def start_again(self) -> None:
        """Count from now on."""
        self._seconds = 0.0
        self._cpu_seconds = 0.0
        self._written = 0

    def add(self, seconds: float, cpu_seconds: float, written: int | None) -> None:
        """Add what a command did in *seconds*; bytes that are not known count as work."""
        self._seconds += seconds
        self._cpu_seconds += cpu_seconds
        self._written += written or 0
        is_busy = self._cpu_seconds >= BUSY * self._limit
        if written is None or is_busy or self._written >= SLOWEST * self._limit:
            self.start_again()

    @property
    def is_exceeded(self) -> bool:
        """Whether the time without work is too long."""
        return bool(self._limit) and self._seconds >= self._limit


def received_bytes() -> int | None:
    """Return how many bytes all network interfaces have received; None if it is not known.

    https://man7.org/linux/man-pages/man5/proc_pid_net.5.html
    """
    try:
        lines = (_PROC / "net/dev").read_text().splitlines()[2:]
        return sum(int(line.partition(":")[2].split()[0]) for line in lines)
    except OSError, ValueError, IndexError:
        return None


def failure(
    command: Command, excess: Excess, servers: tuple[str, ...]
) -> NoProgress | TookTooLong:
    """Return the error of *command*, which exceeds a limit and is connected to *servers*."""
    program = command.shown or Path(command.argv[0]).name
    idle, total = command.limits
    if excess == "time":
        return TookTooLong(program, total, servers)
    return NoProgress(program, idle, servers, PRINTING * idle if excess == "printing" else 0)


def servers_of(session: int, earlier: frozenset[int] | None = None) -> tuple[str, ...]:
    """Return the addresses that processes of a command are connected to, such as `10.0.0.1:443`.

    *session* and *earlier* as those of `work_of_session`.
    https://www.kernel.org/doc/Documentation/networking/proc_net_tcp.rst
    """
    sockets = {inode for pid in work_of_session(session, earlier) for inode in _sockets(pid)}
    servers = (
        read_address(fields[2])
        for name in ("tcp", "tcp6")
        for fields in _connections(_PROC / str(session) / "net" / name)
        if fields[3] == _ESTABLISHED and fields[9] in sockets
    )
    return tuple(sorted(set(servers)))


def _all_processes() -> Iterator[int]:
    with suppress(OSError):
        yield from (int(path.name) for path in _PROC.iterdir() if path.name.isdecimal())


def _stat(pid: int) -> list[str]:
    """Return the fields after the name of a process; empty if it is gone."""
    try:
        text = (_PROC / str(pid) / "stat").read_text("utf-8", "replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _written(pid: int) -> int | None:
    directory = _PROC / str(pid)
    try:
        lines = (directory / "io").read_text().splitlines()
    except OSError:
        return None if directory.exists() else 0
    return next((int(line.split()[1]) for line in lines if line.startswith("wchar:")), None)


def _sockets(pid: int) -> Iterator[str]:
    with suppress(OSError):
        for file in (_PROC / str(pid) / "fd").iterdir():
            with suppress(OSError):
                kind, _, inode = str(file.readlink()).partition(":")
                if kind == "socket":
                    yield inode.strip("[]")


def _connections(table: Path) -> Iterator[list[str]]:
    with suppress(OSError):
        yield from (line.split() for line in table.read_text().splitlines()[1:])


def read_address(text: str) -> str:
    """Return `127.0.0.1:80` for `0100007F:0050`: the kernel prints words of the processor."""
    words, _, port = text.partition(":")
    starts = range(0, len(words), _DIGITS)
    packed = b"".join(struct.pack("=I", int(words[at : at + _DIGITS], 16)) for at in starts)
    packed = packed.removeprefix(_MAPPED)
    is_ipv6 = len(packed) > len(_MAPPED)
    host = socket.inet_ntop(socket.AF_INET6 if is_ipv6 else socket.AF_INET, packed)
    return f"[{host}]:{int(port, 16)}" if is_ipv6 else f"{host}:{int(port, 16)}"
