"""Compiling an environment, as the build sees it."""

from pathlib import Path

import pytest

from cnb_python.environment.bytecode import Compiled, compile_all
from cnb_python.errors import BytecodeFailed, DiskFull, Killed
from cnb_python.messages import describe
from cnb_python.system.outside import Outcome
from tests.unit.environment.worlds import world

INTERPRETER = Path("/layers/python/bin/python3.13")
DIRECTORIES = (Path("/layers/venv/lib/python3.13/site-packages"),)


def test_the_apps_interpreter_compiles_on_all_cores() -> None:
    system, programs, _ = world(lambda _: Outcome(0, "12 3\n"))

    assert compile_all(INTERPRETER, DIRECTORIES, system) == Compiled(12, 3)
    (command,) = programs.ran
    assert command.argv[0] == str(INTERPRETER)
    assert command.argv[-2:] == ("2", str(DIRECTORIES[0]))
    assert command.env["PYTHONHASHSEED"] == "0"


def test_a_full_disk_is_said_to_be_full() -> None:
    system, _, _ = world(lambda _: Outcome(28, ""))

    with pytest.raises(DiskFull) as raised:
        compile_all(INTERPRETER, DIRECTORIES, system)

    assert "writing bytecode to" in describe(raised.value).body[0]


def test_a_killed_compiler_is_said_to_be_killed() -> None:
    system, _, _ = world(lambda _: Outcome(-9, ""))

    with pytest.raises(Killed):
        compile_all(INTERPRETER, DIRECTORIES, system)


@pytest.mark.parametrize("outcome", [Outcome(1, "Traceback"), Outcome(0, "nonsense")])
def test_a_compiler_that_fails_otherwise_is_our_bug(outcome: Outcome) -> None:
    system, _, _ = world(lambda _: outcome)

    with pytest.raises(BytecodeFailed):
        compile_all(INTERPRETER, DIRECTORIES, system)
