"""What is warned of about a Python that installs."""

from copy import replace
from datetime import date

import pytest

from cnb_python.python.origin import Origin
from cnb_python.python.releases import ReleaseLine
from cnb_python.python.request import parse_version
from cnb_python.python.resolver import resolve
from cnb_python.python.sources import Request
from cnb_python.python.specifiers import parse_constraint
from cnb_python.python.warnings import disagreements, notices
from tests.support.inventory import AMD64, INVENTORY, TODAY, release


def titles(text: str, today: date = TODAY) -> list[str]:
    request = parse_version(text, Origin("runtime", 3))
    return [one.title for one in notices(resolve((request,), INVENTORY, AMD64, today), today)]


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
    (notice,) = notices(resolve((request,), INVENTORY, AMD64, TODAY), TODAY)

    text = " ".join(notice.body)
    assert "2027-01-31" in text
    assert ".python-version, line 2" in text


def test_an_older_patch_is_told_of_the_newest() -> None:
    assert titles("3.13.2") == ["Python 3.13.2 is not the newest 3.13"]


def text_for(request: Request) -> str:
    found = notices(resolve((request,), INVENTORY, AMD64, TODAY), TODAY)
    return "\n".join(line for notice in found for line in (notice.title, *notice.body))


def test_an_older_patch_by_a_range_is_told_to_widen_it() -> None:
    said = text_for(parse_constraint("<3.13.10,>=3.13", Origin("pyproject.toml", 4)))

    assert "Python 3.13.9 is not the newest 3.13" in said
    assert "The range <3.13.10,>=3.13 (pyproject.toml, line 4) ends before it" in said


def test_runtime_txt_is_told_its_exact_replacement() -> None:
    said = text_for(parse_version("python-3.13.10", Origin("runtime.txt", 1), lenient=True))

    assert "runtime.txt is deprecated" in said
    assert "echo 3.13.10 > .python-version && git rm runtime.txt" in said


def test_a_runtime_txt_below_the_top_is_replaced_where_it_is() -> None:
    said = text_for(parse_version("3.13.10", Origin("api/runtime.txt", 1)))

    assert "echo 3.13.10 > api/.python-version && git rm api/runtime.txt" in said


def test_a_pre_release_is_called_one() -> None:
    lines = (
        *INVENTORY.lines,
        ReleaseLine("3.14", date(2027, 1, 1), date(2032, 1, 1), date(2032, 4, 1)),
    )
    inventory = replace(
        INVENTORY, lines=lines, releases=(*INVENTORY.releases, release("3.14.0rc1"))
    )
    asked = (parse_version("3.14", Origin(".python-version", 2)),)

    (notice,) = notices(resolve(asked, inventory, AMD64, TODAY), TODAY)

    assert notice.title == "Python 3.14.0rc1 is a pre-release"
    assert ".python-version, line 2" in notice.body[0]
    assert "2027-01-01" in notice.body[1]


def test_whoever_says_otherwise_and_does_not_count_is_named() -> None:
    resolution = resolve(
        (parse_version("3.13", Origin("runtime.txt", 1)),), INVENTORY, AMD64, TODAY
    )
    others = (
        parse_version("3.11", Origin(".python-version", 2)),
        parse_constraint(">=3.10", Origin("pyproject.toml", 5)),
    )

    (notice,) = disagreements(resolution, others)

    assert notice.title == ".python-version asks for another Python than this image has"
    assert notice.body[0] == "The image has Python 3.13.10, by runtime.txt, line 1 (3.13)."
    assert notice.body[1].startswith(".python-version, line 2 says 3.11")
