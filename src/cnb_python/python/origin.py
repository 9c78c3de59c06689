"""Who asks for a Python, as every message about it says."""

from typing import NamedTuple


class Origin(NamedTuple):
    """Who asked: every message about a version names it."""

    name: str
    """As the user knows it: `.python-version`, `the setting BP_PYTHON_VERSION`."""
    line: int | None = None
    """Of a file, from 1."""
    field: str = ""
    """Of a file with many: `requires-python`."""

    def __str__(self) -> str:
        place = self.name if self.line is None else f"{self.name}, line {self.line}"
        return f"{self.field} in {place}" if self.field else place


def visible(text: str) -> str:
    r"""Return *text* with what nobody can see spelt out.

    >>> visible("3.14\u200b")
    '3.14\\u200b'
    """
    return "".join(
        character
        if character.isprintable() and character.isascii()
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )
