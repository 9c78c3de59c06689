"""Recognises why pip failed, by what it wrote. Pure: text in, a reason out."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

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
    BadPipOption,
    BadRequirement,
    DamagedPackage,
    HashMismatch,
    HashMissing,
    IncludeMissing,
    InstallFailed,
    NotAPackage,
    NotPinned,
)
from cnb_python.errors.locks import PathOutsideApp
from cnb_python.errors.network import (
    IndexRefused,
    IndexUnreachable,
    InsecureIndex,
    ProxyFailed,
    UnknownHost,
    UntrustedCertificate,
    UrlNotFound,
)
from cnb_python.managers import build_errors
from cnb_python.managers.base import InstallContext
from cnb_python.managers.pip import commands as pip_commands
from cnb_python.system.interface import Command, Outcome, Run

_PIP = "pip"
_LAST_WORDS = 5

type Finding = Callable[[], Sequence[str]]
"""Gives the lines of the app's files that say where, and among what, to look."""


def explain(
    command: Command, outcome: Outcome, finding: Finding, context: InstallContext, run: Run
) -> BuildpackError:
    """Say why *command*, which is pip's, failed."""
    # Paths as the app's author knows them.
    output = outcome.output.replace(f"{context.app_dir}/", "")
    known = (
        build_errors.machine_failure(outcome.code, output, _PIP)
        or build_errors.git_failure(output)
        or _of_build_requirements(output, finding, context, run)
        or build_errors.build_failure(output, context.python)
        or recognize(output, context.python)
        or unsupported(output, context.python, context.processor)
    )
    if known:
        return known
    if wanted := unmatched(output):
        return _ask_again(wanted, output, finding, context, run)
    if trouble := index_trouble(output):
        return trouble
    last_words = tuple(output.strip().splitlines()[-_LAST_WORDS:])
    return InstallFailed(_PIP, command.shown, outcome.code, last_words)


def _of_build_requirements(
    output: str, finding: Finding, context: InstallContext, run: Run
) -> BuildpackError | None:
    """Return why what a build requires cannot be had; None where nothing is said of that."""
    package, told = build_errors.build_of(output), build_errors.told_by(output)
    wanted = unmatched(told) if package else None
    if not wanted or "build dependencies" not in output:
        return None
    answer = _ask_again(wanted, told, finding, context, run)
    if isinstance(answer, NoSuchPackage | NoSuchVersion | NotInFindLinks):
        is_offline = isinstance(answer, NotInFindLinks)
        return build_errors.missing_requirement(package, wanted.requirement, is_offline=is_offline)
    return answer


def _ask_again(
    wanted: Unmatched, output: str, finding: Finding, context: InstallContext, run: Run
) -> BuildpackError:
    """Find out why there is nothing: pip tells about refusals and skipped wheels with -vv only."""
    ask = pip_commands.verbose_resolve(wanted.requirement, finding(), context)
    telling: list[str] = output.splitlines()
    run(ask, lambda line: telling.append(line) if TELLING.search(line) else None)
    told = "\n".join(telling)
    return nothing_found(wanted, told, context.python, context.processor)


_PROCESSING = re.compile(r"^Processing (\S+)(?: \((from .+)\))?$", re.MULTILINE)
_NOTHING_THERE = re.compile(
    r"ERROR: Could not install packages due to an OSError: \[Errno 2\] No such file or directory: "
    r"'([^']+)'"
)
_NO_FILE = re.compile(r"Hint: It looks like a path\. File '([^']+)' does not exist")
_NO_EDITABLE = re.compile(r"ERROR: (\S+) is not a valid editable requirement")
_PLACE = re.compile(r"\(from (?:line (\d+) of (\S+?)|-r (\S+) \(line (\d+)\))\)")
# Patterns with the option, its value, and what is expected; the first three by pip's own words.
_NO_NUMBER = re.compile(r"option ([\w-]+): invalid (\w+) value: '([^']*)'")
_NO_CHOICE = re.compile(r"option ([\w-]+): invalid choice: '([^']*)' \(choose from (.+?)\)")
_NO_VALUE = re.compile(
    r"^\s*(\S.*?) is not a valid value for ([\w-]+) option, please specify (.+?)(?: instead)?\.$",
    re.MULTILINE,
)
_NO_SCHEME = re.compile(r'The index url "([^"]*)" seems invalid')
_NO_PROXY = re.compile(r"OSError: Failed to parse: '([^']*)' is not a valid host or port")


def bad_option(output: str) -> BuildpackError | None:
    """Recognise a variable `PIP_*`, or an entry of pip.conf, with a value that it cannot have."""
    if found := _NO_NUMBER.search(output):
        return BadPipOption(found[1], found[3], f"an {found[2]}")
    if found := _NO_CHOICE.search(output):
        return BadPipOption(found[1], found[2], f"one of {found[3]}")
    if found := _NO_VALUE.search(output):
        return BadPipOption(found[2], found[1], found[3])
    if found := _NO_SCHEME.search(output):
        return BadPipOption("index-url", found[1], "an address, which begins with https://")
    if found := _NO_PROXY.search(output):
        return BadPipOption("proxy", found[1], "an address such as http://proxy.example.com:3128")
    return None


def missing_path(output: str) -> BuildpackError | None:
    """Recognise paths where nothing is: outside of the app, or of the machine of somebody else.

    `pip freeze` of conda writes those of the machine that built a package.
    """
    context = _PLACE.search(output)
    line, file = (context[1] or context[4], context[2] or context[3]) if context else ("", "")
    if found := _NO_FILE.search(output):
        # pip says itself what it makes of one that is in the app.
        return _outside(found[1], file)
    if found := _NO_EDITABLE.search(output):
        problem = "there is no project at that path"
        return _outside(found[1], file) or BadRequirement(f"-e {found[1]}", "", problem)
    if gone := _NOTHING_THERE.search(output):
        named = [one[1] for one in _PROCESSING.finditer(output, 0, gone.start())][-1:]
        if outside := _outside("".join(named), file):
            return outside
        if named == [gone[1]]:
            where = f"line {line} of {file}" if line else ""
            return BadRequirement(gone[1], where, "there is nothing at that path")
    if found := re.search(r"ERROR: (\S+) recursively references itself in (\S+)", output):
        return BadRequirement(f"-r {found[1]}", found[2], "the file includes itself")
    return None


def _outside(path: str, file: str) -> BuildpackError | None:
    return PathOutsideApp(file or "requirements.txt", path) if path.startswith("../") else None


# What `-vv` adds to say why an index gave nothing; the rest of its megabytes is not kept.
TELLING = re.compile(
    r"Could not fetch URL|none of the wheel's tags|requires? a different|Requires-Python"
    r"|ERROR: |Retrying \(|Looking in (?:indexes|links)|not a trusted or secure host"
    r"|Location '.*' is ignored"
)
_REFUSALS = frozenset({401, 403, 407})
_TOO_MANY = 429
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
_WANTED_BY = re.compile(r"\s+\(from (.+?)\)$")
_LINKS = re.compile(r"^Looking in links: (.+)$", re.MULTILINE)
_INDEXES = re.compile(r"^Looking in indexes: ", re.MULTILINE)
_YANKED = re.compile(r"ERROR: Ignored the following yanked versions: (.+)")
_INSECURE = re.compile(r"located at (\S+) is not a trusted or secure host and is being ignored")
_NO_HOST = re.compile(r"Failed to resolve IP address for '([^']+)'|NameResolutionError")
_PROXY = re.compile(r"proxy connection error|Unable to connect to proxy|ProxyError")
_PLATFORM = re.compile(r"(?:manylinux|linux)(?:\d+|_\d+_\d+)?_(\w+)")


class Unmatched(NamedTuple):
    """A requirement that pip found nothing for."""

    requirement: str
    needed_by: str = ""
    """The package that requires it; empty: the app itself."""


def unmatched(output: str) -> Unmatched | None:
    """Return the requirement that pip found nothing for."""
    found = _NO_MATCH.search(output)
    if not found:
        return None
    wanted = found[1].strip()
    by = _WANTED_BY.search(wanted)
    files = by and by[1].startswith(("-r ", "-c "))
    return Unmatched(_WANTED_BY.sub("", wanted), by[1] if by and not files else "")


def recognize(output: str, python: str) -> BuildpackError | None:
    """Return why pip failed as far as its ordinary output tells, None where it does not."""
    for look in _LOOKS:
        if reason := look(output):
            return reason
    if found := _PACKAGE_NEEDS.search(output):
        return WrongPython(found[1], (found[2],), python)
    return None


def nothing_found(wanted: Unmatched, telling: str, python: str, processor: str) -> BuildpackError:
    """Say why there is nothing that is *wanted*, by the lines of a `-vv` run that tell.

    *processor* is this machine's, as environment markers have it.
    """
    requirement = wanted.requirement
    return (
        index_trouble(telling)
        or _other_python(requirement, telling, python)
        or _other_tags(requirement, telling, python, processor)
        or _unknown(wanted, telling)
    )


def unsupported(output: str, python: str, processor: str) -> BuildpackError | None:
    """Say whom a wheel is for that a requirement names by its address and that does not fit."""
    found = re.search(r"ERROR: (\S+)\.whl is not a supported wheel on this platform", output)
    if not found:
        return None
    name, version, *_, pythons, _, platforms = found[1].split("-")
    tags = [f"{one}-abi-{two}" for one in pythons.split(".") for two in platforms.split(".")]
    return no_wheel(f"{name}=={version}", tags, python, processor)


def index_trouble(output: str) -> BuildpackError | None:
    """Return why an index gave nothing, None where it answered or merely lacks the package."""
    for url, reason in (*_FETCH.findall(output), *_DOWNLOAD.findall(output)):
        if trouble := _trouble(url, reason):
            return trouble
    if found := re.search(r"Download failed .*because (.+)\n\s*╰─> URL: (\S+)", output):
        return IndexUnreachable(found[2], found[1])
    insecure = _INSECURE.search(output)
    return InsecureIndex(insecure[1]) if insecure else None


def _trouble(url: str, reason: str) -> BuildpackError | None:
    status = _STATUS.search(reason)
    number = int(status[1]) if status else 0
    if number in _REFUSALS or "407 Proxy Authentication" in reason:
        return IndexRefused(url, number or 407)
    if "certificate" in reason.casefold():
        return UntrustedCertificate(url, _certificate_problem(reason))
    if _PROXY.search(reason):
        return ProxyFailed(url, _proxy_problem(reason))
    if found := _NO_HOST.search(reason):
        return UnknownHost(url, found[1] or "")
    if not status or number >= 500 or number == _TOO_MANY:
        return IndexUnreachable(url, _plainly(reason))
    return None


def _plainly(reason: str) -> str:
    """Return what is behind the names of classes that pip hands on."""
    found = re.search(r"Caused by \w+\([\"'](.+?)[\"']\)|\[Errno \d+\] ([^'\")]+)", reason)
    return (found[1] or found[2]).strip() if found else reason


def _proxy_problem(reason: str) -> str:
    if _NO_HOST.search(reason):
        return "its name is not known"
    found = re.search(r"\[Errno \d+\] ([^'\")]+)|(Tunnel connection failed: [^'\")]+)", reason)
    return (found[1] or found[2]).strip() if found else "there was no usable answer"


def _other_python(requirement: str, telling: str, python: str) -> BuildpackError | None:
    wanted = _pinned(requirement)
    ignored = "\n".join(line for line in telling.splitlines() if "ERROR: Ignored" in line)
    needs = {
        spec.strip()
        for version, spec in _OTHER_PYTHON.findall(ignored)
        if wanted in (None, version)
    }
    return WrongPython(requirement, tuple(sorted(needs)), python) if needs else None


def _other_tags(
    requirement: str, telling: str, python: str, processor: str
) -> BuildpackError | None:
    wanted = _pinned(requirement)
    tags = [
        tag.strip()
        for tags, file in _OTHER_TAGS.findall(telling)
        if wanted is None or file.split("-")[1] == wanted
        for tag in tags.split(",")
    ]
    return no_wheel(requirement, tags, python, processor) if tags else None


def no_wheel(requirement: str, tags: Sequence[str], python: str, processor: str) -> NoWheel:
    """Say which Pythons the wheels of these *tags* (`cp311-cp311-linux_x86_64`) are for."""
    parts = [tag.split("-", 2) for tag in tags]
    lines = {_line(one[0]) for one in parts if _is_for(one[2], processor)} - {
        "",
        _minor_of(python),
    }
    platforms = sorted({one[2] for one in parts})
    return NoWheel(requirement, python, tuple(sorted(lines, key=_minor)), tuple(platforms))


def _is_for(platform: str, processor: str) -> bool:
    found = _PLATFORM.fullmatch(platform)
    return platform == "any" or (found is not None and found[1] == processor)


def _minor_of(python: str) -> str:
    return ".".join(python.split(".")[:2])


def _unknown(wanted: Unmatched, telling: str) -> BuildpackError:
    requirement = wanted.requirement
    found = _CONFUSED.search(telling)
    versions = [] if not found or found[1] == "none" else found[1].split(", ")
    if versions:
        return NoSuchVersion(requirement, tuple(versions[-_NEWEST_SHOWN:]))
    if withdrawn := _YANKED.search(telling):
        pinned = _pinned(requirement)
        shown = (pinned,) if pinned else tuple(withdrawn[1].split(", ")[-_NEWEST_SHOWN:])
        return Yanked(requirement, shown, "")
    links = _LINKS.search(telling)
    pages = tuple(dict.fromkeys(url for url, _ in _FETCH.findall(telling)))
    if telling and not _INDEXES.search(telling) and (links or not pages):
        missing = set(re.findall(r"Location '(.*)' is ignored", telling))
        listed = links[1].split(", ") if links else []
        places = (f"{one} (not there)" if one in missing else one for one in listed)
        return NotInFindLinks(requirement, wanted.needed_by, tuple(places))
    return NoSuchPackage(requirement, wanted.needed_by, pages)


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
    context = re.search(r"\(from (line \d+ of \S+?)\)", output)
    hint = re.search(r"Hint: (.+)|error: (no such option.+)", output)
    words = [problem, *(group for group in (hint.groups() if hint else ()) if group)]
    return BadRequirement(
        text.strip("'"), context[1] if context else "", ". ".join(filter(None, words))
    )


def _include_missing(output: str) -> BuildpackError | None:
    found = re.search(
        r"Could not open (?:requirements|constraint) file: \[Errno \d+\] (.+?): '([^']+)'", output
    )
    return IncludeMissing(found[2], found[1]) if found else None


def _not_a_package(output: str) -> BuildpackError | None:
    found = re.search(
        r"ERROR: (\S+) .*does not appear to be a Python project"
        r"|ERROR: Directory '([^']+)' is not installable",
        output,
    )
    return NotAPackage((found[1] or found[2]).removeprefix("file://")) if found else None


def _damaged(output: str) -> BuildpackError | None:
    if found := re.search(r"ERROR: (\S+) has an invalid wheel, (.+)", output):
        return DamagedPackage(found[1], found[2])
    if found := re.search(r"ERROR: Wheel '([^']+)' located at \S+ is invalid", output):
        return DamagedPackage(found[1], "it is no wheel")
    found = re.search(r"AssertionError: '([^']+)' != '([^']+)' for wheel", output)
    return DamagedPackage(found[1], f"it is a file of {found[2]}") if found else None


def _url_status(output: str) -> BuildpackError | None:
    found = _URL_STATUS.search(output)
    if not found:
        return None
    status, url = int(found[1]), found[2]
    return IndexRefused(url, status) if status in _REFUSALS else UrlNotFound(url, status)


_LOOKS: tuple[Callable[[str], BuildpackError | None], ...] = (
    _hash_mismatch,
    _hash_missing,
    _not_pinned,
    _conflict,
    missing_path,
    bad_option,
    _bad_line,
    _include_missing,
    _not_a_package,
    _url_status,
    _damaged,
)
