"""The output of a program: its lines as they come, and what is kept of it for later.

A program may print anything: gigabytes, a line without an end, nothing but blank lines. Memory is
bounded, and time is proportional to the length.

Separate from `process`, so that all of that can be tested without one.
"""

import codecs
import re
from collections.abc import Callable

KEPT_BYTES = 1024 * 1024
LONGEST_LINE = 8 * 1024
# Far more than builds print on purpose; some platforms end a build with a longer log.
PASSED_LINES = 100_000
PASSED_BYTES = 16 * 1024 * 1024
# The end is passed on in any case: it has the reason of a failure.
LAST_LINES = 50
_BLANK_LINES_IN_A_ROW = 2
_BLANK_LINES = re.compile(rb"\n\s+\n")
_LONG_LINE = re.compile(rb"[^\n]{%d,}" % (LONGEST_LINE + 1))
# Recognizers look for words around white space, in no more than quadratic time.
_BLANKS = re.compile(rb"[^\S\n]{200,}")


class ProgramOutput:
    """The last KEPT_BYTES of an output, and each line once it is complete.

    Lines are cut after LONGEST_LINE bytes, with a note. After PASSED_LINES or PASSED_BYTES only
    the last ones are passed on, at the end.
    """

    def __init__(self, on_line: Callable[[str], None] | None) -> None:
        self._on_line = on_line
        self._tail = bytearray()
        self._is_whole = True
        self._line = bytearray()
        self._cut = 0
        """How many bytes of the line are not in `_line`."""
        self._lines = 0
        self._bytes = 0
        self._held_back = 0
        """How many lines were not passed on."""
        self._blank_lines = 0
        """How many blank lines came last."""

    def add(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self._tail += chunk
        self._is_whole = self._is_whole and len(self._tail) <= KEPT_BYTES
        del self._tail[:-KEPT_BYTES]
        self._bytes += len(chunk)
        if self._on_line is None:
            return
        if self._lines > PASSED_LINES or self._bytes > PASSED_BYTES:
            self._hold_back(chunk)
            return
        *complete, partial = chunk.split(b"\n")
        for piece in complete:
            self._extend(piece)
            self._pass()
        self._extend(partial)

    def finish(self) -> str:
        """Pass the last lines on, and return what was kept."""
        kept = self._kept()
        if self._on_line is None:
            return kept
        if self._held_back:
            lines = kept.removesuffix("\n").split("\n")[-LAST_LINES:]
            self._on_line(f"[{max(self._held_back - len(lines), 0):,} more lines are not shown]")
            for last in lines:
                self._on_line(last)
        elif self._line:
            self._pass()
        return kept

    def _hold_back(self, chunk: bytes) -> None:
        lines = chunk.count(b"\n")
        if not lines and not self._held_back:
            self._cut += len(chunk)  # still the line that began before
        self._held_back += lines

    def _extend(self, piece: bytes) -> None:
        """Add *piece* to the line. Only the last form of a line that is rewritten counts."""
        if self._line.endswith(b"\r") and piece.strip(b"\r"):
            self._line.clear()
            self._cut = 0
        _, rewrites, last = piece.rstrip(b"\r").rpartition(b"\r")
        if rewrites:
            self._line.clear()
            self._cut = 0
            piece = last
        room = LONGEST_LINE - len(self._line)
        self._line += piece[:room]
        self._cut += max(len(piece) - room, 0)

    def _pass(self) -> None:
        self._blank_lines = 0 if self._line.strip() else self._blank_lines + 1
        if self._on_line is not None and self._blank_lines <= _BLANK_LINES_IN_A_ROW:
            self._on_line(_shortened(self._line.rstrip(b"\r"), self._cut))
        self._lines += 1
        self._line.clear()
        self._cut = 0

    def _kept(self) -> str:
        """Return the end of the output, from the start of a line, with long lines cut."""
        tail = bytes(self._tail)
        if not self._is_whole:
            line, end, tail = tail.partition(b"\n")
            if not end:
                # It may begin within a secret, which would not be recognized.
                return f"[a line of more than {len(line):,} bytes]"
        tail = _BLANKS.sub(b" " * 200, _LONG_LINE.sub(_cut, tail))
        return _BLANK_LINES.sub(_fewer, tail).decode("utf-8", "replace")


def _cut(line: re.Match[bytes]) -> bytes:
    return _shortened(line[0][:LONGEST_LINE], len(line[0]) - LONGEST_LINE).encode()


def _fewer(blank_lines: re.Match[bytes]) -> bytes:
    text = blank_lines[0]
    return text if text.count(b"\n") <= _BLANK_LINES_IN_A_ROW + 1 else b"\n\n\n"


def _shortened(line: bytes | bytearray, more: int) -> str:
    """Return *line*, of which *more* bytes are missing, cut between words as far as possible."""
    if more > 0:
        # `redaction` knows these words: a secret may be cut in two.
        end = max(line.rfind(b" ", len(line) // 2), 0) or len(line)
        more += len(line) - end
        return f"{_whole_characters(line[:end])} [and {more:,} more bytes]"
    return line.decode("utf-8", "replace")


def _whole_characters(line: bytes | bytearray) -> str:
    """Return *line* as text, without the beginning of a character that was cut."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    return decoder.decode(line)
