"""Recognises what uv says of packages that do not go together, or do not exist."""

import re
from collections import Counter
from collections.abc import Callable

from cnb_python.errors.finding import (
    NoSuchPackage,
    NoSuchVersion,
    NotProvided,
    NoWheel,
    VersionConflict,
    WrongPython,
    Yanked,
)
from cnb_python.errors.kinds import BuildpackError
from cnb_python.errors.network import IndexRefused

_NO_SOLUTION = "No solution found"
_REFUSED = re.compile(
    r"index URL \((\S+)\) could not be queried .*\((\d{3}) |An index \((\S+)\) returned a (\d{3}) "
)
_NOT_FOUND = re.compile(
    r"Because (?:there (?:is|are) no versions? of )?(\S+) was not found in the "
)
_WHEELS = re.compile(r"Because .*?(\S+) has no (?:usable )?wheels? ")
_TAGS = re.compile(r"following Python (?:ABI|version) tags?: (.+)")
_PLATFORMS = re.compile(r"on the following platforms?: (.+)")
_PYTHON = re.compile(r"(\S+) (?:requires Python|depends on Python)\s?(\S+)")
_YANKED = re.compile(r"(all versions of )?(\S+) (?:was|were) yanked(?: \(reason: ([^)]*)\))?")
_NO_VERSION = re.compile(r"there (?:is|are) no versions? of (\S+)")
_ONLY = re.compile(r"only (\S+?)(?:<=|==|>=)(\S+) (?:is|are) available and you require (\S+?),? ")
_NAME = re.compile(r"[\w.-]*\w")
# More than that, and several things are at fault: uv's own account is better then.
_SENTENCES = 4


def recognise(output: str, python: str) -> BuildpackError | None:
    """Return why uv found no set of packages for *python*; None where it is not that simple."""
    _, mark, rest = output.partition(_NO_SOLUTION)
    account, _, hints = rest.partition("\nhint:")
    text = " ".join(account.split())
    if not mark:
        return None
    if refused := _REFUSED.search(hints):
        return IndexRefused(refused[1] or refused[3], int(refused[2] or refused[4]))
    if text.count("we can conclude") > _SENTENCES:
        return None
    for look in _LOOKS:
        if reason := look(text, hints, python):
            return reason
    return _conflict(text)


def _not_found(text: str, hints: str, python: str) -> BuildpackError | None:
    del hints, python
    if not (found := _NOT_FOUND.search(text)):
        return None
    by = re.search(rf"(?:all versions of )?(\S+) depends? on ({re.escape(found[1])}\S*?),", text)
    wanted = by[2] if by else _required(text, found[1])
    if "provided package locations" in text:
        return NotProvided(wanted, by[1] if by else "", ())
    return NoSuchPackage(wanted, by[1] if by else "", ())


def _no_wheel(text: str, hints: str, python: str) -> BuildpackError | None:
    if not (found := _WHEELS.search(text)):
        return None
    tags, platforms = _TAGS.search(hints), _PLATFORMS.search(hints)
    lines = {f"3.{one}" for one in re.findall(r"`cp3(\d+)`", tags[1] if tags else "")}
    named = tuple(re.findall(r"`([^`]+)`", platforms[1] if platforms else ""))
    # It tells of one kind of tag alone: where the platform fits none, the Python does not matter.
    pythons = () if named else tuple(sorted(lines, key=lambda line: int(line[2:])))
    return NoWheel(_required(text, found[1]), python, pythons, named)


def _wrong_python(text: str, hints: str, python: str) -> BuildpackError | None:
    del hints
    found = _PYTHON.search(text)
    return WrongPython(_required(text, found[1]), (found[2],), python) if found else None


def _yanked(text: str, hints: str, python: str) -> BuildpackError | None:
    del hints, python
    if not (found := _YANKED.search(text)):
        return None
    name, _, version = found[2].partition("==")
    return Yanked(_required(text, name), (version,) if version else (), found[3] or "")


def _no_version(text: str, hints: str, python: str) -> BuildpackError | None:
    del hints, python
    if found := _NO_VERSION.search(text):
        return NoSuchVersion(_required(text, found[1]), ())
    found = _ONLY.search(text)
    return NoSuchVersion(found[3], (found[2],)) if found else None


def _conflict(text: str) -> VersionConflict | None:
    """Return what clashes: those reasons that are about the same package."""
    asked = [
        ("the app requires", one.strip(" ,"))
        for part in re.findall(r"you require (.+?)(?:, we can| and all versions|$)", text)
        for one in part.split(" and ")
    ]
    depending = re.findall(r"(\S+) depends? on ([^\s,]+)", text)
    reasons = [*asked, *((f"{who} depends on", what) for who, what in depending)]
    counted = Counter(_name(what) for _, what in dict.fromkeys(reasons))
    clashing = [one for one in dict.fromkeys(reasons) if counted[_name(one[1])] > 1]
    causes = tuple(" ".join(one) for one in clashing or dict.fromkeys(reasons))
    return VersionConflict(causes) if len(causes) > 1 else None


def _name(requirement: str) -> str:
    found = _NAME.match(requirement)
    return found[0] if found else requirement


def _required(text: str, name: str) -> str:
    """Return *name* with the version that the app asks for, where it does."""
    found = re.search(rf"you require ({re.escape(_name(name))}[^\s,]*)", text)
    return found[1] if found else name


_LOOKS: tuple[Callable[[str, str, str], BuildpackError | None], ...] = (
    _not_found,
    _yanked,
    _no_wheel,
    _wrong_python,
    _no_version,
)
