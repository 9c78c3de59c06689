"""Unpacks several archives of the store at once, in processes: in threads, they would take turns.

`serve` is the program of the other processes. Separate from `archive`, which knows one archive.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple, cast

from cnb_python.cnb.disk import State
from cnb_python.errors.machine import DamagedStore
from cnb_python.store import archive, files
from cnb_python.store.archive import NO_CHANGES, Changes, Member
from cnb_python.system import workers
from cnb_python.system.interface import System
from cnb_python.system.workers import Task

ARCHIVE = ".tar.zst"
"""The suffix of the archives in a store."""
_DOING = "unpacking the store"
_MISSING = ""

type States = dict[str, State]
"""The state of each written file and link, by its path."""


type _Row = tuple[str, Literal["f", "x", "l", "d"], int, str]
type _Request = tuple[str, str, list[_Row], str, list[str], dict[str, str]]


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
    order = sorted(range(len(jobs)), key=lambda index: -sizes[index])
    helpers = workers.helpers_for(sum(sizes), len(jobs), system)
    results = workers.do_all(_TASK, [jobs[index] for index in order], helpers, system)
    by_index = dict(zip(order, results, strict=True))
    return [by_index[index] for index in range(len(jobs))]


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Unpack what each line of *requests* describes; answer each with a line."""
    workers.serve(requests, answers, lambda request: _answer_of(_unpacked(job_of(request))))


def _unpacked(job: Job) -> States | DamagedStore:
    try:
        return unpack(job)
    except DamagedStore as damage:
        return damage


def request_of(job: Job) -> object:
    """Return *job* as JSON."""
    omitted, targets = job.changes
    return (str(job.store), job.digest, job.members, str(job.into), [*omitted], dict(targets))


def job_of(request: object) -> Job:
    """Return the job that `request_of` returned *request* for."""
    store, digest, members, into, omitted, targets = cast("_Request", request)
    return Job(
        Path(store),
        digest,
        [Member(*member) for member in members],
        Path(into),
        Changes(frozenset(omitted), targets),
    )


def _answer_of(result: States | DamagedStore) -> object:
    return result.reason if isinstance(result, DamagedStore) else result


def _result_of(answer: object) -> States | DamagedStore:
    if isinstance(answer, str):
        return DamagedStore(answer)
    states = cast("dict[str, list[int]]", answer)
    return {path: State(*numbers) for path, numbers in states.items()}


_TASK = Task(__name__, _unpacked, request_of, _result_of)
