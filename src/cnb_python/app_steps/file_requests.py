"""Writes files of packages to disk while collectstatic runs, when its process asks for them.

`missing_files`, in the app's Python, asks before each read; the read waits for the answer.

Separate from `collectstatic`, which starts this only if not every file is on disk.
"""

import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cnb_python.app_steps.read_record import ReadRecord
from cnb_python.app_steps.recording import environment_path, is_harmless
from cnb_python.errors.base import BuildpackError, ContractBroken
from cnb_python.errors.machine import DamagedStore
from cnb_python.provision.on_demand import OnDemand, ReadBefore, key_of
from cnb_python.system import json_text
from cnb_python.system.json_text import InvalidJson

# On a line of its own, whatever comes before it.
_STOP = b"\nstop\n"
# More than a path, which has up to 4 kB, can have as JSON.
_LONGEST_LINE = 64 * 1024
_READ_BYTES = 64 * 1024
# Answers, each one byte.
NOTHING, WRITTEN, FAILED = b"0", b"1", b"2"


def read_before(record: ReadRecord) -> ReadBefore | None:
    """Return what the run of *record* read of the packages; None if the record is incomplete."""
    if record.unknown:
        return None
    reads = record.environment
    paths = (*reads.contents, *reads.kinds)
    searched = [(path, name) for path, names in reads.modules.items() for name in names]
    packages = ((f"{path}/{name}" if path else name, "__init__") for path, name in searched)
    listed = frozenset((*reads.listed, *reads.entries))
    return ReadBefore(
        keys=frozenset((*map(key_of, paths), *searched, *packages)),
        directories=frozenset((*paths, *reads.modules)) | listed,
        listed=listed,
    )


@dataclass(slots=True)
class _Requests:
    """What the process asks for."""

    on_demand: OnDemand
    layers_dir: str
    """Absolute, without links."""
    failures: list[Exception] = field(default_factory=list)

    def answer(self, line: bytes) -> bytes:
        """Return the answer to the request *line*."""
        if self.failures:
            return FAILED
        try:
            return WRITTEN if self._meet(*_parsed(line)) else NOTHING
        except (BuildpackError, OSError, ValueError) as error:
            self.failures.append(error)
            return FAILED

    def _meet(self, kind: str, path: str = "", name: str = "") -> bool:
        on_demand, below = self.on_demand, environment_path(path, self.layers_dir)
        if kind == "all" or (kind == "native" and not is_harmless(path, self.layers_dir)):
            return on_demand.need_everything()
        if below is None:
            return False
        match kind:
            case "listing":
                return on_demand.need_listing(below)
            case "module":
                return on_demand.need_module(below, name)
            case _:
                return on_demand.need_path(below)


def _parsed(line: bytes) -> tuple[str, ...]:
    """Return kind, path and name of the request *line*.

    One of another form needs everything: code of the app, which shares the pipe, may write there.
    """
    try:
        request = json_text.parse(line)
    except InvalidJson:
        return ("all",)
    if not isinstance(request, list) or not 1 <= len(request) <= 3:
        return ("all",)
    texts = tuple(item for item in request if isinstance(item, str))
    return texts if len(texts) == len(request) else ("all",)


@contextmanager
def answering(on_demand: OnDemand, layers_dir: Path) -> Iterator[tuple[str, str]]:
    """Answer requests while the block runs; yield the paths of the pipes for them and for answers.

    Raises the error of writing a file, at the end of the block.
    """
    requests = _Requests(on_demand, str(layers_dir.resolve()))
    with tempfile.TemporaryDirectory(prefix="cnb-python-") as directory:
        paths = (f"{directory}/requests", f"{directory}/answers")
        for path in paths:
            os.mkfifo(path, 0o600)
        # For both directions: opening does not wait for the other end.
        descriptors = [
            os.open(paths[0], os.O_RDWR | os.O_CLOEXEC),
            # Its end that writes must not wait for one that reads: the process may only ask.
            os.open(paths[1], os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK),
        ]
        thread = threading.Thread(target=_serve, args=(*descriptors, requests.answer))
        thread.start()
        try:
            yield paths
        except Exception as error:
            if requests.failures:
                raise _failure(requests.failures[0]) from error
            raise
        finally:
            os.write(descriptors[0], _STOP)
            thread.join()
            for descriptor in descriptors:
                os.close(descriptor)
    if requests.failures:
        raise _failure(requests.failures[0])


def _failure(error: Exception) -> Exception:
    # Its digest was right when the build began.
    if isinstance(error, DamagedStore):
        return ContractBroken("The store", error.reason)
    return error


def _serve(requests: int, answers: int, answer: Callable[[bytes], bytes]) -> None:
    waiting = b""
    while True:
        waiting += os.read(requests, _READ_BYTES)
        *lines, waiting = waiting.split(b"\n")
        waiting = waiting[:_LONGEST_LINE]
        for line in filter(None, lines):
            if line == _STOP.strip():
                return
            with suppress(BlockingIOError):
                os.write(answers, answer(line))
