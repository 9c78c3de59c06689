"""What foreign commands leave running is ended; these tests start real processes."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from cnb_python.errors.machine import ProcessesLeft
from cnb_python.system import orphans, process
from cnb_python.system.interface import Command

GET_DUMPABLE, SET_CHILD_SUBREAPER = 3, 36
# Appends a letter to a file until it is killed.
WRITE = """
def write(path="written"):
    while True:
        with open(path, "a") as file:
            file.write("x")
        time.sleep(0.005)
"""
START = f"import ctypes, os, signal, sys, threading, time\n{WRITE}\n"
DAEMON = """
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    os.closerange(0, 100)
    os.chdir("/")
    {instructions}
    write({path!r})
while not os.path.exists({path!r}): time.sleep(0.005)
"""
# Each copy of itself lives only until it has started the next one.
MOVING = """
if os.fork() == 0:
    while True:
        os.setsid()
        with open({path!r}, "a") as file:
            file.write("x")
        if os.fork():
            os._exit(0)
while not os.path.exists({path!r}): time.sleep(0.005)
"""
GROWING = """
if os.fork() == 0:
    while len(os.listdir("/proc")) < {most}:
        with open({path!r}, "a") as file:
            file.write("x")
        if os.fork() == 0:
            os.setsid()
        time.sleep(0.02)
    # Killed, not ended by themselves.
    time.sleep(60)
while not os.path.exists({path!r}): time.sleep(0.005)
"""
# The first thread ends, which makes the process look like one that has ended.
HEADLESS = """
if os.fork() == 0:
    os.setsid()
    threading.Thread(target=write, args=({path!r},)).start()
    ctypes.CDLL(None).pthread_exit(None)
while not os.path.exists({path!r}): time.sleep(0.005)
"""


@pytest.fixture(autouse=True)
def nothing_leaves_the_process() -> None:
    """Replace the guard: starting processes is what is tested here."""


@pytest.fixture
def earlier() -> frozenset[int]:
    """The processes that other tests left."""
    return orphans.children()


def python(code: str, directory: Path, *, foreign: bool = True, shown: str = "") -> Command:
    return Command((sys.executable, "-ISc", START + code), {}, directory, shown, foreign=foreign)


def daemon(path: Path, instructions: str = "pass") -> str:
    return DAEMON.format(path=str(path), instructions=instructions)


def assert_nothing_writes(path: Path) -> None:
    size = path.stat().st_size
    time.sleep(0.1)
    assert path.stat().st_size == size


@pytest.mark.parametrize(
    "code",
    [
        DAEMON.replace("{instructions}", "pass"),
        DAEMON.replace("{instructions}", "signal.pthread_sigmask(0, range(1, 64))"),
        DAEMON.replace("{instructions}", "[signal.signal(n, signal.SIG_IGN) for n in (1, 2, 15)]"),
        MOVING,
        GROWING,
        HEADLESS,
    ],
    ids=("daemon", "blocks-signals", "ignores-signals", "moving", "growing", "headless"),
)
def test_process_that_is_left_is_killed(
    tmp_path: Path, code: str, earlier: frozenset[int]
) -> None:
    path = tmp_path / "written"

    most = len(list(Path("/proc").iterdir())) + 100

    outcome = process.run(python(code.format(path=str(path), most=most), tmp_path))

    assert_nothing_writes(path)
    assert outcome.code == 0
    assert outcome.ended > 0
    assert orphans.children() <= earlier


def test_every_killed_process_is_counted(tmp_path: Path) -> None:
    code = "".join(daemon(tmp_path / name) for name in ("first", "second", "third"))

    assert process.run(python(code, tmp_path)).ended == 3


def test_stopped_process_is_killed(tmp_path: Path, earlier: frozenset[int]) -> None:
    code = f"""
child = os.fork()
if child == 0:
    os.setsid()
    os.kill(os.getpid(), signal.SIGSTOP)
    write({str(tmp_path / "written")!r})
os.waitpid(child, os.WUNTRACED)
"""

    assert process.run(python(code, tmp_path)).ended == 1
    assert orphans.children() <= earlier


def test_process_that_ends_by_itself_is_not_counted(
    tmp_path: Path, earlier: frozenset[int]
) -> None:
    code = "if os.fork() == 0:\n    os.setsid()\n    time.sleep(0.03)\n"

    assert process.run(python(code, tmp_path)).ended == 0
    assert orphans.children() <= earlier


def test_children_of_earlier_stay(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "600"]) as earlier:
        outcome = process.run(python(daemon(tmp_path / "written"), tmp_path))

        assert outcome.ended == 1
        assert earlier.poll() is None
        earlier.kill()


def test_interrupted_foreign_command_leaves_no_daemon(
    tmp_path: Path, earlier: frozenset[int]
) -> None:
    code = daemon(tmp_path / "written") + "print('now', flush=True); time.sleep(600)"

    def interrupt(line: str) -> None:
        raise SystemExit(line)

    with pytest.raises(SystemExit, match="now"):
        process.run(python(code, tmp_path), interrupt)

    assert_nothing_writes(tmp_path / "written")
    assert orphans.children() <= earlier


def test_process_that_cannot_be_ended_stops_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, earlier: frozenset[int]
) -> None:
    monkeypatch.setattr(orphans, "PATIENCE_SECONDS", 600)
    monkeypatch.setattr(orphans, "SECONDS", 0.2)
    code = "if os.fork() == 0: os.execvp('sleep', ['sleep', '600'])"

    with pytest.raises(ProcessesLeft) as raised:
        process.run(python(code, tmp_path, shown="bin/post_compile"))

    assert raised.value.program == "bin/post_compile"
    assert raised.value.names == ("sleep",)
    for pid in orphans.children() - earlier:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


@pytest.fixture
def without_adoption(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run as on a system that refuses to make a process a subreaper."""
    prctl = ctypes.CDLL(None).prctl
    prctl(SET_CHILD_SUBREAPER, 0, 0, 0, 0)
    monkeypatch.setattr(orphans, "adopt", lambda: False)
    yield
    prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)


@pytest.mark.usefixtures("without_adoption")
def test_members_of_the_session_are_killed_without_adoption(tmp_path: Path) -> None:
    # In a group of its own, as a shell makes for a background job.
    code = daemon(tmp_path / "written").replace("os.setsid()", "os.setpgid(0, 0)")

    outcome = process.run(python(code, tmp_path))

    assert_nothing_writes(tmp_path / "written")
    assert outcome.ended == 1


def test_other_processes_of_the_user_cannot_trace_this_one(tmp_path: Path) -> None:
    process.run(python("", tmp_path))

    # https://man7.org/linux/man-pages/man2/PR_SET_DUMPABLE.2const.html
    assert ctypes.CDLL(None).prctl(GET_DUMPABLE, 0, 0, 0, 0) == 0


def test_foreign_command_runs_alone(tmp_path: Path) -> None:
    """It waits for a command that runs, and a new one waits for it."""
    first_runs = Event()
    wait = "print('runs', flush=True)\nwhile not os.path.exists('go'): time.sleep(0.005)\n"
    log = "print(int(time.monotonic_ns()))\ntime.sleep({0})\nprint(int(time.monotonic_ns()))"
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(
            process.run,
            python(wait + log.format(0), tmp_path, foreign=False),
            lambda _: first_runs.set(),
        )
        assert first_runs.wait(20)
        foreign = pool.submit(process.run, python(log.format(0.1), tmp_path))
        time.sleep(0.1)
        later = pool.submit(process.run, python(log.format(0), tmp_path, foreign=False))
        time.sleep(0.1)
        assert not foreign.done()
        assert not later.done()
        (tmp_path / "go").touch()
        times = [
            [int(line) for line in future.result().output.splitlines() if line.isdecimal()]
            for future in (first, foreign, later)
        ]

    order = [each for pair in times for each in pair]
    assert order == sorted(order)


def test_ordinary_commands_run_at_the_same_time(tmp_path: Path) -> None:
    """Each waits for a file that the other writes."""
    code = "open({0!r}, 'w').close()\nwhile not os.path.exists({1!r}): time.sleep(0.005)"
    pairs = (("a", "b"), ("b", "a"))
    with ThreadPoolExecutor(2) as pool:
        commands = [python(code.format(*pair), tmp_path, foreign=False) for pair in pairs]
        outcomes = list(pool.map(process.run, commands))

    assert [outcome.code for outcome in outcomes] == [0, 0]


def test_interrupted_wait_for_a_turn_holds_nothing_back(tmp_path: Path) -> None:
    """SIGTERM comes while a foreign command waits for a command that runs."""
    turns = process._Turns()  # noqa: SLF001 - a build ends here, so only its parts can be tested

    def terminate(*_: object) -> None:
        raise SystemExit(143)

    before = signal.signal(signal.SIGALRM, terminate)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with turns.shared(), pytest.raises(SystemExit), turns.alone():
            pytest.fail("it did not wait")
    finally:
        signal.signal(signal.SIGALRM, before)
    with turns.shared(), turns.shared():
        (tmp_path / "free").touch()
    with turns.alone():
        assert (tmp_path / "free").exists()
