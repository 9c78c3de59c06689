"""Programs without progress are ended; these tests start real processes."""

import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cnb_python.errors.machine import NoProgress
from cnb_python.system import process, progress_limit
from cnb_python.system.interface import Command
from cnb_python.system.progress_limit import ProcessWork, ProgressLimit, WorkOf
from tests.support import raw_server

DRIPPING = """\
import socket, sys
server = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
server.sendall(b"GET / HTTP/1.1\\r\\n\\r\\n")
while server.recv(1): pass
"""
# As a shell does with compilers: the process itself only waits.
BUSY_CHILDREN = """\
import subprocess, sys, time
code = "import time; end = time.monotonic() + 0.2\\nwhile time.monotonic() < end: pass"
for _ in range(15): subprocess.run([sys.executable, "-I", "-S", "-c", code])
"""
# As a build daemon: it leaves the session, and only waits are left in it.
DAEMON = """\
import os, signal, socket, sys, time
reader, writer = os.pipe()
if not os.fork():
    os.setsid()
    if os.fork(): os._exit(0)
    os.close(0); os.close(1); os.close(2); os.close(reader)
    {work}
    os._exit(0)
os.wait()
os.close(writer)
os.read(reader, 1)
"""
COMPUTES = "end = time.monotonic() + 4\n    while time.monotonic() < end: pass"
DRIPS = DRIPPING.partition("\n")[2].replace("\n", "\n    ")


@pytest.fixture(autouse=True)
def nothing_leaves_the_process() -> None:
    """Replace the guard: starting processes is what is tested here."""


def limited(code: str, directory: Path, *arguments: str, seconds: int = 1) -> Command:
    argv = (sys.executable, "-I", "-S", "-c", code, *arguments)
    return Command(argv, {}, directory, shown="pip install", idle_seconds=seconds)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def idle_after(work_of: WorkOf, step: float = 5, limit: int = 1000, longest: int = 4000) -> float:
    """Return when a command with the work of *work_of* is ended; 0: never."""
    clock = Clock()
    progress = ProgressLimit(limit, 1, clock, work_of)
    while clock.now < longest:
        clock.now += step
        if progress.is_exceeded():
            return clock.now
    return 0


def growing(cpu: float = 0, written: int = 0) -> WorkOf:
    """Return the work of a process that grows by so much with each measurement."""
    measurements: Iterator[int] = iter(range(1, 10_000))

    def work_of(_: int) -> dict[int, ProcessWork]:
        number = next(measurements)
        return {1: ProcessWork(number * cpu, number * written)}

    return work_of


def test_slow_server_is_not_progress() -> None:
    assert idle_after(growing()) == 1000
    assert idle_after(growing(cpu=0.01, written=100)) == 1000


def test_work_of_processors_or_written_data_is_progress() -> None:
    # Measured each 10 seconds: 2% of a processor, or 5 kB per second.
    assert idle_after(growing(cpu=0.2)) == 0
    assert idle_after(growing(written=50_000)) == 0


def test_work_of_short_processes_counts() -> None:
    measurements = iter(range(10_000))

    assert idle_after(lambda _: {next(measurements): ProcessWork(0.3, 0)}) == 0


def test_unreadable_work_is_taken_for_progress() -> None:
    assert idle_after(lambda _: {1: ProcessWork(0, None)}) == 0


def test_system_without_processes_to_read_sets_no_limit() -> None:
    assert idle_after(lambda _: {}) == 0


def test_time_in_which_the_build_itself_was_stopped_does_not_count() -> None:
    clock = Clock()
    progress = ProgressLimit(1000, 1, clock, growing())

    clock.now = 500_000

    assert not progress.is_exceeded()


def test_output_is_progress() -> None:
    clock = Clock()
    progress = ProgressLimit(100, 1, clock, growing())
    for clock.now in range(10, 2000, 10):
        progress.note_output()
        assert not progress.is_exceeded()


def test_no_limit() -> None:
    assert idle_after(growing(), limit=0) == 0


def test_program_that_waits_for_a_dripping_server_is_ended(tmp_path: Path) -> None:
    with raw_server.running(raw_server.dripping(b"x" * 100_000, 0.05)) as server:
        port = server.url.rpartition(":")[2]
        started = time.monotonic()

        with pytest.raises(NoProgress) as raised:
            process.run(limited(DRIPPING, tmp_path, port))

        assert time.monotonic() - started < 60
        assert raised.value.servers == (f"127.0.0.1:{port}",)
    message = raised.value.describe()
    assert message.title == "pip install made no progress for 1 s"
    assert f"It was connected to 127.0.0.1:{port}." in message.body
    assert "BP_PYTHON_IDLE_TIMEOUT=2" in message.fixes[1]


@pytest.mark.parametrize("foreign", [False, True])
def test_all_processes_are_ended(foreign: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a case
    code = (
        "import os, pathlib, signal, time\n"
        "child = os.fork()\n"
        "if child: pathlib.Path('child').write_text(str(child))\n"
        "else: signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "os.close(1); os.close(2); time.sleep(300)"
    )

    with pytest.raises(NoProgress):
        process.run(replace(limited(code, tmp_path), foreign=foreign))

    child = int((tmp_path / "child").read_text())
    end = time.monotonic() + 20
    while "State:\tZ" not in _status(child):
        assert time.monotonic() < end
        time.sleep(0.02)


def _status(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return "State:\tZ"


def test_children_that_compute_are_progress(tmp_path: Path) -> None:
    assert process.run(limited(BUSY_CHILDREN, tmp_path)).code == 0


def test_children_that_compute_in_a_session_of_their_own_are_progress(tmp_path: Path) -> None:
    code = BUSY_CHILDREN.replace("code])", "code], start_new_session=True)")

    assert process.run(limited(code, tmp_path)).code == 0


def test_daemon_that_computes_is_progress(tmp_path: Path) -> None:
    code = DAEMON.format(work=COMPUTES)

    assert process.run(replace(limited(code, tmp_path), foreign=True)).code == 0


def test_process_of_another_command_does_not_count() -> None:
    other = subprocess.Popen((sys.executable, "-I", "-c", "import time; time.sleep(300)"))
    try:
        assert other.pid in progress_limit.work_of_session(-1, frozenset())
        assert other.pid not in progress_limit.work_of_session(-1, frozenset({other.pid}))
        assert other.pid not in progress_limit.work_of_session(-1)
    finally:
        other.kill()
        other.wait()


def test_daemon_that_waits_for_a_dripping_server_is_ended(tmp_path: Path) -> None:
    with raw_server.running(raw_server.dripping(b"x" * 100_000, 0.05)) as server:
        port = server.url.rpartition(":")[2]
        command = limited(DAEMON.format(work=DRIPS), tmp_path, port)

        with pytest.raises(NoProgress) as raised:
            process.run(replace(command, foreign=True))

    assert raised.value.servers == (f"127.0.0.1:{port}",)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("127.0.0.1", "127.0.0.1:443"),
        ("2001:db8::1", "[2001:db8::1]:443"),
        ("::ffff:10.0.0.1", "10.0.0.1:443"),
    ],
)
def test_addresses_of_the_kernel_are_read(address: str, shown: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    packed = socket.inet_pton(family, address)
    words = struct.unpack(f"={len(packed) // 4}I", packed)

    assert progress_limit.read_address(f"{''.join(f'{word:08X}' for word in words)}:01BB") == shown
