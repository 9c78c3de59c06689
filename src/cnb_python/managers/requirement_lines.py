"""pip's own rules for what a line of a requirements file is.

https://pip.pypa.io/en/stable/reference/requirements-file-format/
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_COMMENT = re.compile(r"(^|\s+)#.*$")
VARIABLE = re.compile(r"\$\{[A-Z0-9_]+\}")


class Line(NamedTuple):
    """What pip reads as one line, without its comment."""

    number: int
    """Of the first of the lines that were joined, from 1."""
    text: str

    @property
    def parts(self) -> tuple[str, str]:
        """The requirement and the options behind it; either may be empty.

        pip looks for the options behind single spaces alone: a tab is part of the requirement.
        """
        words = self.text.split(" ")
        first = next((at for at, word in enumerate(words) if word.startswith("-")), len(words))
        return " ".join(words[:first]), " ".join(words[first:])


def lines_of(text: str) -> Iterator[Line]:
    """Yield what is left of *text* when lines are joined and comments and blanks are gone."""
    for number, line in _joined(text):
        if bare := _COMMENT.sub("", line).strip():
            yield Line(number, bare)


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Join a line that ends in a backslash with the next; a comment ends the joined line."""
    start, begun = 0, ""
    for number, line in enumerate(text.splitlines(), start=1):
        is_comment = bool(_COMMENT.match(line))
        if line.endswith("\\") and not is_comment:
            start, begun = start or number, begun + line.strip("\\")
            continue
        yield start or number, begun + (" " + line if is_comment else line)
        start, begun = 0, ""
    if start:
        yield start, begun
