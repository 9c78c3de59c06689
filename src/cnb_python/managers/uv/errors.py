"""Recognizes why uv failed by its output: text in, a failure out.

uv writes `error: ...`, `  cause: ...` for each reason behind it, and hints.
Separate from `commands`, so that recorded output can be read without a command.
"""

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

from cnb_python.errors.base import BuildpackError
from cnb_python.errors.locks import BadLock, PathOutsideApp, UnexpectedType
from cnb_python.errors.network import (
    IndexRefused,
    IndexUnreachable,
    ProxyFailed,
    UnknownHost,
    UntrustedCertificate,
    UrlNotFound,
)
from cnb_python.errors.packages.finding import (
    NoSuchPackage,
    NoSuchVersion,
    NotInFindLinks,
    NoWheel,
    OnlySource,
    VersionConflict,
    WrongPython,
    Yanked,
)
from cnb_python.errors.packages.install import DamagedPackage, HashMismatch
from cnb_python.errors.packages.requirements import BadRequirement, IncludeMissing, NotAPackage
from cnb_python.managers import build_errors
from cnb_python.managers.build_errors import (
    build_failure,
    build_of,
    git_failure,
    missing_requirement,
)
from cnb_python.system.redaction import parts_of

_NO_SOLUTION = "No solution found"
_NOT_UNPACKED = re.compile(
    r"Failed to (?:download and )?build `([^`]+)`\n\s+cause: Failed to extract archive: "
)
_REFUSED = re.compile(
    r"index URL \((\S+)\) could not be queried .*\((\d{3}) |An index \((\S+)\) returned a (\d{3}) "
)
_NOT_FOUND = re.compile(
    r"Because (?:there (?:is|are) no versions? of )?(\S+) was not found in the "
)
# From the start of a word: from within it, a long one takes quadratic time.
_WHEELS = re.compile(r"(?<!\S)(\S+) has no (?:usable )?wheels? ")
_LOCKED_WITHOUT_WHEEL = re.compile(
    r"(?:Package|Distribution) `([^`=@\s]+)(?:==([^`@\s]+))?[^`]*` can't be installed because it "
    r"doesn't have a source distribution or wheel"
)
_TAGS = re.compile(r"following Python (?:ABI|version) tags?: (.+)")
_PLATFORMS = re.compile(r"on the following platforms?: (.+)")
_PYTHON = re.compile(r"(?<!\S)(\S+) (?:requires Python|depends on Python)\s?(\S+?),?(?=\s|$)")
# Some releases of uv, which `required-version` may choose, indent it.
_HINT = re.compile(r"\n[ \t]*hint:")
_YANKED = re.compile(
    r"(?<!\S)(all versions of )?(\S+) (?:was|were) yanked(?: \(reason: ([^)]*)\))?"
)
_NO_VERSION = re.compile(r"there (?:is|are) no versions? of (\S+)")
_ONLY = re.compile(r"only (\S+?)(?:<=|==|>=)(\S+) (?:is|are) available and you require (\S+?),? ")
_NAME = re.compile(r"[\w.-]*\w")
# With more, several things are at fault, and uv's own account says it better.
_SENTENCES = 4
_REFUSALS = frozenset({401, 403, 407})
_TOO_MANY_REQUESTS = 429
_SERVER_ERRORS = 500
_PROXY_REFUSAL = 407
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
    r"Failed to parse:? `?(\S+?)`?\s+cause: TOML parse error at line (\d{1,9}), column \d+\n"
    r"\s*\|\n\s*\d+ \| ?([^\n]*)\n[^\n]*\^[^\n]*\n\s*(\S[^\n]*)"
)
# Rust's words for types of TOML values.
_EXPECTED = {"a sequence": "a list", "a map": "a table", "a string": "text in quotes"}
_OFFLINE = re.compile(r"not found in the provided package locations|network (?:was|is) disabled")


def recognize(output: str, python: str) -> BuildpackError | None:
    """Return why uv failed for an app on *python*; None if it is not recognized.

    Paths in *output* are relative to the app, as users know them.
    """
    for recognizer in _RECOGNIZERS:
        if failure := recognizer(output):
            return failure
    if failure := _no_wheel_in_lock(output, python):
        return failure
    return build_failure(output, python) or recognize_resolution(output, python)


def _wrong_type(output: str) -> BuildpackError | None:
    """Return which line of a TOML file of the app uv cannot read; None if it can."""
    if newer := _NEWER_LOCK.search(output):
        return BadLock(
            newer[1], f"it has version {newer[2]} of its format, but uv reads {newer[3]}"
        )
    if match := _NO_TEXT.search(output):
        return BadLock(match[1], "it is not UTF-8 text")
    match = _PARSED.search(output)
    if not match:
        return None
    file, line, text, reason = match.groups()
    problem, _, expected = reason.partition(", expected ")
    named = _EXPECTED.get(expected) or (
        "a table" if expected.startswith("struct ") else expected or f"other words: {problem}"
    )
    return UnexpectedType(file, "", int(line), text.strip(), named)


def _network(output: str) -> BuildpackError | None:
    """Return why a server gave no usable answer; None if servers did."""
    url, download = _URL.search(output), _DOWNLOAD.search(output)
    address = url[1] if url else download[1] if download else ""
    causes: list[str] = _LAST_CAUSE.findall(output)
    if not address or not causes:
        return None
    if status := _STATUS.search(output):
        return _answered(address, int(status[1]), f"{status[1]} {status[2]}")
    if match := re.search(r"invalid peer certificate: (.+)", output):
        problems = (words for name, words in _CERTIFICATES.items() if name in match[1])
        return UntrustedCertificate(address, next(problems, match[1]))
    if "tunnel error" in output or "proxy" in causes[-1]:
        return _proxy(address, causes)
    if "dns error" in output:
        return UnknownHost(address, "")
    return IndexUnreachable(address, causes[-1]) if url or "error reading" in output else None


def _answered(address: str, status: int, words: str) -> BuildpackError:
    if status in _REFUSALS:
        return IndexRefused(address, status)
    if status >= _SERVER_ERRORS or status == _TOO_MANY_REQUESTS:
        return IndexUnreachable(address, f"it answered {words}")
    return UrlNotFound(address, status)


def _proxy(address: str, causes: list[str]) -> BuildpackError:
    if any("authorization required" in cause for cause in causes):
        return IndexRefused(address, _PROXY_REFUSAL)
    unknown = any("dns error" in cause for cause in causes)
    return ProxyFailed(address, "its name is not known" if unknown else causes[-1])


def _hash_mismatch(output: str) -> BuildpackError | None:
    match = re.search(r"Hash mismatch for `([^`]+)`", output)
    if not match:
        return None
    expected, _, computed = output[match.end() :].partition("Computed:")
    return HashMismatch(
        match[1], _hashes_in(expected), "".join(_hashes_in(computed)[:1]).split(" ")[-1]
    )


def _hashes_in(text: str) -> tuple[str, ...]:
    hashes: list[tuple[str, str]] = re.findall(r"^\s+(\w+):([0-9a-f]{32,})", text, re.MULTILINE)
    return tuple(f"{name} {digest}" for name, digest in hashes)


def _build_requires(output: str) -> BuildpackError | None:
    match = _BUILD_REQUIRES.search(output)
    if not match or "build-system.requires" not in output:
        return None
    # uv lists all build requirements first; its reason names the one that cannot be had.
    missing = _REQUIRED.search(output)
    return missing_requirement(
        build_of(output),
        missing[1] if missing else match[1],
        is_offline=bool(_OFFLINE.search(output)),
    )


def _bad_line(output: str) -> BuildpackError | None:
    match = re.search(
        r"Couldn't parse requirement in `([^`]+)` at position \d+\n\s+cause: (.+)\n\s+(.+)", output
    )
    if match:
        return BadRequirement(match[3], match[1], match[2])
    if match := re.search(
        r"Invalid URL in `([^`]+)` at position \d+: (\S+)\n\s+cause: (.+)", output
    ):
        return BadRequirement(match[2], match[1], f"not an address: {match[3]}")
    if match := re.search(r"error: (Unexpected .+): (\S+):(\d+):\d+$", output, re.MULTILINE):
        return BadRequirement("", f"line {match[3]} of {match[2]}", match[1])
    if match := re.search(r"Distribution not found at: (?:file://)?(\S+)", output):
        if match[1].startswith("/"):
            return PathOutsideApp("pyproject.toml or requirements.txt", match[1])
        return BadRequirement(match[1], "", "there is nothing at that path")
    return None


def _no_wheel_in_lock(output: str, python: str) -> BuildpackError | None:
    match = _LOCKED_WITHOUT_WHEEL.search(output)
    if not match:
        return None
    version = re.search(rf"`{re.escape(match[1])}` \(v([^)]+)\)", output)
    requirement = f"{match[1]}=={match[2] or (version[1] if version else '')}".removesuffix("==")
    return _no_wheel_by_hints(requirement, output, python)


def _include_missing(output: str) -> BuildpackError | None:
    match = re.search(r"failed to read from file `([^`]+)`: (.+?) \(os error", output)
    return IncludeMissing(match[1], match[2]) if match else None


def _not_a_package(output: str) -> BuildpackError | None:
    match = re.search(r"`([^`]+)` does not appear to be a Python project", output)
    if not match:
        return None
    requirement = re.search(r"Failed to (?:download and )?build `([^`]+)`", output)
    return NotAPackage(requirement[1] if requirement else match[1])


def _insecure_hash(output: str) -> BuildpackError | None:
    match = re.search(
        r"`(\w+)` hashes are insecure and cannot be used with `--require-hashes` but no other "
        r"hashes are available for: (\S+)",
        output,
    )
    if not match:
        return None
    kind, requirement = match.groups()
    return BadRequirement(f"{requirement} --hash={kind}:...", "", f"{kind} is not secure any more")


def not_an_archive(output: str) -> BuildpackError | None:
    """Return which sdist uv cannot unpack; None if that is not the failure."""
    match = _NOT_UNPACKED.search(output)
    if not match:
        return None
    requirement, _, address = match[1].partition(" @ ")
    path = unquote(parts_of(address).path) if address.startswith("file:") else ""
    return DamagedPackage(requirement, build_errors.not_an_archive(Path(path)))


def _damaged(output: str) -> BuildpackError | None:
    match = re.search(r"Failed to unzip wheel: (\S+)\n\s+cause: (.+)", output)
    if match:
        return DamagedPackage(match[1], match[2])
    match = re.search(r"The structure of `([^`]+)`.* was invalid:\s+(.+)", output)
    if match:
        return DamagedPackage(match[1], match[2].rstrip("."))
    match = re.search(
        r"Failed to read `([^`\s]+)[^`]*`\n\s+cause: Failed to extract archive: \S+\n"
        r"(?:\s+cause: (.+)\n?)+",
        output,
    )
    if match:
        # "vers", the first letters of a pointer. https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
        is_pointer = "actual: 0x73726576" in output
        return DamagedPackage(match[1], "it is a pointer of Git LFS" if is_pointer else match[2])
    match = re.search(r"name `([^`]+)` does not match `([^`]+)` in the distribution", output)
    return DamagedPackage(match[1], f"it is a file of {match[2]}") if match else None


def recognize_resolution(output: str, python: str) -> BuildpackError | None:
    """Return why uv found no resolution for *python*; None if there are several reasons."""
    _, mark, after = output.partition(_NO_SOLUTION)
    account, hints = [*_HINT.split(after, maxsplit=1), ""][:2]
    text = " ".join(account.split())
    if not mark:
        return None
    if refused := _REFUSED.search(hints):
        return IndexRefused(refused[1] or refused[3], int(refused[2] or refused[4]))
    if text.count("we can conclude") > _SENTENCES:
        return None
    for recognizer in _RESOLUTION_RECOGNIZERS:
        if failure := recognizer(text, hints, python):
            return failure
    return _conflict(text)


def _not_found(text: str, hints: str, python: str) -> BuildpackError | None:
    del hints, python
    if not (match := _NOT_FOUND.search(text)):
        return None
    by = re.search(
        rf"(?<!\S)(?:all versions of )?(\S+) depends? on ({re.escape(match[1])}\S*?),", text
    )
    requirement = by[2] if by else _required(text, match[1])
    if "provided package locations" in text:
        return NotInFindLinks(requirement, by[1] if by else "", ())
    return NoSuchPackage(requirement, by[1] if by else "", ())


def _no_wheel(text: str, hints: str, python: str) -> BuildpackError | None:
    start = text.find("Because ")
    match = _WHEELS.search(text, start) if start >= 0 else None
    if not match:
        return None
    if "building from source is disabled" in hints:
        return OnlySource(_required(text, match[1]))
    return _no_wheel_by_hints(_required(text, match[1]), hints, python)


def _no_wheel_by_hints(requirement: str, hints: str, python: str) -> NoWheel:
    tags, platforms = _TAGS.search(hints), _PLATFORMS.search(hints)
    lines = {f"3.{minor}" for minor in re.findall(r"`cp3(\d{1,3})`", tags[1] if tags else "")}
    named = tuple(re.findall(r"`([^`]+)`", platforms[1] if platforms else ""))
    # uv names one kind of tag alone: with platforms that do not fit, the Python does not matter.
    pythons = () if named else tuple(sorted(lines, key=lambda line: int(line[2:])))
    return NoWheel(requirement, python, pythons, named)


def _wrong_python(text: str, hints: str, python: str) -> BuildpackError | None:
    del hints
    match = _PYTHON.search(text)
    return WrongPython(_required(text, match[1]), (match[2],), python) if match else None


def _yanked(text: str, hints: str, python: str) -> BuildpackError | None:
    del hints, python
    if not (match := _YANKED.search(text)):
        return None
    name, _, version = match[2].partition("==")
    return Yanked(_required(text, name), (version,) if version else (), match[3] or "")


def _no_version(text: str, hints: str, python: str) -> BuildpackError | None:
    del hints, python
    if match := _NO_VERSION.search(text):
        return NoSuchVersion(_required(text, match[1]), ())
    match = _ONLY.search(text)
    return NoSuchVersion(match[3], (match[2],)) if match else None


def _conflict(text: str) -> VersionConflict | None:
    """Return the requirements that conflict: those of the same package."""
    required = [
        ("the app requires", requirement.strip(" ,"))
        for part in re.findall(r"you require (.+?)(?:, we can| and all versions|$)", text)
        for requirement in part.split(" and ")
    ]
    depending = re.findall(r"(?<!\S)(\S+) depends? on ([^\s,]+)", text)
    reasons = [*required, *((f"{package} depends on", needed) for package, needed in depending)]
    counted = Counter(_name(requirement) for _, requirement in dict.fromkeys(reasons))
    conflicting = [pair for pair in dict.fromkeys(reasons) if counted[_name(pair[1])] > 1]
    causes = tuple(" ".join(pair) for pair in conflicting or dict.fromkeys(reasons))
    return VersionConflict(causes) if len(causes) > 1 else None


def _name(requirement: str) -> str:
    match = _NAME.match(requirement)
    return match[0] if match else requirement


def _required(text: str, name: str) -> str:
    """Return *name* with the version that the app requires, if it does."""
    match = re.search(rf"you require ({re.escape(_name(name))}[^\s,]*)", text)
    return match[1] if match else name


_RECOGNIZERS: tuple[Callable[[str], BuildpackError | None], ...] = (
    _wrong_type,
    git_failure,
    _hash_mismatch,
    _build_requires,
    _not_a_package,
    _insecure_hash,
    _damaged,
    _bad_line,
    _include_missing,
    _network,
)
_RESOLUTION_RECOGNIZERS: tuple[Callable[[str, str, str], BuildpackError | None], ...] = (
    _not_found,
    _yanked,
    _no_wheel,
    _wrong_python,
    _no_version,
)
