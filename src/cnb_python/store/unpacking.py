"""Unpacks several archives of the store at once, in processes: in threads, they would take turns.

`serve` is the program of the other processes. Separate from `archive`, which knows one archive.
"""

import json
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from cnb_python.cnb.disk import State
from cnb_python.errors.machine import DamagedStore, DiskFull, ProgramNotStarted
from cnb_python.store import archive, files
from cnb_python.store.archive import NO_CHANGES, Changes, Member
from cnb_python.system.interface import Helper, HelperLost, System

ARCHIVE = ".tar.zst"
"""The suffix of the archives in a store."""
_DOING = "unpacking the store"
_MISSING = ""
# Starting a process takes as long as unpacking this much.
_WORTH_A_PROCESS_BYTES = 4 * 1024 * 1024
# More would mostly wait for the disk.
_PROCESSES_AT_MOST = 8

type States = dict[str, State]
"""The state of each written file and link, by its path."""


class Job(NamedTuple):
    """An archive to unpack."""

    store: Path
    """The directory of the store."""
    digest: str
    """Of the archive; empty if the store does not have it."""
    members: Sequence[Member]
    into: Path
    """An existing directory."""
    changes: Changes = NO_CHANGES

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(member.size for member in self.members)


def unpack(job: Job) -> States:
    """Unpack one archive in this process. Raises DamagedStore, DiskFull or OSError.

    Each may leave some files behind.
    """
    if not job.digest:
        raise DamagedStore(_MISSING)
    with files.verified(job.store, job.digest, ARCHIVE) as file:
        return archive.unpack(job.members, file, job.into, _DOING, job.changes)


def unpack_all(jobs: Sequence[Job], system: System) -> list[States | DamagedStore]:
    """Unpack the archives of *jobs*; return what each wrote, or why its archive cannot be used.

    Raises DiskFull or OSError; the others are not complete then. What a process did not finish,
    because it could not be started or was ended, this process does.
    """
    sizes = [job.size for job in jobs]
    queue = _Queue(jobs, deque(sorted(range(len(jobs)), key=lambda index: -sizes[index])))
    threads = [
        threading.Thread(target=_work_in_helper, args=(queue, system))
        for _ in range(_helpers(sum(sizes), len(jobs), system))
    ]
    try:
        for thread in threads:
            thread.start()
        _work_here(queue)
    except BaseException:
        queue.stop()
        raise
    finally:
        for thread in threads:
            thread.join()
    if queue.failed:
        raise queue.failed[0]
    _work_here(queue)  # what helpers gave back
    return [queue.results[index] for index in range(len(jobs))]


@dataclass(slots=True)
class _Queue:
    jobs: Sequence[Job]
    waiting: deque[int]
    """The numbers of jobs that were not begun, largest first."""
    results: dict[int, States | DamagedStore] = field(default_factory=dict)
    failed: list[Exception] = field(default_factory=list)
    helpers: list[Helper] = field(default_factory=list)

    def next(self) -> int | None:
        try:
            return self.waiting.popleft()
        except IndexError:
            return None

    def stop(self) -> None:
        """Begin no other job, and end the helpers."""
        self.waiting.clear()
        for helper in self.helpers:
            helper.close()


def _helpers(size: int, jobs: int, system: System) -> int:
    if system.start_helper is None or size < _WORTH_A_PROCESS_BYTES:
        return 0
    return min(system.cpus, _PROCESSES_AT_MOST, jobs) - 1


def _work_here(queue: _Queue) -> None:
    while (index := queue.next()) is not None:
        try:
            queue.results[index] = unpack(queue.jobs[index])
        except DamagedStore as damage:
            queue.results[index] = damage


def _work_in_helper(queue: _Queue, system: System) -> None:
    try:
        helper = system.start_helper and system.start_helper(__name__)
    except ProgramNotStarted:
        return
    if helper is None:
        return
    queue.helpers.append(helper)
    try:
        _ask(helper, queue)
    except Exception as error:  # noqa: BLE001 - unpack_all raises it
        queue.failed.append(error)
        queue.stop()
    finally:
        helper.close()


def _ask(helper: Helper, queue: _Queue) -> None:
    while (index := queue.next()) is not None:
        try:
            queue.results[index] = result_of(helper.ask(request_of(queue.jobs[index])))
        except HelperLost:
            # It must not write any more when this process begins the same job.
            helper.close()
            queue.waiting.append(index)
            return


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Unpack what each line of *requests* describes; answer each with a line."""
    for line in requests:
        answers.write(json.dumps(_answer(job_of(line))).encode("ascii") + b"\n")
        answers.flush()


def request_of(job: Job) -> bytes:
    """Return *job* as a line for `serve`, without its end."""
    omitted, targets = job.changes
    row = (str(job.store), job.digest, job.members, str(job.into), [*omitted], dict(targets))
    return json.dumps(row).encode("ascii")


def job_of(line: bytes) -> Job:
    """Return the job that `request_of` returned *line* for."""
    store, digest, members, into, omitted, targets = json.loads(line)
    return Job(
        Path(store),
        digest,
        [Member(*member) for member in members],
        Path(into),
        Changes(frozenset(omitted), targets),
    )


def _answer(job: Job) -> dict[str, object]:
    try:
        return {"states": unpack(job)}
    except DamagedStore as damage:
        return {"damaged": damage.reason}
    except DiskFull:
        return {"full": True}
    except OSError as error:
        name = error.filename
        return {"error": [error.errno, error.strerror, None if name is None else str(name)]}


def result_of(line: bytes) -> States | DamagedStore:
    """Return what `serve` answered with *line*, or raise the failure that it answered."""
    answer = cast("dict[str, object]", json.loads(line))
    if "damaged" in answer:
        return DamagedStore(str(answer["damaged"]))
    if "full" in answer:
        raise DiskFull(_DOING)
    if "error" in answer:
        raise OSError(*cast("list[object]", answer["error"]))
    states = cast("dict[str, list[int]]", answer["states"])
    return {path: State(*numbers) for path, numbers in states.items()}
