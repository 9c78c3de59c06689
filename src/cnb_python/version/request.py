"""Parses what was asked for: text in, a request with its origin out. Pure."""

import re
from dataclasses import dataclass

from cnb_python.errors import InvalidPythonVersion, NoPythonVersion, SeveralPythonVersions

# No leading zeros, no signs, ASCII digits alone: `3.014` and `+3.14` are slips of the hand.
# The suffix is how uv and pyenv ask for the free-threaded build (PEP 703).
_NUMBER = "(0|[1-9][0-9]{0,4})"
_VERSION = re.compile(rf"{_NUMBER}\.{_NUMBER}(?:\.{_NUMBER})?(t)?")


@dataclass(frozen=True, slots=True)
class Origin:
    """Who asked: every message about a version names it."""

    name: str
    """As the user knows it: `.python-version`, `the setting BP_PYTHON_VERSION`."""
    line: int | None = None
    """Of a file, from 1."""

    def __str__(self) -> str:
        return self.name if self.line is None else f"{self.name}, line {self.line}"


@dataclass(frozen=True, slots=True)
class PythonRequest:
    """A release line, or one release of it."""

    major: int
    minor: int
    patch: int | None
    """None: the newest of the line."""
    freethreaded: bool
    origin: Origin

    @property
    def line(self) -> str:
        """The release line: `3.14`."""
        return f"{self.major}.{self.minor}"

    def __str__(self) -> str:
        patch = "" if self.patch is None else f".{self.patch}"
        return f"{self.line}{patch}{'t' if self.freethreaded else ''}"


def parse_version(text: str, origin: Origin) -> PythonRequest:
    """Return the request that *text* is: `3.14`, `3.14.6`, either with a `t` for free-threaded.

    Raises InvalidPythonVersion.
    """
    found = _VERSION.fullmatch(text.strip())
    if not found:
        raise InvalidPythonVersion(visible(text.strip()), str(origin))
    major, minor, patch, freethreaded = found.groups()
    return PythonRequest(
        int(major),
        int(minor),
        None if patch is None else int(patch),
        freethreaded is not None,
        origin,
    )


def parse_version_file(text: str, name: str) -> PythonRequest:
    """Return the one request in *text*, the content of the `.python-version` file *name*.

    Blank lines and lines that start with `#` say nothing. Raises NoPythonVersion,
    SeveralPythonVersions and InvalidPythonVersion.
    """
    # Not `splitlines`: it also splits at characters that no editor shows as a new line.
    lines = [(number, line.strip()) for number, line in enumerate(text.split("\n"), start=1)]
    said = [(number, line) for number, line in lines if line and not line.startswith("#")]
    match said:
        case []:
            raise NoPythonVersion(name)
        case [(number, line)]:
            return parse_version(line, Origin(name, number))
        case _:
            raise SeveralPythonVersions(
                name, tuple((number, visible(line)) for number, line in said)
            )


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
