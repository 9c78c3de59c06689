"""Recognizes a program that waits without end, such as for a server that sends single bytes.

The time-outs of pip, uv, Poetry and Git are for each read: a server that sends a byte now and then
never exceeds them. A compilation may take hours, but it keeps a processor busy. So output,
processor time and written data are progress.
"""

import os
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from cnb_python.system.transfer_limits import SLOWEST

BUSY = 0.01
"""The part of the time of one processor that counts as progress."""
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
    """Measures the progress of a command; `is_exceeded` once there was none for *seconds*.

    *session*: the id of its first process, and of its session. *seconds*: 0 for no limit.
    """

    def __init__(
        self,
        seconds: float,
        session: int,
        clock: Callable[[], float] = time.monotonic,
        work_of: WorkOf = work_of_session,
    ) -> None:
        self._seconds = seconds
        self._session = session
        self._clock = clock
        self._work_of = work_of
        self._interval = min(seconds / 10, _LONGEST_INTERVAL)
        self._measured = clock()
        self._work = dict[int, ProcessWork]()
        self._start_again()

    def note_output(self) -> None:
        """Count output of the command as progress."""
        self._start_again()

    def is_exceeded(self) -> bool:
        """Whether the command made too little progress. Measures it now and then."""
        now = self._clock()
        elapsed = now - self._measured
        if not self._seconds or elapsed < self._interval:
            return False
        # No more than that: this process, and so the command, may have been stopped meanwhile.
        self._idle += min(elapsed, 2 * self._interval)
        self._measured = now
        work = self._work_of(self._session)
        for pid, (cpu_seconds, written) in work.items():
            before = self._work.get(pid, ProcessWork(0, 0))
            self._cpu_seconds += max(cpu_seconds - before.cpu_seconds, 0)
            self._written += max((written or 0) - (before.written or 0), 0)
        self._work = work
        # Without this figure, a long download looks like one without an end.
        is_unknown = not work or any(each.written is None for each in work.values())
        is_busy = self._cpu_seconds >= BUSY * self._seconds
        if is_unknown or is_busy or self._written >= SLOWEST * self._seconds:
            self._start_again()
        return self._idle >= self._seconds

    def _start_again(self) -> None:
        self._idle = 0.0
        self._cpu_seconds = 0.0
        self._written = 0


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
