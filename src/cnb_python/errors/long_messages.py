"""Shortens errors and warnings, whose names and lists may come from files of any size."""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

# Of lines that begin alike: the items of a list, or what a tool printed.
MOST_ITEMS = 30
# Of the buildpack's own names, such as settings: all of them fit.
MOST_OWN = 60
MOST_LINES = 100
LONGEST_LINE = 2_000
LONGEST_WORD = 300
_LONG_WORD = re.compile(rf"\S{{{LONGEST_WORD + 1},}}")
# How a line begins: white space, and a bullet, a number, or a label such as `Found:`.
_BEGINNING = re.compile(r"\s*(?:- |\d+\. |[A-Z]\w+: )?")


def shortened(lines: Iterable[str], most: int = MOST_ITEMS) -> list[str]:
    """Return the first *most* of *lines* that begin alike, with the number of the others.

    Long words, such as names, lose their middle, and long lines their end. Secrets must have been
    replaced before: a part of one would not be recognized.
    """
    kept = [line for _, group in groupby(lines, _kind) for line in _first(list(group), most)]
    if (more := len(kept) - MOST_LINES) > 0:
        kept[MOST_LINES:] = [f"[and {more:,} more lines]"]
    return [_short(line) for line in kept]


def _kind(line: str) -> tuple[int, str]:
    match = _BEGINNING.match(line)
    beginning = match[0] if match else ""
    indent = len(beginning) - len(beginning.lstrip())
    return indent, "1." if beginning.strip().endswith(".") else beginning.strip()


def _first(lines: list[str], most: int) -> Iterator[str]:
    """Yield the first of *lines*, which begin alike, and a line for the others."""
    if len(lines) <= most + 1:
        yield from lines
        return
    yield from lines[:most]
    indent = lines[0][: len(lines[0]) - len(lines[0].lstrip())]
    yield f"{indent}and {len(lines) - most:,} more"


def _short(line: str) -> str:
    line = _LONG_WORD.sub(_without_middle, line)
    if len(line) <= LONGEST_LINE:
        return line
    return f"{line[:LONGEST_LINE]} [and {len(line) - LONGEST_LINE:,} more characters]"


def _without_middle(word: re.Match[str]) -> str:
    start, end = word[0][: LONGEST_WORD * 2 // 3], word[0][-LONGEST_WORD // 4 :]
    return f"{start}[{len(word[0]) - len(start) - len(end):,} more characters]{end}"
