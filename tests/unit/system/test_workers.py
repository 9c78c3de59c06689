"""Jobs are done once, by helpers or by this process, in any order of events."""

import io
import threading
from collections.abc import Callable
from copy import replace
from typing import BinaryIO

import pytest

from cnb_python.errors.machine import DiskFull, ProgramNotStarted
from cnb_python.system import workers
from cnb_python.system.interface import Helper, HelperLost, System
from cnb_python.system.workers import Task, Workers, do_all, helpers_for
from tests.support.fake_system import world

MEGABYTE = 1024 * 1024
WAIT_SECONDS = 20


def double(request: object) -> object:
    if request == "full":
        raise DiskFull("doubling")
    assert isinstance(request, int)
    return 2 * request


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    workers.serve(requests, answers, double)


def here(job: object) -> object:
    return ("here", double(job))


TASK = Task(__name__, here, lambda job: job, lambda answer: ("helper", answer))


class Doubling:
    """A helper whose program runs in this process; it is lost at the job *last*."""

    def __init__(self, last: int = -1) -> None:
        self.last = last
        self.is_closed = False
        self.answered = threading.Semaphore(0)

    def ask(self, request: bytes) -> bytes:
        if self.is_closed or request == str(self.last).encode():
            raise HelperLost
        answers = io.BytesIO()
        serve(io.BytesIO(request + b"\n"), answers)
        self.answered.release()
        return answers.getvalue()

    def close(self) -> None:
        self.is_closed = True


def system(start: Callable[[], Helper]) -> System:
    def start_helper(module: str) -> Helper:
        assert module == __name__
        return start()

    return replace(world(lambda command: pytest.fail(str(command)))[0], start_helper=start_helper)


def test_helper_does_jobs_before_results_are_needed() -> None:
    helper = Doubling()
    with Workers(TASK, 1, system(lambda: helper)) as pool:
        for job in (1, 2):
            pool.add(job)
            assert helper.answered.acquire(timeout=WAIT_SECONDS)

        assert pool.results() == [("helper", 2), ("helper", 4)]
    assert helper.is_closed


def test_this_process_does_the_job_of_a_lost_helper_and_those_after_it() -> None:
    helper = Doubling(last=2)
    with Workers(TASK, 1, system(lambda: helper)) as pool:
        pool.add(1)
        assert helper.answered.acquire(timeout=WAIT_SECONDS)
        pool.add(2)
        pool.add(3)

        assert pool.results() == [("helper", 2), ("here", 4), ("here", 6)]
    assert helper.is_closed


def test_all_is_done_here_without_helpers() -> None:
    def fail() -> Helper:
        raise ProgramNotStarted("python", "no more processes")

    assert do_all(TASK, [1, 2], 0, system(fail)) == [("here", 2), ("here", 4)]
    assert do_all(TASK, [1, 2], 3, system(fail)) == [("here", 2), ("here", 4)]


def test_failure_of_a_helper_is_raised_with_its_cause() -> None:
    helper = Doubling()
    with Workers(TASK, 1, system(lambda: helper)) as pool:
        pool.add("full")
        assert helper.answered.acquire(timeout=WAIT_SECONDS)
        pool.add(1)

        with pytest.raises(DiskFull) as caught:
            pool.results()
    assert caught.value.doing == "doubling"


def test_helpers_end_if_no_results_are_needed() -> None:
    helper = Doubling()
    with Workers(TASK, 1, system(lambda: helper)) as pool:
        pool.add(1)
        assert helper.answered.acquire(timeout=WAIT_SECONDS)

    assert helper.is_closed


@pytest.mark.parametrize(
    ("size", "jobs", "cpus", "expected"),
    [
        (MEGABYTE, 9, 4, 0),
        (9 * MEGABYTE, 9, 4, 3),
        (9 * MEGABYTE, 2, 4, 1),
        (9 * MEGABYTE, 9, 1, 0),
        (9 * MEGABYTE, 99, 64, 7),
    ],
)
def test_number_of_helpers(size: int, jobs: int, cpus: int, expected: int) -> None:
    machine = replace(system(Doubling), cpus=cpus)

    assert helpers_for(size, jobs, machine) == expected
    assert helpers_for(size, jobs, replace(machine, start_helper=None)) == 0
