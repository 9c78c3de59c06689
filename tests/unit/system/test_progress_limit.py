"""Programs without progress are ended; these tests start real processes."""

import io
import itertools
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from cnb_python.errors.machine import NoProgress, TookTooLong
from cnb_python.system import process, progress_limit
from cnb_python.system.interface import Command, Outcome, System
from cnb_python.system.limits import Limits
from cnb_python.system.output import Console
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
    return Command(argv, {}, directory, shown="pip install", limits=Limits(seconds))


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def idle_after(
    work_of: WorkOf,
    step: float = 5,
    limits: Limits = Limits(1000, 0),  # noqa: B008 - a constant
    longest: int = 4000,
    received: Callable[[], int | None] = lambda: None,
) -> float:
    """Return when a silent command with the work of *work_of* is ended; 0: never."""
    clock = Clock()
    progress = ProgressLimit(limits, 1, clock, work_of, received)
    while clock.now < longest:
        clock.now += step
        if progress.excess():
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


def unreadable(_: int) -> dict[int, ProcessWork]:
    """Return the work of a process whose written bytes the system does not allow to read."""
    return {1: ProcessWork(0, None)}


def test_received_bytes_count_where_written_ones_cannot_be_read() -> None:
    assert idle_after(unreadable, received=lambda: 10**12) == 1000
    slow, fast = itertools.count(10**12, 100), itertools.count(10**12, 50_000)
    assert idle_after(unreadable, received=lambda: next(slow)) == 1000
    assert idle_after(unreadable, received=lambda: next(fast)) == 0


def test_received_bytes_do_not_count_where_written_ones_can_be_read() -> None:
    fast = itertools.count(0, 50_000)

    assert idle_after(growing(), received=lambda: next(fast)) == 1000


def test_bytes_that_the_system_has_received_are_read() -> None:
    before = progress_limit.received_bytes()
    with socket.create_server(("127.0.0.1", 0)) as server:
        sender = socket.create_connection(server.getsockname())
        receiver, _ = server.accept()
        sender.sendall(b"x" * 50_000)
        while len(receiver.recv(50_000, socket.MSG_PEEK)) < 50_000:
            time.sleep(0.01)
        sender.close()
        receiver.close()
    after = progress_limit.received_bytes()

    assert before is not None
    assert after is not None
    assert after - before >= 50_000


def test_system_without_figures_sets_no_limit_but_the_total_one() -> None:
    assert idle_after(unreadable) == 0
    assert idle_after(lambda _: {}) == 0
    assert idle_after(lambda _: {}, limits=Limits(1000, 2000)) == 2000


def test_time_in_which_the_build_itself_was_stopped_does_not_count() -> None:
    clock = Clock()
    progress = ProgressLimit(Limits(1000, 1000), 1, clock, growing())

    clock.now = 500_000

    assert not progress.excess()


def printing(work_of: WorkOf, limits: Limits) -> tuple[float, str]:
    """Return when, and why, a command that prints every 10 s is ended; 0: never."""
    clock = Clock()
    progress = ProgressLimit(limits, 1, clock, work_of)
    for clock.now in range(10, 20_000, 10):
        progress.note_output()
        if excess := progress.excess():
            return clock.now, excess
    return 0, ""


def test_output_is_progress_for_eight_times_as_long() -> None:
    assert printing(growing(), Limits(100, 0)) == (800, "printing")
    assert printing(growing(cpu=0.05), Limits(100, 0)) == (800, "printing")


def test_output_and_work_are_progress_without_end() -> None:
    assert printing(growing(cpu=0.2), Limits(100, 0)) == (0, "")
    assert printing(growing(written=50_000), Limits(100, 0)) == (0, "")


def test_work_without_end_is_ended_by_the_total_limit() -> None:
    assert printing(growing(cpu=10), Limits(100, 3600)) == (3600, "time")
    assert printing(growing(cpu=10), Limits(0, 3600)) == (3600, "time")


def test_no_limit() -> None:
    assert idle_after(growing(), limits=Limits(0, 0)) == 0
    assert printing(growing(), Limits(0, 0)) == (0, "")


def test_limits_of_a_build_leave_hours_to_honest_programs() -> None:
    assert Limits() == (1800, 86_400)


def test_system_gives_its_limits_to_every_program(tmp_path: Path) -> None:
    commands: list[Command] = []

    def run(command: Command, on_line: Callable[[str], None] | None = None) -> Outcome:
        del on_line
        commands.append(command)
        return Outcome(0, "")

    system = System(run, lambda *_: None, Console(io.StringIO()), date(2026, 1, 1), 1)
    system.limited(Limits(3, 4)).run(Command(("a",), {}, tmp_path))

    assert [command.limits for command in commands] == [Limits(3, 4)]


def test_program_that_only_prints_is_ended(tmp_path: Path) -> None:
    code = "import time\nwhile True: print('waiting', flush=True); time.sleep(0.2)"

    with pytest.raises(NoProgress) as raised:
        process.run(limited(code, tmp_path))

    message = raised.value.describe()
    assert message.title == "pip install made no progress for 8 s"
    assert "in 8 s it printed text now and then, used less than 1%" in message.body[0]
    assert "BP_PYTHON_IDLE_TIMEOUT=2 " in message.fixes[1]


def test_program_that_never_ends_is_ended(tmp_path: Path) -> None:
    command = replace(limited("while True: print('y')", tmp_path), limits=Limits(0, 1))

    with pytest.raises(TookTooLong) as raised:
        process.run(command)

    message = raised.value.describe()
    assert message.title == "pip install took longer than 1 s"
    assert "BP_PYTHON_TIMEOUT=2 (0: no limit)" in message.fixes[1]


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
