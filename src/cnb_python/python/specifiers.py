"""Ranges of Python versions: specifiers (`>=3.11`) and Poetry's constraints (`^3.12`, `a || b`).

https://packaging.python.org/en/latest/specifications/version-specifiers/
https://python-poetry.org/docs/dependency-specification/#version-constraints
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from cnb_python.errors.python_requests import InvalidPythonRange
from cnb_python.python.origin import Origin, visible
from cnb_python.python.releases import Number

# Plain clauses, which are nearly all, are evaluated without `packaging.specifiers`: its import
# takes 25 ms, an eighth of an unchanged build.
_PLAIN = re.compile(r"(~=|==|!=|<=|>=|<|>)\s*v?(\d{1,9}(?:\.\d{1,9}){0,2})(\.\*)?")
_CARET = re.compile(r"\^\s*(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?")
_TILDE = re.compile(r"~\s*(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?")
_WILD = re.compile(r"(?:==?\s*)?(\d{1,9}(?:\.\d{1,9})?)\.[xX*](?:\.[xX*])?")
_BARE = re.compile(r"(?:==?\s*)?v?(\d{1,9}(?:\.\d{1,9}){0,2})")
# Between the clauses of a constraint: commas, or blanks that are not inside a clause.
_BETWEEN = re.compile(r"(?<!\s)\s*+,\s*+|(?<=[\d*xX])\s++(?=[<>=!~^\d])")
_ALL = ("", "*")
_LINE = re.compile(r"\d{1,9}\.\d{1,9}")
# Python reads no number of thousands of digits, and no version has more than a few.
_LONGEST = 200

type _Numbers = tuple[int, ...]


class PythonRange(NamedTuple):
    """A range of Python versions."""

    text: str
    """As it was written."""
    alternatives: tuple[tuple[str, ...], ...]
    """Clauses of specifiers; a version in the range satisfies all clauses of one alternative."""
    origin: Origin

    def admits(self, version: str) -> bool:
        """Whether the release *version*, such as `3.14.6`, is in the range."""
        return any(
            all(_satisfies(clause, version) for clause in clauses) for clauses in self.alternatives
        )

    def __str__(self) -> str:
        return self.text


def parse_specifier(text: str, origin: Origin) -> PythonRange:
    """Return the range that *text* is as a specifier. Raises InvalidPythonRange."""
    clauses = tuple(clause.strip() for clause in text.split(",") if clause.strip())
    if not all(_plain(clause) or _is_specifier(clause) for clause in clauses):
        raise InvalidPythonRange(visible(text.strip()), str(origin), _as_specifier(text))
    return PythonRange(text.strip(), (clauses,), origin)


def parse_constraint(text: str, origin: Origin) -> PythonRange:
    """Return the range that *text* is as a constraint of Poetry's. Raises InvalidPythonRange."""
    try:
        alternatives = tuple(_alternative(part) for part in re.split(r"\|\|?", text))
    except ValueError:
        raise InvalidPythonRange(visible(text.strip()), str(origin), "") from None
    return PythonRange(text.strip(), alternatives, origin)


def _as_specifier(text: str) -> str:
    """Return the specifier for *text* if it is a constraint with one alternative, else empty."""
    if _LINE.fullmatch(text.strip()):
        # Poetry takes it for the first release of the line, which hardly any author means.
        return f"=={text.strip()}.*"
    try:
        return ",".join(_alternative(text))
    except ValueError:
        return ""


def _alternative(text: str) -> tuple[str, ...]:
    clauses = _BETWEEN.split(text.strip())
    return tuple(part for clause in clauses for part in _clauses(clause.strip()))


def _clauses(clause: str) -> tuple[str, ...]:
    """Return the clauses of a specifier for *clause* of a constraint, or raise ValueError.

    A version alone means exactly that one: `3.12` is 3.12.0.
    """
    if clause in _ALL:
        return ()
    if _plain(clause):
        return (clause,)
    if match := _CARET.fullmatch(clause) or _TILDE.fullmatch(clause):
        return _from_to(_numbers(match), is_caret=clause.startswith("^"))
    if match := _WILD.fullmatch(clause) or _BARE.fullmatch(clause):
        return (f"=={match[1]}.*" if match.re is _WILD else f"=={match[1]}",)
    if not _is_specifier(clause):
        raise ValueError(clause)
    return (clause,)


def _numbers(match: re.Match[str]) -> _Numbers:
    return tuple(int(number) for number in match.groups() if number is not None)


def _from_to(numbers: _Numbers, *, is_caret: bool) -> tuple[str, str]:
    """Return the clauses of a caret or a tilde.

    A caret ends where the leftmost number other than 0 changes, a tilde where the second one does.
    """
    last = len(numbers) - 1
    leftmost = next((index for index, number in enumerate(numbers) if number), last)
    changed = leftmost if is_caret else min(1, last)
    above = (*numbers[:changed], numbers[changed] + 1)
    return f">={_text(numbers)}", f"<{_text(above)}"


def _text(numbers: _Numbers) -> str:
    return ".".join(map(str, numbers))


def _plain(clause: str) -> re.Match[str] | None:
    match = _PLAIN.fullmatch(clause)
    if not match:
        return None
    operator, version, wild = match.groups()
    is_valid = "." in version if operator == "~=" else not wild or operator in {"==", "!="}
    return match if is_valid and not (wild and operator == "~=") else None


def _satisfies(clause: str, version: str) -> bool:
    plain, release = _plain(clause), Number.of(version)
    if not plain or release.prerelease:
        return _contains(clause, version)
    operator, text, wild = plain.groups()
    given = tuple(int(number) for number in text.split("."))
    return _OPERATORS[operator](release[:3], given, bool(wild))


def _equal(release: _Numbers, given: _Numbers, wild: bool) -> bool:  # noqa: FBT001 - one form for all operators
    return release[: len(given)] == given if wild else release == _padded(given)


def _padded(given: _Numbers) -> _Numbers:
    return (*given, 0, 0)[:3]


_OPERATORS: dict[str, Callable[[_Numbers, _Numbers, bool], bool]] = {
    "==": _equal,
    "!=": lambda release, given, wild: not _equal(release, given, wild),
    "~=": lambda release, given, _wild: (
        release >= _padded(given) and _equal(release, given[:-1], wild=True)
    ),
    ">=": lambda release, given, _wild: release >= _padded(given),
    "<=": lambda release, given, _wild: release <= _padded(given),
    ">": lambda release, given, _wild: release > _padded(given),
    "<": lambda release, given, _wild: release < _padded(given),
}


def _is_specifier(clause: str) -> bool:
    from packaging.specifiers import InvalidSpecifier, Specifier  # noqa: PLC0415 - see above

    try:
        Specifier(clause)
    except InvalidSpecifier:
        return False
    return len(clause) <= _LONGEST


def _contains(clause: str, version: str) -> bool:
    from packaging.specifiers import Specifier  # noqa: PLC0415 - see above

    return Specifier(clause).contains(version, prereleases=True)
