"""What is kept and passed on of any output, in bounded memory and linear time."""

import time
import tracemalloc
from collections.abc import Iterator

import pytest

from cnb_python.system import program_output
from cnb_python.system.program_output import KEPT_BYTES, LONGEST_LINE, ProgramOutput

CHUNK = 64 * 1024
HUNDRED_MB = 100_000_000


def lines_of(*chunks: bytes) -> tuple[list[str], str]:
    """Return the lines that are passed on, and what is kept."""
    lines: list[str] = []
    output = ProgramOutput(lines.append)
    for chunk in chunks:
        output.add(chunk)
    return lines, output.finish()


def test_lines_are_joined_from_chunks() -> None:
    assert lines_of(b"a\nb", b"c\n", b"d") == (["a", "bc", "d"], "a\nbc\nd")


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_of_a_rewritten_line_the_last_form_is_passed_on(size: int) -> None:
    text = b"10%\r50%\rdone\r\nnext\r\n\r\rlast"
    chunks = [text[start : start + size] for start in range(0, len(text), size)]

    assert lines_of(*chunks)[0] == ["done", "next", "last"]


def test_a_long_line_is_cut_between_words() -> None:
    word = b"word " * 2
    lines, kept = lines_of(word * 20_000, b"\nthe end\n")

    assert lines[1:] == ["the end"]
    assert lines[0].endswith("word word [and 191,811 more bytes]")
    assert len(lines[0]) < LONGEST_LINE + 100
    assert kept == f"{lines[0]}\nthe end\n"


def test_what_is_kept_begins_with_a_whole_line() -> None:
    lines, kept = lines_of(*[b"0123456789\n" * 5_000] * 40)

    assert program_output.PASSED_LINES <= len(lines) < 200_000
    assert KEPT_BYTES - 20 < len(kept) <= KEPT_BYTES
    assert set(kept.splitlines()) == {"0123456789"}
    assert lines_of(b"x" * 3_000_000, b"\nthe end\n")[1] == "the end\n"


def test_blank_lines_are_not_repeated() -> None:
    lines, kept = lines_of(b"\nerror: one\n" + b"\n \t \n" * 100_000 + b"cause: two\n")

    assert lines == ["", "error: one", "", " \t ", "cause: two"]
    assert kept == "\nerror: one\n\n\ncause: two\n"


def test_white_space_within_a_line_is_shortened() -> None:
    assert lines_of(b"a" + b" " * 5_000 + b"b\n")[1] == f"a{' ' * 200}b\n"


def test_the_end_of_a_flood_is_passed_on() -> None:
    lines, _ = lines_of(*[b"line\n" * 10_000] * 15, b"ERROR: the reason\n")

    assert lines.count("line") < program_output.PASSED_LINES + 20_000
    assert [line for line in lines if "more lines are not shown" in line] != []
    assert lines[-2:] == ["line", "ERROR: the reason"]


def flood(part: bytes) -> Iterator[bytes]:
    chunk = (part * (CHUNK // len(part) + 1))[:CHUNK]
    for _ in range(HUNDRED_MB // CHUNK):
        yield chunk


@pytest.mark.parametrize(
    "part", [b"x", b"\n", b"\r", b"a b\r\n", b" ", b"\xff\x1b[", b"y" * 999 + b"\n"]
)
def test_a_hundred_megabytes_take_little_time_and_memory(part: bytes) -> None:
    """Of anything: one line, no lines, lines that are rewritten, bytes that are no text."""
    passed = 0

    def count(line: str) -> None:
        nonlocal passed
        passed += len(line)

    start = time.process_time()
    output = ProgramOutput(count)
    for chunk in flood(part):
        output.add(chunk)
    tracemalloc.start()
    kept = output.finish()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert time.process_time() - start < 10
    assert peak < 20 * KEPT_BYTES
    assert len(kept) <= KEPT_BYTES + 100
    assert passed < 2 * program_output.PASSED_BYTES
