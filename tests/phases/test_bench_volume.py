"""The file system that the benchmark mounts for itself, and what is left of it afterwards."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.bench import disk
from tools.bench.volume import MOUNTS
from tools.package.assemble import ROOT

PROGRAM = """
import signal, sys, time
from tools.bench import disk
from tools.bench.volume import MOUNTS, ending_by_signals, mounted
# The shell of a test may have turned it off.
signal.signal(signal.SIGINT, signal.default_int_handler)
with ending_by_signals(), mounted(MOUNTS[sys.argv[1]], 50_000_000) as point:
    (point / "file").write_bytes(bytes(5_000_000))
    print(point, disk.file_system(point), flush=True)
    while True:
        time.sleep(0.1)
"""


@pytest.fixture(params=MOUNTS)
def started(
    request: pytest.FixtureRequest, tmp_path: Path
) -> tuple[subprocess.Popen[str], Path, str]:
    process = subprocess.Popen(
        (sys.executable, "-c", PROGRAM, request.param),
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    point, _, kind = process.stdout.readline().strip().partition(" ")
    return process, Path(point), kind


def loop_files() -> str:
    return subprocess.check_output(("losetup", "--list", "--output", "BACK-FILE"), text=True)


def wait_until_gone(text: str) -> None:
    until = time.monotonic() + 120
    while text in loop_files():
        assert time.monotonic() < until
        time.sleep(0.1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_of_the_file_system(
    started: tuple[subprocess.Popen[str], Path, str], number: signal.Signals, tmp_path: Path
) -> None:
    process, point, kind = started
    with process:
        assert point.parent == tmp_path
        assert disk.problem(kind) == ""
        # Other processes see an empty directory, and no file.
        assert list(tmp_path.iterdir()) == [point]
        assert list(point.iterdir()) == []
        process.send_signal(number)
        process.communicate(timeout=180)
    wait_until_gone(point.name)
    if number != signal.SIGKILL:
        assert list(tmp_path.iterdir()) == []


# An overlay whose upper directory cannot be seen, as in a container, and no right to mount.
UNFIT = """
mkdir base merged
mount -t tmpfs base base
mkdir base/lower base/upper base/work
mount -t overlay -o "lowerdir=$PWD/base/lower,upperdir=$PWD/base/upper,workdir=$PWD/base/work" \
    overlay merged
umount --lazy base
TMPDIR=$PWD/merged exec setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin "$@"
"""
UNMOVED = """
import json, tempfile
from tools.bench.volume import volume
with volume() as place:
    facts = [place.moved, place.file_system, place.warning, place.engine_data]
    print(json.dumps([*facts, tempfile.gettempdir() == f"{place.folder}/tmp"]))
"""


def test_measures_anyway_with_a_warning_if_it_cannot_move(tmp_path: Path) -> None:
    program = (sys.executable, "-c", UNMOVED)
    output = subprocess.check_output(
        ("unshare", "--mount", "sh", "-euc", UNFIT, "sh", *program),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
    )
    *log, facts = output.splitlines()
    moved, file_system, warning, engine_data, is_temporary = json.loads(facts)
    assert (moved, file_system, engine_data, is_temporary) == (False, "overlay", None, True)
    assert warning.startswith("do not compare these figures with others: ")
    assert [line.partition(":")[0] for line in log] == [
        *(f"  no {name}" for name in MOUNTS),
        "Warning",
    ]
