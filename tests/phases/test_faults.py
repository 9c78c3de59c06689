"""An interrupted build leaves nothing that the next one with the same layers uses by mistake."""

import random
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.support import faults
from tests.support.builds import Builds, Built
from tests.support.faults import Scenario, at_moment, cache_of
from tests.support.kill_signals import killing
from tools.processes import run

KILLS = 10
SITE_PACKAGES = "lib/python3.14/site-packages"

type Moment = Callable[[Path], bool]

# Each is the beginning of a step, as seen on disk. Storing and materializing packages are too
# short for that: the unit tests interrupt them at every change of the disk.
MOMENTS: dict[str, Moment] = {
    "laying out Python": lambda layers: (layers / "python/lib").exists(),
    "installing": lambda layers: (layers / "venv" / SITE_PACKAGES).exists(),
    "making roots": lambda layers: any((layers / ".cnb-python-work").glob("root-*")),
}


@pytest.fixture(scope="module")
def scenario(
    builds: Builds, flask: Built, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scenario]:
    directory = tmp_path_factory.mktemp("scenario")
    with faults.scenario(builds, flask.layers, directory) as built:
        yield built


@pytest.fixture
def disk(builds: Builds) -> Iterator[faults.Disk]:
    """A file system for layers, which are kept between builds."""
    with faults.disk(builds) as mounted:
        yield mounted


def test_next_build_after_a_kill_at_any_moment_is_right(
    scenario: Scenario, disk: faults.Disk
) -> None:
    layers, seconds, killed = disk.directory, scenario.seconds, 0
    # The timing of the machine is random, so a seed would not help.
    for number in range(3 * KILLS):
        if number % 2 == 0:  # else: with the layers of a finished build, which are in no image
            _empty(layers)
            cache_of(scenario.cache, layers)
        moment = time.monotonic() + random.uniform(0, seconds)
        with killing(
            signal.SIGKILL, partial(_is_past, moment), seen_by=scenario.direct.app
        ) as kill:
            ended = scenario.direct.build(layers)
        if ended.code == 0:
            continue
        assert kill.sent, ended.output
        scenario.check_trust(layers)
        began = time.monotonic()
        scenario.check(layers, scenario.direct.build(layers))
        seconds = time.monotonic() - began
        killed += 1
        if killed == KILLS:
            return
    pytest.fail(f"no more than {killed} builds could be killed")


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
def test_full_disk_is_an_error_and_the_next_build_is_right(
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


def test_full_temporary_directory_is_an_error(
    builds: Builds, scenario: Scenario, tmp_path: Path
) -> None:
    layers = scenario.direct.own(tmp_path / "layers")
    with faults.disk(builds, "4m") as small:
        ended = scenario.direct.build(layers, small.directory)
        assert [*small.directory.iterdir()] == []
    assert ended.code == 1, ended.output
    assert ended.output.count("[Error: The disk is full]") == 1, ended.output
    assert [*layers.glob("*.toml")] == []


def _is_past(moment: float) -> bool:
    return time.monotonic() > moment


def _empty(layers: Path) -> None:
    run("find", layers, "-mindepth", "1", "-delete")
