"""Parses a request for a Python version: `3.14`, `3.14.6`, `python-3.14t`. Pure."""

import re
from typing import NamedTuple

from cnb_python.errors.python_requests import InvalidPythonVersion, OtherImplementation
from cnb_python.python.origin import Origin, visible
from cnb_python.python.releases import Number

# No leading zeros, no signs, only ASCII digits: `3.014` and `+3.14` are typing errors.
# The suffix is how uv and pyenv ask for the free-threaded build (PEP 703).
_NUMBER = "(0|[1-9][0-9]{0,4})"
_PRE = "((?:a|b|rc)[0-9]{1,3})"
_VERSION = re.compile(rf"{_NUMBER}\.{_NUMBER}(?:\.{_NUMBER}{_PRE}?)?(t)?")
# As uv and pyenv name this implementation: `cpython@3.14`, `cpython-3.14.1`, `python-3.14`.
_CPYTHON = re.compile(r"c?python[-@]?(?=\d)", re.IGNORECASE)
# A release line with a wildcard: `3.13.x`, `3.13.*`.
_ANY_PATCH = re.compile(r"\.[xX*]$")

# The implementations that version managers offer besides CPython, by the start of their names:
# https://github.com/pyenv/pyenv/tree/master/plugins/python-build/share/python-build
_IMPLEMENTATIONS = {
    **dict.fromkeys(("pypy", "pp"), "PyPy"),
    **dict.fromkeys(("graalpy", "graalpython", "gp"), "GraalPy"),
    **{name.lower(): name for name in ("Jython", "IronPython", "MicroPython", "RustPython")},
    **{name.lower(): name for name in ("Stackless", "Pyston", "Cinder", "ActivePython")},
    **{name.lower(): name for name in ("Miniconda", "Anaconda", "Miniforge", "Mambaforge")},
    **{name.lower(): name for name in ("Micromamba", "Conda")},
}
_WORD = re.compile(r"[a-z]*", re.IGNORECASE)
_LIKELY = re.compile(r"(?<![\d.])0*(\d{1,2})\.0*(\d{1,2})(?:\.0*(\d{1,2})(?!\d))?(?!\.?\d)")
_VISIBLE = re.compile(r"[!-~]")


class PythonRequest(NamedTuple):
    """A request for a release line, or for one release of it."""

    major: int
    minor: int
    patch: int | None
    """None: the newest release of the line."""
    prerelease: str
    """`rc1`; empty for final releases."""
    freethreaded: bool
    origin: Origin

    @property
    def line(self) -> str:
        """The release line: `3.14`."""
        return f"{self.major}.{self.minor}"

    def admits(self, version: str) -> bool:
        """Whether the release *version*, such as `3.14.6`, meets the request."""
        number = Number.of(version)
        if (number.major, number.minor) != (self.major, self.minor):
            return False
        return self.patch is None or (number.patch, number.prerelease) == (
            self.patch,
            self.prerelease,
        )

    def __str__(self) -> str:
        patch = "" if self.patch is None else f".{self.patch}{self.prerelease}"
        return f"{self.line}{patch}{'t' if self.freethreaded else ''}"


def parse_version(text: str, origin: Origin, *, lenient: bool = False) -> PythonRequest:
    """Return the request in *text*: `3.14` or `3.14.6`, with a `t` for free-threaded.

    *lenient* also accepts what version managers write: `python-3.14`, `cpython@3.14.6`, `3.14.x`.
    Raises OtherImplementation and InvalidPythonVersion.
    """
    stripped = text.strip()
    plain = _ANY_PATCH.sub("", _CPYTHON.sub("", stripped, count=1)) if lenient else stripped
    match = _VERSION.fullmatch(plain)
    if not match:
        raise _refused(stripped, origin)
    major, minor, patch, prerelease, freethreaded = match.groups()
    return PythonRequest(
        int(major),
        int(minor),
        None if patch is None else int(patch),
        prerelease or "",
        freethreaded is not None,
        origin,
    )


def likely(text: str) -> str:
    """Return the version that *text* seems to mean, empty if it has none.

    >>> [likely(text) for text in ("v3.12", '"3.12.4"', "3.12 # web", "latest")]
    ['3.12', '3.12.4', '3.12', '']
    """
    match = _LIKELY.search("".join(_VISIBLE.findall(text)))
    return ".".join(str(int(number)) for number in match.groups() if number) if match else ""


def _refused(text: str, origin: Origin) -> OtherImplementation | InvalidPythonVersion:
    word = _WORD.match(text)
    if word and (implementation := _IMPLEMENTATIONS.get(word[0].lower())):
        return OtherImplementation(visible(text), str(origin), implementation)
    return InvalidPythonVersion(visible(text), str(origin), likely(text))
