"""Processes of the buildpack that do a part of its work; these tests start them."""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cnb_python.errors.machine import ProgramNotStarted
from cnb_python.store import unpacking
from cnb_python.system.interface import HelperLost
from cnb_python.system.process import HelperProcess

WAIT_SECONDS = 20


@pytest.fixture(autouse=True)
def nothing_leaves_the_process() -> None:
    """Replace the guard: starting processes is what is tested here."""


@pytest.fixture
def helper() -> Iterator[HelperProcess]:
    process = HelperProcess(unpacking.__name__)
    yield process
    process.close()


def request(directory: Path) -> bytes:
    job = unpacking.Job(directory, "", (), directory)
    return json.dumps(unpacking.request_of(job)).encode("ascii")


def test_helper_answers_each_request(helper: HelperProcess, tmp_path: Path) -> None:
    assert helper.ask(request(tmp_path)) == b'{"value": ""}\n'
    assert helper.ask(request(tmp_path)) == b'{"value": ""}\n'


def test_helper_has_no_variables(helper: HelperProcess, tmp_path: Path) -> None:
    helper.ask(request(tmp_path))

    assert Path(f"/proc/{helper.pid}/environ").read_bytes() == b""


def test_killed_helper_is_lost(helper: HelperProcess, tmp_path: Path) -> None:
    helper.ask(request(tmp_path))
    os.kill(helper.pid, signal.SIGKILL)

    with pytest.raises(HelperLost):
        helper.ask(request(tmp_path))


def test_module_that_cannot_be_loaded_is_a_lost_helper(tmp_path: Path) -> None:
    helper = HelperProcess("cnb_python.no_such_module")
    try:
        with pytest.raises(HelperLost):
            helper.ask(request(tmp_path))
    finally:
        helper.close()


def test_closed_helper_is_lost_and_ended(helper: HelperProcess, tmp_path: Path) -> None:
    helper.close()

    with pytest.raises(HelperLost):
        helper.ask(request(tmp_path))
    assert not Path(f"/proc/{helper.pid}").exists()


def test_helper_ends_with_its_parent(tmp_path: Path) -> None:
    code = (
        "import os, sys, time\n"
        f"sys.path.append({os.fspath(Path(unpacking.__file__).parents[2])!r})\n"
        "from cnb_python.system.process import HelperProcess\n"
        f"helper = HelperProcess({unpacking.__name__!r})\n"
        f"helper.ask({request(tmp_path)!r})\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(helper.pid))\n"
        "os.kill(os.getpid(), 9)\n"
    )
    os.waitpid(os.posix_spawn(sys.executable, [sys.executable, "-I", "-c", code], {}), 0)
    helper = Path("/proc") / (tmp_path / "pid").read_text()

    end = time.monotonic() + WAIT_SECONDS
    while helper.exists() and "Z" not in (helper / "stat").read_text().split()[2]:
        assert time.monotonic() < end
        time.sleep(0.02)


def test_interpreter_that_cannot_be_started_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")

    with pytest.raises(ProgramNotStarted):
        HelperProcess(unpacking.__name__)
