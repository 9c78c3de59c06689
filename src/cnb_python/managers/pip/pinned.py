"""Requirements files in which every line pins one release, and how uv installs those.

Only lines that mean the same to pip and to uv are accepted; all others are left to pip.
Separate from `install`, which unchanged builds do not import.
"""

import re
from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from packaging.version import Version

from cnb_python.app import REQUIREMENTS
from cnb_python.config.settings import UV
from cnb_python.managers.base import NeedsResolving, Pin, Resolution, digest
from cnb_python.managers.index_config import Network, for_indexes, is_index, network_of
from cnb_python.managers.requirement_lines import (
    SHA256,
    VARIABLE,
    RequirementLine,
    declared_encodings,
    lines_of,
    normalized_name,
)
from cnb_python.managers.tool_settings import read_pip_settings
from cnb_python.system.redaction import shown

# The plainest lines, which are nearly all, are read without `packaging.requirements`: importing it
# takes a tenth of the time of a build that changes nothing.
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_EXTRAS = rf"\[[ \t]*({_NAME}(?:[ \t]*,[ \t]*{_NAME})*)[ \t]*\]"
_PLAIN = re.compile(rf"({_NAME})[ \t]*+(?:{_EXTRAS})?[ \t]*+==[ \t]*+([A-Za-z0-9.!+_-]+)[ \t]*+")
_HASHES = re.compile(rf"{SHA256.pattern}(?:[ \t]+{SHA256.pattern})*")
_INDEX = re.compile(r"(?:--index-url(?:=|[ \t]+)|-i[ \t]*)([^\s'\"\\]+)")
_FOR_EXTRAS = re.compile(r"\b(extras?|dependency_groups)\b")
_UTF8 = frozenset({"utf-8", "utf8"})


class PinnedPlan(NamedTuple):
    """A resolution, and the way to its packages."""

    resolution: Resolution
    network: Network


class PinnedLine(NamedTuple):
    """A line that names one release."""

    number: int
    """Of the line, from 1."""
    name: str
    """Normalized (PEP 503)."""
    extras: tuple[str, ...]
    """Normalized, in order."""
    version: str
    """Normalized (PEP 440)."""
    marker: str
    """As it is written; empty: the line always counts."""
    hashes: tuple[str, ...]
    """SHA-256 in hex, each once, in order."""
    file: str = REQUIREMENTS

    @property
    def line(self) -> str:
        """The same without its marker, as every tool reads it."""
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        hashes = "".join(f" --hash=sha256:{sha256}" for sha256 in self.hashes)
        return f"{self.name}{extras}=={self.version}{hashes}"


class PinnedFile(NamedTuple):
    """A whole file of them, or several that are read together."""

    lines: tuple[PinnedLine, ...]
    index_url: str
    """The address of the index that the file names; empty: it names none."""

    @property
    def has_hashes(self) -> bool:
        """Whether every package must have one of the hashes of its line."""
        return any(line.hashes for line in self.lines)


class Unpinned(NamedTuple):
    """The file leaves something to resolve."""

    reason: str
    """What, as a verb phrase: `asks for a range`."""
    line: int
    """Its number, from 1; 0: the file as a whole."""
    file: str = REQUIREMENTS

    @property
    def sentence(self) -> str:
        """The reason with its subject: `line 3 of requirements.txt asks for a range`."""
        line = f"line {self.line} of " if self.line else ""
        return f"{line}{self.file} {self.reason}"


def plan(
    contents: Mapping[str, bytes],
    python: str,
    processor: str,
    environ: Mapping[str, str],
    *,
    by_uv: bool = False,
) -> PinnedPlan | NeedsResolving:
    """Return the resolution of fully pinned files for *python*; NeedsResolving for other files.

    *contents* are those of the files, which are read together, by their names. *environ* is that
    of pip's processes: pip's settings may be a reason to resolve. *by_uv*: uv resolves too, and of
    pip's settings only those of indexes count.
    """
    file = parse_files(contents)
    if isinstance(file, Unpinned):
        return NeedsResolving(file.sentence)
    settings = read_pip_settings(environ)
    if settings.unreadable:
        return NeedsResolving(f"{settings.unreadable} cannot be read")
    options = for_indexes(settings.options) if by_uv else settings.options
    network = network_of(options, environ, file.index_url)
    if isinstance(network, NeedsResolving):
        return network
    lines = _applying(file, python, processor)
    if isinstance(lines, Unpinned):
        return NeedsResolving(lines.sentence)
    pins = sorted(_pin(line, network.index_url) for line in lines)
    return PinnedPlan(Resolution(tuple(pins), from_files_alone=True, by=UV), network)


def _applying(file: PinnedFile, python: str, processor: str) -> list[PinnedLine] | Unpinned:
    """Return the lines that count for *python*, each of another distribution."""
    lines = [line for line in file.lines if not line.marker]
    if marked := [line for line in file.lines if line.marker]:
        from cnb_python.managers import markers  # noqa: PLC0415 - packaging.markers takes 40 ms

        for line in marked:
            if markers.depends_on_machine(line.marker):
                return Unpinned("has a marker about the machine", line.number, line.file)
            try:
                lines += [line] if markers.applies(line.marker, python, processor) else []
            except ValueError:  # UnusableMarker: pip reports it
                return Unpinned("has a marker that cannot be evaluated", line.number, line.file)
    counted = Counter(line.name for line in lines)
    for line in sorted(lines):
        if counted[line.name] > 1:
            return Unpinned(f"and another one both name {line.name}", line.number, line.file)
        if file.has_hashes and not line.hashes:
            return Unpinned("has no hash, while others have", line.number, line.file)
    return lines


def _pin(line: PinnedLine, index_url: str) -> Pin:
    # The index by its public part alone: a token changes, what it gives access to does not.
    origin = digest((shown(index_url), *line.hashes))
    return Pin(line.name, line.version, origin, line.line, extras=line.extras)


def parse_files(contents: Mapping[str, bytes]) -> PinnedFile | Unpinned:
    """Read files together, as `pip install -r a.txt -r b.txt`; *contents* by their names."""
    lines: list[PinnedLine] = []
    index_url = ""
    for name, content in contents.items():
        file = parse_file(content)
        if isinstance(file, Unpinned):
            return file._replace(file=name)
        if index_url and file.index_url not in {"", index_url}:
            return Unpinned("names a second index", 0, name)
        index_url = index_url or file.index_url
        lines += [line._replace(file=name) for line in file.lines]
    return PinnedFile(tuple(lines), index_url)


@cache
def parse_file(content: bytes) -> PinnedFile | Unpinned:
    """Read *content* as pip does, if it is nothing but pinned lines and at most one index.

    A build calls this twice, to resolve and to install, so the parsed file is cached.
    """
    text = _text(content)
    if text is None:
        return Unpinned("is not plain UTF-8", 0)
    lines = tuple(lines_of(text))
    options = [line for line in lines if line.text.startswith("-")]
    for at, line in enumerate(options):
        if reason := _unusable_option(line.text) or ("names a second index" if at else ""):
            return Unpinned(reason, line.number)
    pinned = []
    for line in lines:
        if not line.text.startswith("-"):
            parsed = _pinned(line)
            if isinstance(parsed, Unpinned):
                return parsed
            pinned.append(parsed)
    return PinnedFile(tuple(pinned), "".join(_INDEX.findall(options[0].text)) if options else "")


def _text(content: bytes) -> str | None:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    encodings = {encoding.casefold() for encoding in declared_encodings(content)}
    return text if encodings <= _UTF8 and "\0" not in text else None


class _Requirement(NamedTuple):
    """A requirement, taken apart."""

    name: str
    extras: tuple[str, ...]
    specifiers: tuple[tuple[str, str], ...]
    """Operator and version."""
    marker: str = ""
    url: str = ""


def _pinned(line: RequirementLine) -> PinnedLine | Unpinned:
    text, options = line.parts
    requirement = _plain(text) or _any(text)
    if requirement is None:
        return Unpinned("is not of the form name==version", line.number)
    if (
        reason := _no_pin(requirement)
        or _no_version(requirement)
        or _no_hashes(options)
        or _variable(line.text)
    ):
        return Unpinned(reason, line.number)
    return PinnedLine(
        line.number,
        normalized_name(requirement.name),
        tuple(sorted({normalized_name(extra) for extra in requirement.extras})),
        str(Version(requirement.specifiers[0][1])),
        requirement.marker,
        tuple(sorted({sha256.lower() for sha256 in SHA256.findall(options)})),
    )


def _plain(text: str) -> _Requirement | None:
    match = _PLAIN.fullmatch(text)
    if not match or not _is_version(match[3]):
        return None
    extras = tuple(filter(None, re.split(r"[ \t,]+", match[2] or "")))
    return _Requirement(match[1], extras, (("==", match[3]),))


def _any(text: str) -> _Requirement | None:
    from packaging.requirements import Requirement  # noqa: PLC0415 - see above

    try:
        parsed = Requirement(text)
        marker = str(parsed.marker) if parsed.marker else ""
    except ValueError, RecursionError:  # InvalidRequirement is one; brackets in brackets in ...
        return None
    specifiers = tuple((each.operator, each.version) for each in parsed.specifier)
    return _Requirement(parsed.name, tuple(parsed.extras), specifiers, marker, parsed.url or "")


def _no_pin(requirement: _Requirement) -> str:
    """Return why *requirement* does not name one release; empty if it does."""
    if requirement.url:
        return "names an address"
    if not requirement.specifiers:
        return "names no version"
    (operator, version), *more = requirement.specifiers
    if more or operator not in {"==", "==="}:
        return "asks for a range"
    if operator == "===" or version.endswith(".*"):
        return "compares versions as text or by a pattern"
    if _FOR_EXTRAS.search(requirement.marker):
        return "has a marker for extras"
    return ""


def _no_version(requirement: _Requirement) -> str:
    is_version = _is_version(requirement.specifiers[0][1])
    return "" if is_version else "is not of the form name==version"


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except ValueError:  # also a number of thousands of digits
        return False
    return True


def _no_hashes(options: str) -> str:
    is_hashes = not options or _HASHES.fullmatch(options)
    return "" if is_hashes else "has an option other than --hash=sha256:..."


def _variable(text: str) -> str:
    return "uses a variable" if VARIABLE.search(text) else ""


def _unusable_option(text: str) -> str:
    """Return why a line of options names no index that pip and uv use alike; empty if it does."""
    index = _INDEX.fullmatch(text)
    if not index:
        return f"has the option {re.split(r'[\s=]', text)[0]}"
    return _variable(text) or (
        "" if is_index(index[1]) else "names an index that is not on the web"
    )
