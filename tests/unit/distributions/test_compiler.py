"""The bytecode compiler as a process: only real workers show how it handles them."""

import marshal
import shlex
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cnb_python.distributions.bytecode import (
    Compiled,
    Package,
    SourceFile,
    compile_all,
    compile_modules,
)
from cnb_python.errors.machine import DiskFull, Killed
from cnb_python.system import process
from cnb_python.system.interface import Command, Outcome, System
from tests.support.fake_system import world

RUN = (
    "import runpy, sys; sys.argv = sys.argv[4:]; runpy.run_path(sys.argv[0], run_name='__main__')"
)
KILLED = "import marshal, os\nmarshal.dumps = lambda *_: os.kill(os.getpid(), {})\n"
FULL = (
    "import errno, os\n"
    "def refuse(*_, **__): raise OSError(errno.ENOSPC, 'no space')\n"
    "os.fdopen = refuse\n"
)
SMALL_PIPES = (
    "import fcntl, os\nmake = os.pipe\n"
    "def pipe():\n"
    "    ends = make()\n"
    "    fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, 4096)\n"
    "    return ends\n"
    "os.pipe = pipe\n"
)


@pytest.fixture(autouse=True)
def nothing_leaves_the_process() -> None:
    """Replace the guard, since these tests start processes."""


@pytest.fixture
def system() -> System:
    return replace(world(lambda _: Outcome(1, ""))[0], run=process.run)


def interpreter(directory: Path, *, condition: str = "") -> Path:
    """Return an interpreter in which *where* holds; one that hangs ends after a minute."""
    prelude, program = directory / "prelude.py", directory / "python"
    prelude.write_text(condition + RUN)
    command = shlex.join(("timeout", "--foreground", "60", sys.executable, str(prelude)))
    program.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    program.chmod(0o755)
    return program


def modules(directory: Path, count: int) -> Path:
    packages = directory / "packages"
    packages.mkdir()
    for number in range(count):
        (packages / f"module_{number}.py").touch()
    return packages


def test_modules_that_do_not_compile_are_counted(tmp_path: Path, system: System) -> None:
    packages = modules(tmp_path, 3)
    (packages / "template.py").write_text("{{ name }} =\n")

    assert compile_all(interpreter(tmp_path), (packages,), system) == Compiled(3, 1)
    assert len(list(packages.glob("__pycache__/*.pyc"))) == 3


def test_empty_order_succeeds(tmp_path: Path, system: System) -> None:
    assert compile_all(interpreter(tmp_path), (modules(tmp_path, 0),), system) == Compiled(0, 0)


@pytest.mark.parametrize("signal", [9, 11, 15])
def test_signal_that_ends_worker_is_reported(tmp_path: Path, system: System, signal: int) -> None:
    killed = interpreter(tmp_path, condition=KILLED.format(signal))

    with pytest.raises(Killed) as raised:
        compile_all(killed, (modules(tmp_path, 5),), system)

    assert raised.value.signal == signal


def test_full_disk_is_reported(tmp_path: Path, system: System) -> None:
    with pytest.raises(DiskFull):
        compile_all(interpreter(tmp_path, condition=FULL), (modules(tmp_path, 5),), system)


def test_any_number_of_results_fits_in_memory(tmp_path: Path, system: System) -> None:
    packages = modules(tmp_path, 1500)

    compiled = compile_all(interpreter(tmp_path, condition=SMALL_PIPES), (packages,), system)

    assert compiled == Compiled(1500, 0)


def test_code_has_final_file_name(tmp_path: Path, system: System) -> None:
    packages = modules(tmp_path, 0)
    (packages / "shown.py").write_text("def call(): pass\n")

    compile_modules(
        interpreter(tmp_path),
        [Package(packages, Path("/layers/venv"), [SourceFile("shown.py", 1)])],
        system,
    )

    (written,) = packages.glob("__pycache__/shown.*.pyc")
    assert marshal.loads(written.read_bytes()[16:]).co_filename == "/layers/venv/shown.py"


def test_bytecode_is_unchecked(tmp_path: Path, system: System) -> None:
    compile_all(interpreter(tmp_path), (packages := modules(tmp_path, 1),), system)

    (written,) = packages.glob("__pycache__/*.pyc")
    # PEP 552: bit 0: based on a hash, bit 1: Python checks the source.
    assert written.read_bytes()[4:8] == b"\1\0\0\0"
    assert written.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    "content", ["print 'python 2'", "\0", "'\udcff'", "(" * 5000, "# coding: klingon"]
)
def test_broken_sources_do_not_stop_others(tmp_path: Path, system: System, content: str) -> None:
    packages = modules(tmp_path, 1)
    (packages / "bad.py").write_bytes(content.encode(errors="surrogateescape"))

    assert compile_all(interpreter(tmp_path), (packages,), system) == Compiled(1, 1)


def test_warnings_are_not_printed(tmp_path: Path) -> None:
    packages, outputs = modules(tmp_path, 0), list[str]()
    (packages / "warned.py").write_text("PATTERN = '\\d'\nassert (1, 'always true')\n")

    def run(command: Command, on_line: object = None) -> Outcome:
        del on_line
        outcome = process.run(command)
        outputs.append(outcome.output)
        return outcome

    compile_all(
        interpreter(tmp_path), (packages,), replace(world(lambda _: Outcome(1, ""))[0], run=run)
    )

    assert outputs == ["group 0\n1 0\n"]


def test_bytecode_does_not_depend_on_earlier_modules(tmp_path: Path, system: System) -> None:
    packages = modules(tmp_path, 0)
    shared = "import os\nNAMES = ('a b', 'c', 1000, 2.5)\ndef call(a=1000, *, b='a b'): return a\n"
    for name, content in (
        ("a.py", shared * 9),
        ("b.py", shared),
        ("c.py", f"X = {{'c', 'd'}}\n{shared}"),
    ):
        (packages / name).write_text(content)
    digests = []
    for names in (("a.py", "b.py", "c.py"), ("b.py", "c.py"), ("c.py",)):
        compile_modules(
            interpreter(tmp_path),
            [Package(packages, Path("/layers/venv"), [SourceFile(name, 1) for name in names])],
            system,
        )
        (written,) = packages.glob("__pycache__/c.*.pyc")
        digests.append(written.read_bytes())
        written.unlink()

    assert digests[0] == digests[1] == digests[2]
