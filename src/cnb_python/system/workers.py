"""Does jobs in this process and in helpers, since Python code in threads takes turns.

`Workers` is the side of this process, `serve` the program of a helper.
"""

import json
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO, Self, cast

from cnb_python.errors.machine import DiskFull, ProgramNotStarted
from cnb_python.system.interface import Helper, HelperLost, System

# Starting a process takes as long as handling this much.
_WORTH_A_PROCESS_BYTES = 4 * 1024 * 1024
# More would mostly wait for the disk.
_PROCESSES_AT_MOST = 8


@dataclass(frozen=True, slots=True)
class Task[Job, Result]:
    """A kind of job. Doing a job twice, the first time partly, must give the same result."""

    module: str
    """Has a function `serve`, the program of a helper, which calls the one below."""
    do: Callable[[Job], Result]
    """Does a job in this process. Raises DiskFull and OSError, which a helper can pass on."""
    request_of: Callable[[Job], object]
    """Returns a job as JSON, for a helper."""
    result_of: Callable[[object], Result]
    """Returns what a helper answered as JSON."""


def helpers_for(size: int, jobs: int, system: System) -> int:
    """Return how many helpers to start for *jobs* with *size* bytes in total."""
    if system.start_helper is None or size < _WORTH_A_PROCESS_BYTES:
        return 0
    return min(system.cpus, _PROCESSES_AT_MOST, jobs) - 1


class Workers[Job, Result]:
    """Does the jobs that are added: helpers at once, and this process in `results`.

    What a helper did not finish, because it could not be started or was ended, this process does.
    As a context manager, it ends the helpers when its block is left.
    """

    def __init__(self, task: Task[Job, Result], helpers: int, system: System) -> None:
        self._task = task
        self._system = system
        self._jobs: list[Job] = []
        self._waiting = deque[int]()
        self._results: dict[int, Result] = {}
        self._failures: list[Exception] = []
        self._helpers: list[Helper] = []
        self._changed = threading.Condition()
        self._is_complete = False
        """No job will be added."""
        self._threads = [threading.Thread(target=self._work_in_helper) for _ in range(helpers)]

    def __enter__(self) -> Self:
        """Start the helpers."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the helpers."""
        self._stop()
        for thread in self._threads:
            thread.join()

    def add(self, job: Job) -> None:
        """Have *job* done after those that were added before."""
        with self._changed:
            self._jobs.append(job)
            if not self._failures:
                self._waiting.append(len(self._jobs) - 1)
            self._changed.notify()

    def results(self) -> list[Result]:
        """Do the remaining jobs; return the results of all, in the order they were added.

        Raises what the first failed job raised; the others are not complete then.
        """
        with self._changed:
            self._is_complete = True
            self._changed.notify_all()
        self._work_here()
        for thread in self._threads:
            thread.join()
        if self._failures:
            raise self._failures[0]
        self._work_here()  # what helpers gave back
        return [self._results[index] for index in range(len(self._jobs))]

    def _work_here(self) -> None:
        while (index := self._next()) is not None:
            self._results[index] = self._task.do(self._jobs[index])

    def _next(self) -> int | None:
        """Return the number of the next job; None if there will be none."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_complete)
            return self._waiting.popleft() if self._waiting else None

    def _stop(self) -> None:
        """Begin no other job, and end the helpers."""
        with self._changed:
            self._is_complete = True
            self._waiting.clear()
            self._changed.notify_all()
            for helper in self._helpers:
                helper.close()

    def _work_in_helper(self) -> None:
        helper = self._started()
        if helper is None:
            return
        try:
            self._ask(helper)
        except Exception as error:  # noqa: BLE001 - `results` raises it
            self._failures.append(error)
            self._stop()
        finally:
            helper.close()

    def _started(self) -> Helper | None:
        try:
            helper = self._system.start_helper and self._system.start_helper(self._task.module)
        except ProgramNotStarted:
            return None
        if helper is not None:
            with self._changed:
                self._helpers.append(helper)
        return helper

    def _ask(self, helper: Helper) -> None:
        while (index := self._next()) is not None:
            request = json.dumps(self._task.request_of(self._jobs[index]))
            try:
                answer = helper.ask(request.encode("ascii"))
            except HelperLost:
                # It must not write any more when this process begins the same job.
                helper.close()
                with self._changed:
                    self._waiting.append(index)
                return
            self._results[index] = self._task.result_of(_value_of(answer))


def do_all[Job, Result](
    task: Task[Job, Result], jobs: Iterable[Job], helpers: int, system: System
) -> list[Result]:
    """Return the results of all *jobs*, which are begun in their order. Raises as `results`."""
    with Workers(task, helpers, system) as workers:
        for job in jobs:
            workers.add(job)
        return workers.results()


def serve(requests: BinaryIO, answers: BinaryIO, do: Callable[[object], object]) -> None:
    """Answer each line of *requests* with what *do* returns for it; both are JSON."""
    for line in requests:
        answer = json.dumps(_answer(json.loads(line), do))
        answers.write(answer.encode("ascii") + b"\n")
        answers.flush()


def _answer(request: object, do: Callable[[object], object]) -> dict[str, object]:
    try:
        return {"value": do(request)}
    except DiskFull as error:
        return {"full": error.doing}
    except OSError as error:
        name = error.filename
        return {"error": [error.errno, error.strerror, None if name is None else str(name)]}


def _value_of(line: bytes) -> object:
    """Return the value that a helper answered with *line*, or raise the failure it answered."""
    answer = cast("dict[str, object]", json.loads(line))
    if "full" in answer:
        raise DiskFull(str(answer["full"]))
    if "error" in answer:
        raise OSError(*cast("list[object]", answer["error"]))
    return answer["value"]
