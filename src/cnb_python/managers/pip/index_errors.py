"""Recognizes why pip found no release: what an index refused, lacks, or has for other machines.

Separate from `errors`, which finds out what is wrong with the requirements themselves. Text in, a
failure out.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from cnb_python.errors.base import BuildpackError
from cnb_python.errors.network import (
    IndexRefused,
    IndexUnreachable,
    InsecureIndex,
    ProxyFailed,
    UnknownHost,
    UntrustedCertificate,
)
from cnb_python.errors.packages.finding import (
    NoSuchPackage,
    NoSuchVersion,
    NotInFindLinks,
    NoWheel,
    OnlySource,
    WrongPython,
    Yanked,
)
from cnb_python.managers.markers import release_line

# The lines that `-vv` adds to say why an index gave nothing; megabytes of others are not kept.
REASON_LINES = re.compile(
    r"Could not fetch URL|none of the wheel's tags|requires? a different|Requires-Python"
    r"|ERROR: |Retrying \(|Looking in (?:indexes|links)|not a trusted or secure host"
    r"|Location '.*' is ignored|^[1-9]\d* location\(s\) to search|No sources permitted"
)
REFUSALS = frozenset({401, 403, 407})
_PROXY_REFUSAL = 407
_TOO_MANY_REQUESTS = 429
_SERVER_ERRORS = 500
_NEWEST_SHOWN = 5

_VERSIONS = re.compile(
    r"ERROR: Could not find a version that satisfies the requirement .* \(from versions: (.*)\)"
)
_NO_MATCH = re.compile(r"ERROR: No matching distribution found for (.+)")
_NEEDED_BY = re.compile(r"\s+\(from (.+?)\)$")
_FETCH = re.compile(r"Could not fetch URL (\S+): (.*?)(?: - skipping)?$", re.MULTILINE)
_DOWNLOAD = re.compile(r"while fetching (\S+)\s*\n\s*╰─> (.+)")
_DOWNLOAD_FAILED = re.compile(r"Download failed .*because (.+)\n\s*╰─> URL: (\S+)")
_STATUS = re.compile(r"(\d{3}) (?:Client|Server) Error")
_INSECURE = re.compile(r"located at (\S+) is not a trusted or secure host and is being ignored")
_NO_HOST = re.compile(r"Failed to resolve IP address for '([^']+)'|NameResolutionError")
_PROXY = re.compile(r"proxy connection error|Unable to connect to proxy|ProxyError")
_PROXY_PROBLEM = re.compile(r"\[Errno \d+\] ([^'\")]+)|(Tunnel connection failed: [^'\")]+)")
_CERTIFICATE_PROBLEM = re.compile(r"certificate verify failed: ([^('\"]+)")
_CAUSE = re.compile(r"Caused by \w+\([\"'](.+?)[\"']\)|\[Errno \d+\] ([^'\")]+)")
_LINKS = re.compile(r"^Looking in links: (.+)$", re.MULTILINE)
_IGNORED_LINK = re.compile(r"Location '(.*)' is ignored")
_INDEXES = re.compile(r"^Looking in indexes: ", re.MULTILINE)
# The default index is asked, which pip does not name.
_SEARCHED = re.compile(r"^[1-9]\d* location\(s\) to search", re.MULTILINE)
_YANKED = re.compile(r"ERROR: Ignored the following yanked versions: (.+)")
_OTHER_PYTHON = re.compile(r"[;:] (\S+) Requires-Python ([^;:\n]+)")
_OTHER_TAGS = re.compile(r"none of the wheel's tags \(([^)]*)\).*?/([^/#\s]+\.whl)")
# Of a tag: `cp311-cp311-linux_x86_64`.
_DASHES = 2
# Of a file. The parts of a longer name stand for millions of tags.
_LONGEST_NAME = 255
_UNSUPPORTED = re.compile(r"ERROR: (\S+)\.whl is not a supported wheel on this platform")
_PLATFORM = re.compile(r"(?:manylinux|linux)(?:\d+|_\d+_\d+)?_(\w+)")
_PIN = re.compile(r"===?\s*([\w.+!-]+)$")


class Unmatched(NamedTuple):
    """A requirement that pip found nothing for."""

    requirement: str
    needed_by: str = ""
    """The package that requires it; empty: the app itself."""


def unmatched(output: str) -> Unmatched | None:
    """Return the requirement that pip found nothing for; None if that is not the failure."""
    match = _NO_MATCH.search(output)
    if not match:
        return None
    requirement = match[1].strip()
    source = _NEEDED_BY.search(requirement)
    is_package = source and not source[1].startswith(("-r ", "-c "))
    return Unmatched(_NEEDED_BY.sub("", requirement), source[1] if source and is_package else "")


def nothing_found(
    unmatched: Unmatched, reason_lines: str, python: str, processor: str
) -> BuildpackError:
    """Return why there is nothing for a requirement, by the `REASON_LINES` of a `-vv` run.

    *processor* is this machine's, as environment markers have it.
    """
    requirement = unmatched.requirement
    return (
        index_failure(reason_lines)
        or _only_source(requirement, reason_lines)
        or _other_python(requirement, reason_lines, python)
        or _other_tags(requirement, reason_lines, python, processor)
        or _unknown(unmatched, reason_lines)
    )


def index_failure(output: str) -> BuildpackError | None:
    """Return why an index gave nothing; None if it answered, or merely lacks the package."""
    for url, reason in (*_FETCH.findall(output), *_DOWNLOAD.findall(output)):
        if failure := _fetch_failure(url, reason):
            return failure
    if match := _DOWNLOAD_FAILED.search(output):
        return IndexUnreachable(match[2], match[1])
    insecure = _INSECURE.search(output)
    return InsecureIndex(insecure[1]) if insecure else None


def _fetch_failure(url: str, reason: str) -> BuildpackError | None:
    match = _STATUS.search(reason)
    status = int(match[1]) if match else 0
    if status in REFUSALS or "407 Proxy Authentication" in reason:
        return IndexRefused(url, status or _PROXY_REFUSAL)
    if "certificate" in reason.casefold():
        problem = _CERTIFICATE_PROBLEM.search(reason)
        return UntrustedCertificate(
            url, problem[1].strip() if problem else "it could not be verified"
        )
    if _PROXY.search(reason):
        return ProxyFailed(url, _proxy_problem(reason))
    if host := _NO_HOST.search(reason):
        return UnknownHost(url, host[1] or "")
    if not status or status >= _SERVER_ERRORS or status == _TOO_MANY_REQUESTS:
        cause = _CAUSE.search(reason)
        return IndexUnreachable(url, (cause[1] or cause[2]).strip() if cause else reason)
    return None


def _proxy_problem(reason: str) -> str:
    if _NO_HOST.search(reason):
        return "its name is not known"
    match = _PROXY_PROBLEM.search(reason)
    return (match[1] or match[2]).strip() if match else "there was no usable answer"


def _only_source(requirement: str, reason_lines: str) -> BuildpackError | None:
    pinned = _pinned_version(requirement)
    refused = re.findall(r"No sources permitted for \S+: \S*/([^/#\s]+)", reason_lines)
    if not pinned:
        is_refused = bool(refused) and "(from versions: none)" in reason_lines
    else:
        is_refused = any(re.search(rf"-{re.escape(pinned)}\.(?:tar|zip|tgz)", f) for f in refused)
    return OnlySource(requirement) if is_refused else None


def _other_python(requirement: str, reason_lines: str, python: str) -> BuildpackError | None:
    pinned = _pinned_version(requirement)
    ignored = "\n".join(line for line in reason_lines.splitlines() if "ERROR: Ignored" in line)
    specifiers = {
        specifier.strip()
        for version, specifier in _OTHER_PYTHON.findall(ignored)
        if pinned in (None, version)
    }
    return WrongPython(requirement, tuple(sorted(specifiers)), python) if specifiers else None


def _other_tags(
    requirement: str, reason_lines: str, python: str, processor: str
) -> BuildpackError | None:
    pinned = _pinned_version(requirement)
    tags = [
        tag.strip()
        for tags, file in _OTHER_TAGS.findall(reason_lines)
        if pinned is None or file.split("-")[1:2] == [pinned]
        for tag in tags.split(",")
        if tag.count("-") >= _DASHES
    ]
    return _no_wheel(requirement, tags, python, processor) if tags else None


def unsupported_wheel(output: str, python: str, processor: str) -> BuildpackError | None:
    """Return what the wheel is for that a requirement names by its address; None without one."""
    match = _UNSUPPORTED.search(output)
    if not match or len(match[1]) > _LONGEST_NAME:
        return None
    try:
        name, version, *_, pythons, _, platforms = match[1].split("-")
    except ValueError:  # it has fewer parts than the name of a wheel
        return None
    tags = [f"{each}-abi-{other}" for each in pythons.split(".") for other in platforms.split(".")]
    return _no_wheel(f"{name}=={version}", tags, python, processor)


def _no_wheel(requirement: str, tags: Sequence[str], python: str, processor: str) -> NoWheel:
    """Return the failure of wheels with *tags*, such as `cp311-cp311-linux_x86_64`."""
    parts = [tag.split("-", 2) for tag in tags]
    lines = {_line_of_tag(part[0]) for part in parts if _is_for(part[2], processor)}
    lines -= {"", release_line(python)}
    platforms = sorted({part[2] for part in parts})
    return NoWheel(requirement, python, tuple(sorted(lines, key=_minor)), tuple(platforms))


def _is_for(platform: str, processor: str) -> bool:
    match = _PLATFORM.fullmatch(platform)
    return platform == "any" or (match is not None and match[1] == processor)


def _line_of_tag(tag: str) -> str:
    """Return the release line of `cp311`: `3.11`; empty for other tags than CPython 3's."""
    match = re.fullmatch(r"cp3(\d{1,3})", tag)
    return f"3.{match[1]}" if match else ""


def _minor(line: str) -> int:
    return int(line.partition(".")[2])


def _unknown(unmatched: Unmatched, reason_lines: str) -> BuildpackError:
    requirement = unmatched.requirement
    match = _VERSIONS.search(reason_lines)
    versions = [] if not match or match[1] == "none" else match[1].split(", ")
    if versions:
        return NoSuchVersion(requirement, tuple(versions[-_NEWEST_SHOWN:]))
    if yanked := _YANKED.search(reason_lines):
        pinned = _pinned_version(requirement)
        shown = (pinned,) if pinned else tuple(yanked[1].split(", ")[-_NEWEST_SHOWN:])
        return Yanked(requirement, shown, "")
    links = _LINKS.search(reason_lines)
    pages = tuple(dict.fromkeys(url for url, _ in _FETCH.findall(reason_lines)))
    asks_index = _INDEXES.search(reason_lines) or (_SEARCHED.search(reason_lines) and not links)
    if reason_lines and not asks_index and (links or not pages):
        missing = set(_IGNORED_LINK.findall(reason_lines))
        listed = links[1].split(", ") if links else []
        sources = (f"{link} (not there)" if link in missing else link for link in listed)
        return NotInFindLinks(requirement, unmatched.needed_by, tuple(sources))
    return NoSuchPackage(requirement, unmatched.needed_by, pages)


def _pinned_version(requirement: str) -> str | None:
    match = _PIN.search(requirement)
    return match[1] if match else None
