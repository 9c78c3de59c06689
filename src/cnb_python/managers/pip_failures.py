"""Recognises why pip failed, by what it wrote. Pure: text in, a reason out."""

import re
from collections.abc import Callable

from cnb_python.errors import (
    BadRequirement,
    BuildpackError,
    HashMismatch,
    HashMissing,
    IncludeMissing,
    IndexRefused,
    IndexUnreachable,
    MissingForBuild,
    NoSuchPackage,
    NoSuchVersion,
    NotAPackage,
    NotPinned,
    NoWheel,
    UntrustedCertificate,
    UrlNotFound,
    VersionConflict,
    WrongPython,
)

# What `-vv` adds to say why an index gave nothing; the rest of its megabytes is not kept.
TELLING = re.compile(
    r"Could not fetch URL|none of the wheel's tags|requires? a different|Requires-Python"
    r"|ERROR: |Retrying \("
)
_REFUSALS = frozenset({401, 403, 407})
_NEWEST_SHOWN = 5

_CONFUSED = re.compile(
    r"ERROR: Could not find a version that satisfies the requirement .* \(from versions: (.*)\)"
)
_NO_MATCH = re.compile(r"ERROR: No matching distribution found for (.+)")
_FETCH = re.compile(r"Could not fetch URL (\S+): (.*?)(?: - skipping)?$", re.MULTILINE)
_STATUS = re.compile(r"(\d{3}) (?:Client|Server) Error")
_URL_STATUS = re.compile(r"ERROR: HTTP error (\d{3}) while getting (\S+)")
_DOWNLOAD = re.compile(r"while fetching (\S+)\s*\n\s*╰─> (.+)")
_OTHER_TAGS = re.compile(r"none of the wheel's tags \(([^)]*)\).*?/([^/#\s]+\.whl)")
_OTHER_PYTHON = re.compile(r"[;:] (\S+) Requires-Python ([^;:\n]+)")
_PACKAGE_NEEDS = re.compile(r"Package '([^']+)' requires a different Python: \S+ not in '([^']+)'")
_NAME = re.compile(r"[\w.-]*\w")


def unmatched(output: str) -> str | None:
    """Return the requirement that pip found nothing for."""
    found = _NO_MATCH.search(output)
    return found[1].strip() if found else None


def recognise(output: str, python: str) -> BuildpackError | None:
    """Return why pip failed as far as its ordinary output tells, None where it does not."""
    for look in _LOOKS:
        if reason := look(output):
            return reason
    if found := _PACKAGE_NEEDS.search(output):
        return WrongPython(found[1], (found[2],), python)
    return None


def nothing_found(requirement: str, telling: str, python: str) -> BuildpackError:
    """Say why there is nothing for *requirement*, by the lines of a `-vv` run that tell."""
    pages: list[tuple[str, str]] = _FETCH.findall(telling)
    return (
        index_trouble(telling)
        or _other_python(requirement, telling, python)
        or _other_tags(requirement, telling, python)
        or _unknown(requirement, telling, pages)
    )


def index_trouble(output: str) -> BuildpackError | None:
    """Return why an index gave nothing, None where it answered or merely lacks the package."""
    for url, reason in (*_FETCH.findall(output), *_DOWNLOAD.findall(output)):
        status = _STATUS.search(reason)
        if status and int(status[1]) in _REFUSALS:
            return IndexRefused(url, int(status[1]))
        if "certificate" in reason.casefold():
            return UntrustedCertificate(url, _certificate_problem(reason))
        if not status or int(status[1]) >= 500:
            return IndexUnreachable(url, reason)
    return None


def _other_python(requirement: str, telling: str, python: str) -> BuildpackError | None:
    wanted = _pinned(requirement)
    ignored = "\n".join(line for line in telling.splitlines() if "ERROR: Ignored" in line)
    needs = {
        spec.strip()
        for version, spec in _OTHER_PYTHON.findall(ignored)
        if wanted in (None, version)
    }
    return WrongPython(requirement, tuple(sorted(needs)), python) if needs else None


def _other_tags(requirement: str, telling: str, python: str) -> BuildpackError | None:
    wanted = _pinned(requirement)
    tags = [
        tag.strip().split("-", 2)
        for tags, file in _OTHER_TAGS.findall(telling)
        if wanted is None or file.split("-")[1] == wanted
        for tag in tags.split(",")
    ]
    if not tags:
        return None
    lines = {_line(tag[0]) for tag in tags if "linux" in tag[2]} - {""}
    platforms = sorted({tag[2] for tag in tags})
    return NoWheel(requirement, python, tuple(sorted(lines, key=_minor)), tuple(platforms))


def _unknown(requirement: str, telling: str, pages: list[tuple[str, str]]) -> BuildpackError:
    found = _CONFUSED.search(telling)
    versions = [] if not found or found[1] == "none" else found[1].split(", ")
    if versions:
        return NoSuchVersion(requirement, tuple(versions[-_NEWEST_SHOWN:]))
    return NoSuchPackage(requirement, tuple(url for url, _ in pages))


def _pinned(requirement: str) -> str | None:
    found = re.search(r"===?\s*([\w.+!-]+)$", requirement)
    return found[1] if found else None


def _line(tag: str) -> str:
    """`cp311` → `3.11`; empty for what is not CPython 3."""
    found = re.fullmatch(r"cp3(\d+)", tag)
    return f"3.{found[1]}" if found else ""


def _minor(line: str) -> int:
    return int(line.partition(".")[2])


def _certificate_problem(text: str) -> str:
    found = re.search(r"certificate verify failed: ([^('\"]+)", text)
    return found[1].strip() if found else "it could not be verified"


def _git_missing(output: str) -> BuildpackError | None:
    found = re.search(r"ERROR: Cannot find command '([^']+)'", output)
    return MissingForBuild("", "program", found[1], "") if found else None


def _hash_mismatch(output: str) -> BuildpackError | None:
    _, mark, rest = output.partition("DO NOT MATCH THE HASHES")
    if not mark or not (name := re.search(r"^ {4}(\S+)", rest, re.MULTILINE)):
        return None
    expected = re.findall(r"(?:Expected|or) +(\w+ [0-9a-f]{32,})", rest)
    got = re.search(r"Got +([0-9a-f]{32,})", rest)
    return HashMismatch(name[1], tuple(expected), got[1] if got else "")


def _hash_missing(output: str) -> BuildpackError | None:
    _, mark, rest = output.partition("Hashes are required in --require-hashes mode")
    lines = re.findall(r"^ {4}(\S.* --hash=\S+)", rest, re.MULTILINE)
    return HashMissing(tuple(lines)) if mark else None


def _not_pinned(output: str) -> BuildpackError | None:
    _, mark, rest = output.partition("must have their versions pinned with ==")
    names = re.findall(r"^ {4}(\S+)", rest, re.MULTILINE)
    return NotPinned(tuple(names)) if mark else None


def _conflict(output: str) -> BuildpackError | None:
    _, mark, rest = output.partition("The conflict is caused by:")
    causes = re.findall(r"^ {4}(\S.*)", rest.partition("\n\n")[0], re.MULTILINE)
    return VersionConflict(tuple(causes)) if mark else None


def _bad_line(output: str) -> BuildpackError | None:
    found = re.search(r"ERROR: Invalid requirement: (.+)", output)
    if not found:
        return None
    text, _, problem = (
        found[1].partition("': ") if found[1].startswith("'") else (found[1], "", "")
    )
    place = re.search(r"\(from (line \d+ of \S+?)\)", output)
    hint = re.search(r"Hint: (.+)|error: (no such option.+)", output)
    words = [problem, *(group for group in (hint.groups() if hint else ()) if group)]
    return BadRequirement(
        text.strip("'"), place[1] if place else "", ". ".join(filter(None, words))
    )


def _include_missing(output: str) -> BuildpackError | None:
    found = re.search(
        r"Could not open (?:requirements|constraint) file: \[Errno \d+\] (.+?): '([^']+)'", output
    )
    return IncludeMissing(found[2], found[1]) if found else None


def _not_a_package(output: str) -> BuildpackError | None:
    found = re.search(r"ERROR: (\S+) .*does not appear to be a Python project", output)
    return NotAPackage(found[1].removeprefix("file://")) if found else None


def _url_status(output: str) -> BuildpackError | None:
    found = _URL_STATUS.search(output)
    if not found:
        return None
    status, url = int(found[1]), found[2]
    return IndexRefused(url, status) if status in _REFUSALS else UrlNotFound(url, status)


_LOOKS: tuple[Callable[[str], BuildpackError | None], ...] = (
    _git_missing,
    _hash_mismatch,
    _hash_missing,
    _not_pinned,
    _conflict,
    _bad_line,
    _include_missing,
    _not_a_package,
    _url_status,
)
