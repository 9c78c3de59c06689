"""A terminal shows that a long step is still running, and nothing of it stays."""

import io

import pytest

from cnb_python.system.status_line import StatusLine

ERASE = "\r\x1b[2K"


class Clock:
    """Seconds that a test sets."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture(name="clock")
def _clock() -> Clock:
    return Clock()


def test_status_line_appears_after_a_pause_and_the_next_line_replaces_it(clock: Clock) -> None:
    stream = io.StringIO()
    status = StatusLine(stream, clock)
    status.print("Packages\n")

    clock.seconds = 2
    status.show("Packages", 2)
    clock.seconds = 5
    status.show("Packages", 5)
    status.print("  Done\n")

    assert stream.getvalue() == f"Packages\n  Packages: 5 s{ERASE}  Done\n"


def test_status_line_is_renewed_in_place(clock: Clock) -> None:
    stream = io.StringIO()
    status = StatusLine(stream, clock)

    for clock.seconds in (4, 5):
        status.show("Packages", clock.seconds)

    assert stream.getvalue() == f"  Packages: 4 s{ERASE}  Packages: 5 s"


def test_status_line_is_erased_when_the_step_ends() -> None:
    stream = io.StringIO()
    ticks = iter(range(0, 10_000, 10))
    status = StatusLine(stream, lambda: next(ticks), tick_seconds=0.001)

    with status.running("Packages"):
        while "Packages: " not in stream.getvalue():
            pass

    assert stream.getvalue().endswith(ERASE)


def test_status_line_is_erased_when_the_step_fails() -> None:
    stream = io.StringIO()
    status = StatusLine(stream, lambda: 0.0)

    with pytest.raises(KeyError), status.running("Packages"):
        raise KeyError

    assert stream.getvalue() == ""
