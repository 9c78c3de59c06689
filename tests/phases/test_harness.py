"""The harness itself: what runs inside ends with the process that started it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tools.platforms import rootfs
from tools.platforms.sandbox import Sandbox, run

# Changes its user, as the lifecycle does, and starts what tries to outlive it.
PROGRAM = "setsid sleep {0} & sleep {0}"
HARNESS = """\
import sys
from pathlib import Path
from tools.platforms import rootfs, sandbox
room = sandbox.Sandbox((rootfs.rootfs("build"),), Path(sys.argv[1]), user=1001, group=1000)
sandbox.run(room, "sh", "-c", sys.argv[2], timeout=60)
"""


def test_program_ends_when_its_time_is_over(tmp_path: Path) -> None:
    ended = run(_room(tmp_path), "sh", "-c", PROGRAM.format("4801"), timeout=1)

    assert ended.code is None
    assert _sleeping("4801") == []


def test_program_ends_when_the_harness_is_killed(tmp_path: Path) -> None:
    command = (sys.executable, "-c", HARNESS, tmp_path, PROGRAM.format("4802"))
    root = str(rootfs.ROOT)
    with subprocess.Popen(command, cwd=root, env={**os.environ, "PYTHONPATH": root}) as harness:
        assert _becomes(lambda: len(_sleeping("4802")) == 2)
        harness.kill()

    assert _becomes(lambda: _sleeping("4802") == [])


def test_exit_code_is_the_programs_own(tmp_path: Path) -> None:
    assert run(_room(tmp_path), "sh", "-c", "exit 51", timeout=10).code == 51


def test_signal_is_told_as_an_engine_tells_it(tmp_path: Path) -> None:
    # In a shell below the first process, which the kernel shields from its own signals.
    script = 'sh -c "kill -9 \\$\\$"; exit $?'

    assert run(_room(tmp_path), "sh", "-c", script, timeout=10).code == 128 + signal.SIGKILL


def test_nothing_is_written_to_the_root_file_system(tmp_path: Path) -> None:
    run(_room(tmp_path), "sh", "-c", "touch /left-behind && test -e /left-behind", timeout=10)

    assert not (rootfs.rootfs("build") / "left-behind").exists()


def test_confined_program_has_no_capability_and_gets_none(tmp_path: Path) -> None:
    room = replace(_room(tmp_path), user=12345, group=12345, confined=True, read_only=True)

    ended = run(room, "sh", "-c", "cat /proc/self/status; touch /x", timeout=10)

    fields = dict(line.split(":\t", 1) for line in ended.output.splitlines() if ":\t" in line)
    none = "0" * 16
    assert [fields[f"Cap{name}"] for name in ("Prm", "Eff", "Bnd", "Amb")] == [none] * 4
    assert fields["NoNewPrivs"] == "1"
    assert set(fields["Uid"].split()) == {"12345"}
    assert "Read-only file system" in ended.output


def _room(scratch: Path) -> Sandbox:
    return Sandbox((rootfs.rootfs("build"),), scratch)


def _sleeping(seconds: str) -> list[str]:
    shown = subprocess.run(
        ("pgrep", "-f", f"^sleep {seconds}$"), check=False, capture_output=True, text=True
    )
    return shown.stdout.split()


def _becomes(true: Callable[[], bool]) -> bool:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.05)
    return False
