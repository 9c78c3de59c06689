"""What is warned of about a Python that installs."""

from datetime import date

import pytest

from cnb_python.version.notices import notices
from cnb_python.version.request import Origin, parse_version
from cnb_python.version.resolve import resolve
from tests.unit.version.samples import AMD64, INVENTORY, TODAY


def titles(text: str, today: date = TODAY) -> list[str]:
    request = parse_version(text, Origin("runtime", 3))
    return [one.title for one in notices(resolve(request, INVENTORY, AMD64, today), today)]


def test_the_newest_release_of_a_healthy_line_needs_no_word() -> None:
    assert titles("3.13") == []


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2026, 10, 31), []),
        (date(2026, 11, 1), ["Python 3.11 ends on 2027-10-31"]),
        (date(2027, 10, 31), ["Python 3.11 ends on 2027-10-31"]),
        (date(2027, 11, 1), ["Python 3.11 has ended on 2027-10-31"]),
    ],
)
def test_a_line_s_end_is_announced_a_year_before_and_louder_after(
    today: date, expected: list[str]
) -> None:
    assert titles("3.11", today) == expected


def test_the_day_from_which_builds_stop_and_who_asks_are_named() -> None:
    request = parse_version("3.10", Origin(".python-version", 2))
    (notice,) = notices(resolve(request, INVENTORY, AMD64, TODAY), TODAY)

    text = " ".join(notice.body)
    assert "2027-01-31" in text
    assert ".python-version, line 2" in text


def test_an_older_patch_is_told_of_the_newest() -> None:
    assert titles("3.13.2") == ["Python 3.13.2 is not the newest 3.13"]
