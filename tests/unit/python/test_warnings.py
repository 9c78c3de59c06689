"""Warnings about the Python that is installed."""

from copy import replace
from datetime import date

import pytest

from cnb_python.python.origin import Origin
from cnb_python.python.releases import ReleaseLine
from cnb_python.python.request import parse_version
from cnb_python.python.resolver import contradictions, release_warnings, resolve
from cnb_python.python.sources import Request
from cnb_python.python.specifiers import parse_constraint
from tests.support.inventory import AMD64, INVENTORY, TODAY, release


def titles(text: str, today: date = TODAY) -> list[str]:
    request = parse_version(text, Origin("runtime", 3))
    return [
        message.title
        for message in release_warnings(resolve((request,), INVENTORY, AMD64, today), today)
    ]


def test_the_newest_release_of_a_supported_line_gets_no_warning() -> None:
    assert titles("3.13") == []


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2026, 10, 31), []),
        (date(2026, 11, 1), ["Python 3.11 reaches its end of life on 2027-10-31"]),
        (date(2027, 10, 31), ["Python 3.11 reaches its end of life on 2027-10-31"]),
        (date(2027, 11, 1), ["Python 3.11 reached its end of life on 2027-10-31"]),
    ],
)
def test_the_end_of_life_is_announced_a_year_before(today: date, expected: list[str]) -> None:
    assert titles("3.11", today) == expected


def test_the_removal_day_and_the_origin_are_named() -> None:
    request = parse_version("3.10", Origin(".python-version", 2))
    (message,) = release_warnings(resolve((request,), INVENTORY, AMD64, TODAY), TODAY)

    text = " ".join(message.body)
    assert "2027-01-31" in text
    assert ".python-version, line 2" in text


def test_an_older_patch_release_gets_a_warning() -> None:
    assert titles("3.13.2") == ["Python 3.13.2 is not the newest 3.13"]


def text_for(request: Request) -> str:
    messages = release_warnings(resolve((request,), INVENTORY, AMD64, TODAY), TODAY)
    return "\n".join(line for message in messages for line in (message.title, *message.body))


def test_a_range_that_excludes_the_newest_release_is_to_be_widened() -> None:
    text = text_for(parse_constraint("<3.13.10,>=3.13", Origin("pyproject.toml", 4)))

    assert "Python 3.13.9 is not the newest 3.13" in text
    assert "The range <3.13.10,>=3.13 (pyproject.toml, line 4) excludes newer releases" in text


def test_runtime_txt_is_deprecated_with_the_commands_to_replace_it() -> None:
    text = text_for(parse_version("python-3.13.10", Origin("runtime.txt", 1), lenient=True))

    assert "runtime.txt is deprecated" in text
    assert "echo 3.13.10 > .python-version && git rm runtime.txt" in text


def test_a_runtime_txt_below_the_top_is_replaced_there() -> None:
    text = text_for(parse_version("3.13.10", Origin("api/runtime.txt", 1)))

    assert "echo 3.13.10 > api/.python-version && git rm api/runtime.txt" in text


def test_a_pre_release_gets_a_warning() -> None:
    lines = (
        *INVENTORY.lines,
        ReleaseLine("3.14", date(2027, 1, 1), date(2032, 1, 1), date(2032, 4, 1)),
    )
    inventory = replace(
        INVENTORY, lines=lines, releases=(*INVENTORY.releases, release("3.14.0rc1"))
    )
    asked = (parse_version("3.14", Origin(".python-version", 2)),)

    (message,) = release_warnings(resolve(asked, inventory, AMD64, TODAY), TODAY)

    assert message.title == "Python 3.14.0rc1 is a pre-release"
    assert ".python-version, line 2" in message.body[0]
    assert "2027-01-01" in message.body[1]


def test_an_unused_contradicting_request_is_named() -> None:
    resolution = resolve(
        (parse_version("3.13", Origin("runtime.txt", 1)),), INVENTORY, AMD64, TODAY
    )
    unused = (
        parse_version("3.11", Origin(".python-version", 2)),
        parse_constraint(">=3.10", Origin("pyproject.toml", 5)),
    )

    (message,) = contradictions(resolution, unused)

    assert message.title == ".python-version names a different Python than the image has"
    assert (
        message.body[0]
        == "The image has Python 3.13.10, as requested by runtime.txt, line 1: 3.13."
    )
    assert message.body[1].startswith(".python-version, line 2 names 3.11")
