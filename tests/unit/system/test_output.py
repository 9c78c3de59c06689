"""What the user sees."""

import io

import pytest

from cnb_python.errors.base import Message, Whole
from cnb_python.errors.config import UnknownSettings
from cnb_python.errors.long_messages import MOST_OWN
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


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        (
            "\x1b]8;;https://evil\x1b\\here\x1b]8;;\x1b\\",
            "\\x1b]8;;https://evil\\x1b\\here\\x1b]8;;\\x1b\\",
        ),
        ("\x1b[2J\x1b[H\x07\x08\x7f\x9b1A", r"\x1b[2J\x1b[H\x07\x08\x7f\x9b1A"),
        ("a\rb\x0bc\x85d\u2028e", r"a\rb\x0bc\x85d\u2028e"),
        ("abc\u202egnp.exe\u2066", r"abc\u202egnp.exe\u2066"),
        ("byte \udcff", r"byte \udcff"),
        ("::add-mask::x", ": :add-mask::x"),
        ("\u00a0::error file=a::b", "\u00a0: :error file=a::b"),
        ("a ##vso[task.setvariable]x", "a ## vso[task.setvariable]x"),
        ("###[group]x ##teamcity[y]", "### [group]x ## teamcity[y]"),
        ("section_start:1:x\r\x1b[0K", r"section_start:1:x\r\x1b[0K"),
        ("::1 is std::string, a\tb, grün, 日本", "::1 is std::string, a\tb, grün, 日本"),
    ],
)
def test_nothing_that_is_printed_controls_the_terminal_or_the_ci_service(
    text: str, printed: str
) -> None:
    for print_with in (Console.step, Console.line, Console.detail):
        stream = io.StringIO()
        print_with(Console(stream), text)
        assert stream.getvalue().strip(" \n") == printed.strip(" ")
    stream = io.StringIO()
    console = Console(stream)
    console.warning(text, (text,))
    console.error(Message(text, (text,), fixes=(text, text), steps=(text, text)), text)
    console.bug(text, text)
    raw = stream.getvalue()
    assert printed in shown(stream)
    assert not set(raw) & set("\x1b\r\x07\x08\x0b\x7f\x85\x9b\u2028\u202e\u2066\udcff")
    assert not [line for line in raw.splitlines() if line.strip().startswith("::a")]


def test_a_line_break_in_a_name_begins_no_line_of_its_own() -> None:
    stream = io.StringIO()
    console = Console(stream)

    console.line("web\n[Error: x]")
    console.step("a\nb")

    assert stream.getvalue() == "  web\\n[Error: x]\n\na\\nb\n"


def test_a_long_line_is_cut() -> None:
    stream = io.StringIO()

    Console(stream).detail("x" * 200_000)

    assert stream.getvalue().endswith("xx [and 190,004 more characters]\n")
    assert len(stream.getvalue()) < 11_000


def test_secrets_are_replaced_in_all_that_is_printed() -> None:
    stream = io.StringIO()
    console = Console(stream)
    console.mask_with(lambda text: text.replace("s3cret", "****"))

    console.step("s3cret")
    console.line("s3\x1b[1mcret")
    console.detail("s3cret")
    console.warning("s3cret", ("s3cret",))
    console.error(Message("s3cret", ("s3cret",), ("s3cret",), ("s3cret",)), "s3cret")
    console.bug("s3cret", "s3cret")

    assert stream.getvalue().count("****") == 12
    assert "s3" not in stream.getvalue()


def test_settings_are_all_listed_and_what_the_user_wrote_is_bounded() -> None:
    stream = io.StringIO()
    unknown = tuple((f"wrong-{number}", "pyproject.toml", "") for number in range(500))
    settings = tuple((f"setting-{number}", f"BP_PYTHON_{number}") for number in range(MOST_OWN))

    Console(stream).error(UnknownSettings(unknown, settings).describe())

    lines = shown(stream)
    assert [name for name, _ in settings if not any(f"  {name} " in line for line in lines)] == []
    assert "  and 470 more" in lines
    assert sum("wrong-" in line for line in lines) == 30


def test_texts_that_are_shown_whole_have_no_secrets() -> None:
    stream = io.StringIO()

    console = Console(stream)
    console.mask_with(lambda text: text.replace("hunter2", "****"))
    console.error(Message("x", (Whole("  hunter2"),)))

    assert "  ****" in shown(stream)
