"""Kills and a full disk while packages are compiled, hashed and archived in several processes.

`test_faults` has packages that are too small for other processes than the build's own.
"""

import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import faults
from tests.support.builds import Builds, Built
from tests.support.faults import Scenario, at_moment, cache_of
from tests.support.kill_signals import is_phase, killing, text
from tests.support.wheels import wheel

PACKAGES, MODULES = 4, 12
FUNCTION = "def call_{0}(first, second={0}):\n    return [first, second, 'text {0}']\n"
WORK = ".cnb-python-work"

type Moment = Callable[[Path], bool]


def is_compiling(layers: Path) -> bool:
    return any((layers / WORK).glob("root-*/lib/python3.14/site-packages/*/__pycache__/*.pyc"))


def is_archiving(layers: Path) -> bool:
    # Python comes from the store, so these are packages.
    return any((layers / "deps").glob(".*.partial"))


MOMENTS: dict[str, Moment] = {"compiling": is_compiling, "archiving": is_archiving}
AT_MOMENTS = pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)


def is_helper(process: Path) -> bool:
    return "cnb_python.install.finishing" in text(process / "cmdline")


def is_compiler_worker(process: Path) -> bool:
    """Whether *process* is a fork of the compiler."""
    parent = re.search(r"^PPid:\t(\d+)$", text(process / "status"), re.MULTILINE)
    family = (process, process.parent / parent[1]) if parent else (process, process.parent / "0")
    return all("/compiler.py" in text(each / "cmdline") for each in family)


def large_wheels(into: Path) -> Iterator[str]:
    """Write wheels whose modules take some tenths of a second to compile."""
    code = "".join(FUNCTION.format(number) for number in range(2_000))
    for number in range(PACKAGES):
        name = f"package_{number}"
        modules = {f"{name}/part_{part}.py": f"{code}N = {number}\n" for part in range(MODULES)}
        wheel(into, name, "1.0", {f"{name}/__init__.py": "", **modules})
        yield name


@pytest.fixture(scope="module")
def scenario(
    builds: Builds, flask: Built, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scenario]:
    directory = tmp_path_factory.mktemp("scenario")
    with faults.scenario(builds, flask.layers, directory, large_wheels) as built:
        yield built


@pytest.fixture
def disk(builds: Builds) -> Iterator[faults.Disk]:
    with faults.disk(builds) as mounted:
        yield mounted


@AT_MOMENTS
def test_next_build_after_a_kill_is_right(
    scenario: Scenario, tmp_path: Path, moment: Moment
) -> None:
    layers = cache_of(scenario.cache, scenario.direct.own(tmp_path / "layers"))

    with killing(signal.SIGKILL, lambda: moment(layers), layers, is_phase) as kill:
        ended = scenario.direct.build(layers)

    assert kill.sent
    assert ended.code != 0, ended.output
    scenario.check_trust(layers)
    scenario.check(layers, scenario.direct.build(layers))


def test_build_does_the_work_of_a_killed_helper(scenario: Scenario, tmp_path: Path) -> None:
    layers = cache_of(scenario.cache, scenario.direct.own(tmp_path / "layers"))

    with killing(signal.SIGKILL, lambda: is_archiving(layers), layers, is_helper) as kill:
        ended = scenario.direct.build(layers)

    assert kill.sent
    scenario.check(layers, ended)


def test_killed_compiler_is_an_error_and_the_next_build_is_right(
    scenario: Scenario, tmp_path: Path
) -> None:
    layers = cache_of(scenario.cache, scenario.direct.own(tmp_path / "layers"))

    with killing(signal.SIGKILL, lambda: True, layers, is_compiler_worker) as kill:
        ended = scenario.direct.build(layers)

    assert kill.sent
    assert ended.code == 1, ended.output
    title = "The bytecode compiler was killed, probably because memory ran out"
    assert ended.output.count(f"[Error: {title}]") == 1, ended.output
    scenario.check_trust(layers)
    scenario.check(layers, scenario.direct.build(layers))


@AT_MOMENTS
def test_full_disk_is_one_error_and_the_next_build_is_right(
    scenario: Scenario, disk: faults.Disk, moment: Moment
) -> None:
    layers = cache_of(scenario.cache, disk.directory)

    with at_moment(lambda: moment(layers), disk.fill) as filled:
        ended = scenario.direct.build(layers)

    assert filled.is_set()
    assert ended.code == 1, ended.output
    assert ended.output.count("[Error: The disk is full]") == 1, ended.output
    scenario.check_trust(layers)
    disk.relieve()
    scenario.check(layers, scenario.direct.build(layers))
