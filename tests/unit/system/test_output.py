"""What the user sees."""

import io

from cnb_python.errors.base import Message
from cnb_python.system.output import Console


def shown(stream: io.StringIO) -> list[str]:
    return stream.getvalue().splitlines()


def test_a_build_reads_as_steps_with_lines_and_tool_output_below() -> None:
    stream = io.StringIO()
    console = Console(stream)

    console.step("Packages")
    console.line("pip install -r requirements.txt")
    console.detail("Collecting flask")

    assert shown(stream) == [
        "",
        "Packages",
        "  pip install -r requirements.txt",
        "    Collecting flask",
    ]


def test_steps_of_an_error_are_numbered() -> None:
    stream = io.StringIO()
    message = Message("Old lock", ("It is out of date.",), steps=("Update it.", "Commit it."))

    Console(stream).error(message, "docs/errors.md#old-lock")

    assert shown(stream) == [
        "",
        "[Error: Old lock]",
        "",
        "It is out of date.",
        "",
        "To fix this:",
        "  1. Update it.",
        "  2. Commit it.",
        "",
        "More: docs/errors.md#old-lock",
    ]


def test_alternative_fixes_of_an_error_are_joined_by_or() -> None:
    stream = io.StringIO()

    Console(stream).error(Message("No file", (), fixes=("Write it.", "Remove the line.")))

    assert shown(stream)[-2:] == ["  - Write it.", "  - Or remove the line."]


def test_a_single_step_is_not_numbered() -> None:
    stream = io.StringIO()

    Console(stream).error(Message("No file", (), steps=("Write it.",)))

    assert shown(stream)[-1] == "  - Write it."


def test_error_without_fixes_has_no_heading_for_them() -> None:
    stream = io.StringIO()

    Console(stream).error(Message("No file", ("Nothing was found.",)))

    assert "To fix this:" not in shown(stream)


def test_a_warning_stands_apart() -> None:
    stream = io.StringIO()

    Console(stream).warning("Old", ("It ends soon.",))

    assert shown(stream) == ["", "[Warning: Old]", "It ends soon.", ""]


def test_empty_tool_output_leaves_no_trailing_blanks() -> None:
    stream = io.StringIO()

    Console(stream).detail("")

    assert stream.getvalue() == "\n"
