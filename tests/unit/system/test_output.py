"""What the user sees."""

import io

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


def test_an_error_ends_with_numbered_steps() -> None:
    stream = io.StringIO()

    Console(stream).error("No file", ("Nothing was found.",), ("Write one.", "Commit it."))

    assert shown(stream) == [
        "",
        "[Error: No file]",
        "",
        "Nothing was found.",
        "",
        "What to do:",
        "  1. Write one.",
        "  2. Commit it.",
    ]


def test_an_error_without_steps_promises_none() -> None:
    stream = io.StringIO()

    Console(stream).error("No file", ("Nothing was found.",))

    assert "What to do:" not in shown(stream)


def test_a_warning_stands_apart() -> None:
    stream = io.StringIO()

    Console(stream).warning("Old", ("It ends soon.",))

    assert shown(stream) == ["", "[Warning: Old]", "It ends soon.", ""]


def test_empty_tool_output_leaves_no_trailing_blanks() -> None:
    stream = io.StringIO()

    Console(stream).detail("")

    assert stream.getvalue() == "\n"
