"""The steps of a build, and their times."""

from itertools import count

import pytest

from cnb_python.system.output import BuildLog, StepTimes, megabytes, shown
from tests.support.fake_system import Log


@pytest.fixture
def journal() -> BuildLog:
    ticks = count(start=100.0, step=1.5)
    return BuildLog(Log(), StepTimes(lambda: next(ticks), 0))


def lines(journal: BuildLog) -> list[str]:
    assert isinstance(journal.output, Log)
    return journal.output.lines


def test_a_step_prints_its_title_and_its_time(journal: BuildLog) -> None:
    with journal.step("Python"):
        journal.output.line("between")

    assert lines(journal) == ["Python", "between", "Done in 1.5 s"]
    assert journal.seconds == {"Python": 1.5}


def test_steps_are_recorded_in_order(journal: BuildLog) -> None:
    for title in ("Python", "Packages", "Launch"):
        with journal.step(title):
            pass

    assert list(journal.seconds) == ["Python", "Packages", "Launch"]


def test_a_failed_step_prints_no_time(journal: BuildLog) -> None:
    with pytest.raises(KeyError), journal.step("Python"):
        raise KeyError

    assert lines(journal) == ["Python"]
    assert journal.seconds == {}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0.00 s"), (0.123, "0.12 s"), (0.99, "0.99 s"), (1.0, "1.0 s"), (61.26, "61.3 s")],
)
def test_seconds_are_shown_as_people_read_them(seconds: float, text: str) -> None:
    assert shown(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 kB"),
        (1, "1 kB"),
        (12_345, "13 kB"),
        (99_999, "100 kB"),
        (100_000, "0.1 MB"),
        (12_345_678, "12.3 MB"),
    ],
)
def test_sizes_are_shown_as_people_read_them(size: int, text: str) -> None:
    assert megabytes(size) == text
