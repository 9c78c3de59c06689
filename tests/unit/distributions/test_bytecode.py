"""Calling the bytecode compiler, and what its exit codes mean."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cnb_python.distributions.bytecode import (
    Compiled,
    Package,
    SourceFile,
    compile_all,
    compile_modules,
)
from cnb_python.distributions.scan import FileEntry, bytecode_of
from cnb_python.errors.base import BytecodeFailed
from cnb_python.errors.machine import DiskFull, Killed
from cnb_python.system.interface import Command, Outcome, System
from tests.support.fake_system import world

INTERPRETER = Path("/layers/python/bin/python3.13")
FINAL = Path("/layers/venv")
KIB = 1024


def answering(outcome: Outcome) -> tuple[System, list[list[dict[str, object]]]]:
    """Return a system whose compiler returns *outcome*, and the orders that it got."""
    orders: list[list[dict[str, object]]] = []

    def answer(command: Command) -> Outcome:
        orders.append(json.loads(Path(command.argv[-1]).read_bytes()))
        return outcome

    return world(answer)[0], orders


def compiled(system: System, *packages: list[SourceFile]) -> Compiled:
    roots = [Package(Path("/work/root"), FINAL, package) for package in packages]
    return compile_modules(INTERPRETER, roots, system)


def files(order: list[dict[str, object]]) -> list[object]:
    """Return the files of each group of *order*."""
    return [group["files"] for group in order]


def test_app_interpreter_compiles_on_all_cores() -> None:
    answer: Callable[[Command], Outcome] = lambda _: Outcome(0, "12 3\n")  # noqa: E731 - typed
    system, programs, _ = world(answer)

    assert compiled(system, [SourceFile("lib/a.py", 1)]) == Compiled(12, 3)
    (command,) = programs.ran
    assert command.argv[0] == str(INTERPRETER)
    assert command.argv[-2] == "2"
    assert command.env["PYTHONHASHSEED"] == "0"


def test_modules_are_passed_in_file() -> None:
    system, orders = answering(Outcome(0, "50000 0\n"))
    package = [SourceFile(f"lib/a_rather_long_name_{number}.py", 1) for number in range(50_000)]

    compiled(system, package)

    ((group,),) = orders
    assert (group["root"], group["final"]) == ("/work/root", "/layers/venv")
    assert group["files"] == sorted(source.path for source in package)


def test_groups_are_per_distribution_and_largest_is_first() -> None:
    system, orders = answering(Outcome(0, "4 0\n"))

    compiled(
        system,
        [SourceFile("small/a.py", 1)],
        [SourceFile("big/b.py", 300), SourceFile("big/a.py", 9)],
        [SourceFile("other/a.py", 1)],
    )

    assert files(orders[0]) == [["big/a.py", "big/b.py"], ["other/a.py"], ["small/a.py"]]


def test_all_groups_of_largest_distribution_come_first() -> None:
    system, orders = answering(Outcome(0, "4 0\n"))

    compiled(
        system,
        [SourceFile("middle/a.py", 600 * KIB)],
        [SourceFile(f"large/{number}.py", 400 * KIB) for number in range(3)],
    )

    assert files(orders[0]) == [["large/0.py", "large/1.py"], ["large/2.py"], ["middle/a.py"]]


def test_each_package_is_reported_when_its_last_group_is_compiled() -> None:
    # The groups are those of package 1, of 1, and of 2. A traceback is no report.
    printed = ["group 0", "group 9 of 10", "group 2", "group 1"]
    system, _ = answering(Outcome(0, "\n".join([*printed, "4 0\n"])))
    reported: list[int] = []
    large = [SourceFile(f"large/{number}.py", 400 * KIB) for number in range(3)]
    small = [SourceFile("small/a.py", 1)]
    packages = [Package(Path("/work/root"), FINAL, each) for each in ([], large, small)]

    counts = compile_modules(INTERPRETER, packages, system, reported.append)

    assert counts == Compiled(4, 0)
    assert reported == [2, 1, 0]


def test_large_distribution_is_split_into_groups() -> None:
    system, orders = answering(Outcome(0, "4 0\n"))

    compiled(system, [SourceFile(f"big/{number}.py", 300 * KIB) for number in range(4)])

    assert files(orders[0]) == [["big/0.py", "big/1.py"], ["big/2.py", "big/3.py"]]


def test_undecodable_names_are_passed_to_compiler() -> None:
    system, orders = answering(Outcome(0, "1 0\n"))

    compiled(system, [SourceFile("lib/caf\udce9.py", 1)])

    assert files(orders[0]) == [["lib/caf\udce9.py"]]


def test_no_modules_start_no_process() -> None:
    system, programs, _ = world(lambda _: Outcome(1, ""))

    assert compiled(system, []) == Compiled(0, 0)
    assert programs.ran == []


def test_directories_are_compiled_in_place(tmp_path: Path) -> None:
    for name in ("json/decoder.py", "json/__pycache__/x.py", "ast.py", "notes.txt"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    (tmp_path / "link.py").symlink_to("ast.py")
    system, orders = answering(Outcome(0, "2 0\n"))

    compile_all(INTERPRETER, (tmp_path,), system)

    below = str(tmp_path).removeprefix("/")
    assert orders == [
        [{"root": "", "final": "", "files": [f"{below}/ast.py", f"{below}/json/decoder.py"]}]
    ]


def test_bytecode_of_given_sources_is_listed(tmp_path: Path) -> None:
    cache = tmp_path / "lib/__pycache__"
    cache.mkdir(parents=True)
    for name in ("a.cpython-314.pyc", "b.c.cpython-314.pyc", "other.cpython-314.pyc"):
        (cache / name).write_bytes(b"1234")

    files = bytecode_of(tmp_path, ["lib/a.py", "lib/b.c.py", "lib/template.py", "elsewhere/x.py"])

    assert files == {
        "lib/__pycache__/a.cpython-314.pyc": FileEntry(4),
        "lib/__pycache__/b.c.cpython-314.pyc": FileEntry(4),
    }


def test_exit_code_of_full_disk_raises_disk_full() -> None:
    system, _ = answering(Outcome(28, ""))

    with pytest.raises(DiskFull) as raised:
        compiled(system, [SourceFile("a.py", 1)])

    assert "writing bytecode to" in raised.value.describe().body[0]


def test_killed_compiler_raises_killed() -> None:
    system, _ = answering(Outcome(-9, ""))

    with pytest.raises(Killed):
        compiled(system, [SourceFile("a.py", 1)])


@pytest.mark.parametrize("outcome", [Outcome(1, "Traceback"), Outcome(0, "nonsense")])
def test_failing_compiler_raises_bytecode_failed(outcome: Outcome) -> None:
    system, _ = answering(outcome)

    with pytest.raises(BytecodeFailed):
        compiled(system, [SourceFile("a.py", 1)])
