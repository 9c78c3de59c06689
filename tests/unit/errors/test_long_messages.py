"""Errors and warnings have a bounded length, and lose no secret by it."""

import io

import pytest

from cnb_python.errors.base import Message
from cnb_python.errors.long_messages import LONGEST_LINE, MOST_ITEMS, MOST_LINES, shortened
from cnb_python.system.output import Console
from cnb_python.system.redaction import redact


@pytest.mark.parametrize("beginning", ["  ", "  - ", "Found:    ", "1. "])
def test_lines_that_begin_alike_are_the_items_of_a_list(beginning: str) -> None:
    lines = [
        "Found:",
        *(f"{beginning}{number} of them" for number in range(1000)),
        "Expected: one.",
    ]

    short = shortened(lines)

    indent = beginning[: len(beginning) - len(beginning.lstrip())]
    assert short[:2] == ["Found:", f"{beginning}0 of them"]
    assert short[-2:] == [f"{indent}and {1000 - MOST_ITEMS:,} more", "Expected: one."]
    assert len(short) == MOST_ITEMS + 3


def test_numbered_lines_are_one_list() -> None:
    assert len(shortened(f"  {number}. do" for number in range(1, 1000))) == MOST_ITEMS + 1


def test_list_that_just_fits_is_kept() -> None:
    lines = [f"  {number}" for number in range(MOST_ITEMS + 1)]

    assert shortened(lines) == lines


def test_lines_that_begin_differently_are_bounded_together() -> None:
    lines = [f"{' ' * (number % 3)}x" for number in range(1000)]

    assert shortened(lines) == [*lines[:MOST_LINES], f"[and {1000 - MOST_LINES} more lines]"]


def test_long_name_loses_its_middle_and_the_sentence_stays() -> None:
    (line,) = shortened([f"{'a' * 100_000}z is not a Python version"])

    assert line.startswith("aaa")
    assert line.endswith("aaz is not a Python version")
    assert "[99,726 more characters]" in line


def test_long_line_loses_its_end() -> None:
    (line,) = shortened(["word " * 10_000])

    assert line == f"{'word ' * (LONGEST_LINE // 5)} [and 48,000 more characters]"


@pytest.mark.parametrize("before", range(150, 300, 10))
def test_no_part_of_a_secret_is_left_where_a_message_is_shortened(before: int) -> None:
    secret = "s3cret" * 50
    stream = io.StringIO()
    console = Console(stream)
    console.mask_with(lambda text: redact(text, (secret,)))

    text = f"{'x' * before}{secret}{'y' * 100}"
    console.error(Message(text, (text, text * 9), (text,), (text,)))
    console.warning(text, (f"{text} " * 20,))

    assert "s3c" not in stream.getvalue()
    assert "ret" not in stream.getvalue()
