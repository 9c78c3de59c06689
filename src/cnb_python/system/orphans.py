"""Ends the processes that a command left behind, wherever they moved to.

This process adopts its orphaned descendants: it is their subreaper. So a daemon becomes its child,
also after a double fork and in a session of its own, and stays one until it is reaped here. When
this process has no children, nothing is left.

Separate from `process`, which knows commands and their output, and no system call of Linux.
"""

import os
import signal
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

# How long to go on killing.
SECONDS = 10.0
# Helpers of a tool end by themselves right after it.
PATIENCE_SECONDS = 0.2
_PAUSE_SECONDS = 0.002
_PROC = Path("/proc")
# https://github.com/torvalds/linux/blob/master/include/uapi/linux/prctl.h
_PR_SET_DUMPABLE = 4
_PR_SET_CHILD_SUBREAPER = 36


class Ended(NamedTuple):
    """What became of the processes that a command left behind."""

    killed: int
    """How many processes."""
    remaining: tuple[str, ...]
    """The names of those that could not be ended in time, in printable ASCII."""


@cache
def adopt() -> bool:
    """Make this process the subreaper of its descendants; return whether the system allows it.

    It also keeps other processes of the same user from tracing this one, and from writing to its
    memory. https://man7.org/linux/man-pages/man2/PR_SET_CHILD_SUBREAPER.2const.html
    """
    try:
        import ctypes  # noqa: PLC0415 - most builds run no command

        prctl = ctypes.CDLL(None).prctl
    except ImportError, OSError, AttributeError:
        return False
    prctl.argtypes = (ctypes.c_int, *(ctypes.c_ulong,) * 4)
    prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    return bool(prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


def children() -> frozenset[int]:
    """Return the ids of this process's children, also of those that ended and were not reaped."""
    return frozenset() if _is_childless() else frozenset(_scanned(None))


def end_all_but(earlier: frozenset[int], session: int) -> Ended:
    """End and reap all children but *earlier*, then those that this process adopts, and so on.

    *session* is the id of the command's session: where the system refuses adoption, its members
    are found by it. Takes at most about SECONDS.
    """
    members_of = None if adopt() else session
    started = time.monotonic()
    killed, reaped, count = set[int](), set[int](), 0
    while True:
        waited = time.monotonic() - started
        left = set[int]()
        # Killed while they are listed: a process that forks and ends in a loop moves on.
        for pid in _left(earlier, members_of):
            left.add(pid)
            if waited >= PATIENCE_SECONDS:
                _kill(pid)
                killed.add(pid)
        statuses = {pid: status for pid in left if (status := _reap(pid)) is not None}
        reaped |= statuses.keys()
        count += sum(map(_is_killed, statuses.values()))
        if not left:
            return Ended(count + len(killed - reaped), ())
        if waited >= SECONDS and (remaining := left - statuses.keys()):
            return Ended(count, tuple(sorted(set(map(_name, remaining)))))
        time.sleep(0 if statuses else _PAUSE_SECONDS)


def has_ended(pid: int, *, wait: bool = False) -> bool:
    """Whether the child *pid* has ended; it is not reaped, so that its id stays its own."""
    options = os.WEXITED | os.WNOWAIT | (0 if wait else os.WNOHANG)
    try:
        return os.waitid(os.P_PID, pid, options) is not None
    except ChildProcessError:
        return True  # this process inherited that SIGCHLD is ignored, so nothing is to reap


def _is_childless() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return True
    return False


def _left(earlier: frozenset[int], session: int | None) -> Iterator[int]:
    """Yield the ids of processes that are left; nothing only if no process is left."""
    if session is None and _is_childless():
        return
    is_any = False
    for pid in _listed(earlier):
        is_any = True
        yield pid
    if not is_any or session is not None:
        yield from (pid for pid in _scanned(session) if pid not in earlier)


def _listed(earlier: Collection[int]) -> Iterator[int]:
    """Yield the descendants that the kernel lists, except *earlier* and theirs.

    It lists them fast, but not all of them while some end, and not every kernel does.
    """
    waiting = list(_children_of("self"))
    while waiting:
        pid = waiting.pop()
        if pid not in earlier:
            # Before it is killed, since its children get another parent then.
            waiting += _children_of(str(pid))
            yield pid


def _children_of(pid: str) -> list[int]:
    ids = list[int]()
    with suppress(OSError):
        for thread in (_PROC / pid / "task").iterdir():
            ids += map(int, (thread / "children").read_bytes().split())
    return ids


def _scanned(session: int | None) -> Iterator[int]:
    """Yield the children, and the living members of *session*, among all processes."""
    own = os.getpid()
    with suppress(OSError):
        for pid in (int(path.name) for path in _PROC.iterdir() if path.name.isdecimal()):
            status = _status(pid)
            if status and (status.parent == own or status.session == session):
                yield pid


class _Status(NamedTuple):
    name: str
    parent: int
    session: int


def _status(pid: int) -> _Status | None:
    """Return the status of a process; None if it is gone, or has ended and is not a child.

    https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    """
    try:
        text = (_PROC / str(pid) / "stat").read_text("utf-8", "replace")
    except OSError:
        return None
    name, _, fields = text.partition("(")[2].rpartition(")")
    state, parent, _, session, *more = fields.split()
    # The first thread of a process may have ended before the others.
    is_alive = state not in {"Z", "X"} or int(more[13]) > 1
    status = _Status(name, int(parent), int(session))
    return status if is_alive or status.parent == os.getpid() else None


def _name(pid: int) -> str:
    status = _status(pid)
    # A process may give itself any name.
    characters = filter(str.isprintable, status.name if status else "")
    return "".join(characters).encode("ascii", "replace").decode("ascii") or str(pid)


def _kill(pid: int) -> None:
    # The group at once: none of its members can fork while it is killed.
    for kill in (os.killpg, os.kill):
        with suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)


def _reap(pid: int) -> int | None:
    """Return the status of the child *pid* if it has ended, None otherwise."""
    try:
        reaped, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return None
    return status if reaped else None


def _is_killed(status: int) -> bool:
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
