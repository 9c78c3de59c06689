"""Recognises why uv failed, by what it wrote. Pure: text in, a reason out.

It writes `error: ...`, a `  cause: ...` for each reason below that, and hints.
"""

import re
from collections import Counter
from collections.abc import Callable

from cnb_python.errors.base import BuildpackError
from cnb_python.errors.finding import (
    NoSuchPackage,
    NoSuchVersion,
    NotInFindLinks,
    NoWheel,
    VersionConflict,
    WrongPython,
    Yanked,
)
from cnb_python.errors.install import (
    BadRequirement,
    DamagedPackage,
    HashMismatch,
    IncludeMissing,
    NotAPackage,
)
from cnb_python.errors.locks import BadLock, PathOutsideApp, UnexpectedType
from cnb_python.errors.network import (
    IndexRefused,
    IndexUnreachable,
    ProxyFailed,
    UnknownHost,
    UntrustedCertificate,
    UrlNotFound,
)
from cnb_python.managers.build_errors import (
    build_failure,
    build_of,
    git_failure,
    missing_requirement,
)

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


def recognize_resolution(output: str, python: str) -> BuildpackError | None:
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
    for look in _RESOLUTION_CAUSES:
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
        return NotInFindLinks(wanted, by[1] if by else "", ())
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


_RESOLUTION_CAUSES: tuple[Callable[[str, str, str], BuildpackError | None], ...] = (
    _not_found,
    _yanked,
    _no_wheel,
    _wrong_python,
    _no_version,
)


_REFUSALS = frozenset({401, 403, 407})
_TOO_MANY = 429
_URL = re.compile(r"Failed to fetch: `?(\S+?)`?$", re.MULTILINE)
_DOWNLOAD = re.compile(r"Failed to download `([^`]+)`")
_STATUS = re.compile(r"HTTP status (?:client|server) error \((\d{3}) ([^)]+)\)")
_LAST_CAUSE = re.compile(r"^\s*cause: (.+)$", re.MULTILINE)
_CERTIFICATES = {
    "UnknownIssuer": "its authority is unknown",
    "CaUsedAsEndEntity": "self-signed certificate",
    "Expired": "certificate has expired",
    "NotValidForName": "it is for another name",
}
_BUILD_REQUIRES = re.compile(r"No solution found when resolving: `([^`]+)`")
_REQUIRED = re.compile(r"\byou\s+require\s+([^\s,]+?),?\s+we\s+can\s+conclude")
_NEWER_LOCK = re.compile(
    r"Failed to parse `([^`]+)`, which uses an unsupported schema version "
    r"\(v(\d+), but only v(\d+) is supported\)"
)
_NO_TEXT = re.compile(
    r"failed to read from file `([^`]+\.lock)`: stream did not contain valid UTF-8"
)
_PARSED = re.compile(
    r"Failed to parse:? `?(\S+?)`?\s+cause: TOML parse error at line (\d+), column \d+\n"
    r"\s*\|\n\s*\d+ \| ?([^\n]*)\n[^\n]*\^[^\n]*\n\s*(\S[^\n]*)"
)
# Rust's words for what a document of the app may hold.
_EXPECTED = {"a sequence": "a list", "a map": "a table", "a string": "text in quotes"}
_OFFLINE = re.compile(r"not found in the provided package locations|network (?:was|is) disabled")


def recognize(output: str, python: str) -> BuildpackError | None:
    """Return why uv failed, for an app on *python*; None where that is not known.

    Paths in *output* are those that the user knows.
    """
    for look in _LOOKS:
        if reason := look(output):
            return reason
    return build_failure(output, python) or recognize_resolution(output, python)


def _wrong_form(output: str) -> BuildpackError | None:
    """Return which line of a document of the app uv cannot read."""
    if newer := _NEWER_LOCK.search(output):
        return BadLock(newer[1], f"it is of version {newer[2]} of its form; ours reads {newer[3]}")
    if found := _NO_TEXT.search(output):
        return BadLock(found[1], "it is not UTF-8 text")
    found = _PARSED.search(output)
    if not found:
        return None
    file, line, text, reason = found.groups()
    problem, _, expected = reason.partition(", expected ")
    named = _EXPECTED.get(expected) or (
        "a table" if expected.startswith("struct ") else expected or f"other words: {problem}"
    )
    return UnexpectedType(file, "", int(line), text.strip(), named)


def _network(output: str) -> BuildpackError | None:
    """Return what kept a server's answer from us."""
    url, download = _URL.search(output), _DOWNLOAD.search(output)
    asked = url[1] if url else download[1] if download else ""
    causes: list[str] = _LAST_CAUSE.findall(output)
    if not asked or not causes:
        return None
    if status := _STATUS.search(output):
        return _answered(asked, int(status[1]), f"{status[1]} {status[2]}")
    if found := re.search(r"invalid peer certificate: (.+)", output):
        known = (words for name, words in _CERTIFICATES.items() if name in found[1])
        return UntrustedCertificate(asked, next(known, found[1]))
    if "tunnel error" in output or "proxy" in causes[-1]:
        return _proxy(asked, causes)
    if "dns error" in output:
        return UnknownHost(asked, "")
    return IndexUnreachable(asked, causes[-1]) if url or "error reading" in output else None


def _answered(asked: str, status: int, words: str) -> BuildpackError:
    if status in _REFUSALS:
        return IndexRefused(asked, status)
    if status >= 500 or status == _TOO_MANY:
        return IndexUnreachable(asked, f"it answered {words}")
    return UrlNotFound(asked, status)


def _proxy(asked: str, causes: list[str]) -> BuildpackError:
    if any("authorization required" in cause for cause in causes):
        return IndexRefused(asked, 407)
    unknown = any("dns error" in cause for cause in causes)
    return ProxyFailed(asked, "its name is not known" if unknown else causes[-1])


def _hash_mismatch(output: str) -> BuildpackError | None:
    found = re.search(r"Hash mismatch for `([^`]+)`", output)
    if not found:
        return None
    expected, _, got = output[found.end() :].partition("Computed:")
    return HashMismatch(found[1], _digests(expected), "".join(_digests(got)[:1]).split(" ")[-1])


def _digests(text: str) -> tuple[str, ...]:
    found: list[tuple[str, str]] = re.findall(r"^\s+(\w+):([0-9a-f]{32,})", text, re.MULTILINE)
    return tuple(f"{name} {digest}" for name, digest in found)


def _build_requires(output: str) -> BuildpackError | None:
    found = _BUILD_REQUIRES.search(output)
    if not found or "build-system.requires" not in output:
        return None
    # It lists all that the build requires; the reason names the one that cannot be had.
    missing = _REQUIRED.search(output)
    return missing_requirement(
        build_of(output),
        missing[1] if missing else found[1],
        is_offline=bool(_OFFLINE.search(output)),
    )


def _bad_line(output: str) -> BuildpackError | None:
    found = re.search(
        r"Couldn't parse requirement in `([^`]+)` at position \d+\n\s+cause: (.+)\n\s+(.+)", output
    )
    if found:
        return BadRequirement(found[3], found[1], found[2])
    if found := re.search(
        r"Invalid URL in `([^`]+)` at position \d+: (\S+)\n\s+cause: (.+)", output
    ):
        return BadRequirement(found[2], found[1], f"no address: {found[3]}")
    if found := re.search(r"error: (Unexpected .+): (\S+):(\d+):\d+$", output, re.MULTILINE):
        return BadRequirement("", f"line {found[3]} of {found[2]}", found[1])
    if found := re.search(r"Distribution not found at: (?:file://)?(\S+)", output):
        if found[1].startswith("/"):
            return PathOutsideApp("pyproject.toml or requirements.txt", found[1])
        return BadRequirement(found[1], "", "there is nothing at that path")
    return None


def _include_missing(output: str) -> BuildpackError | None:
    found = re.search(r"failed to read from file `([^`]+)`: (.+?) \(os error", output)
    return IncludeMissing(found[1], found[2]) if found else None


def _not_a_package(output: str) -> BuildpackError | None:
    found = re.search(r"`([^`]+)` does not appear to be a Python project", output)
    if not found:
        return None
    asked = re.search(r"Failed to (?:download and )?build `([^`]+)`", output)
    return NotAPackage(asked[1] if asked else found[1])


def _damaged(output: str) -> BuildpackError | None:
    found = re.search(r"Failed to unzip wheel: (\S+)\n\s+cause: (.+)", output)
    if found:
        return DamagedPackage(found[1], found[2])
    found = re.search(r"The structure of `([^`]+)`.* was invalid:\s+(.+)", output)
    if found:
        return DamagedPackage(found[1], found[2].rstrip("."))
    found = re.search(r"name `([^`]+)` does not match `([^`]+)` in the distribution", output)
    return DamagedPackage(found[1], f"it is a file of {found[2]}") if found else None


_LOOKS: tuple[Callable[[str], BuildpackError | None], ...] = (
    _wrong_form,
    git_failure,
    _hash_mismatch,
    _build_requires,
    _not_a_package,
    _damaged,
    _bad_line,
    _include_missing,
    _network,
)
