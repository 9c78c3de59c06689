"""The lines of an app's requirements files as their author wrote them, includes too.

They are needed to install again what pip or uv has resolved: the results of these tools name
neither branches nor variables, nor where the tool looked.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cnb_python.managers.requirement_lines import (
    Remote,
    RequirementLine,
    egg_name,
    expanded,
    nothing_remote,
    option_of,
    read_lines,
    split_marker,
)

# Options that choose where to look for packages, and among which.
_FINDING = frozenset(
    {
        *("index-url", "extra-index-url", "find-links", "no-index", "pre", "trusted-host"),
        *("only-binary", "no-binary", "prefer-binary", "all-releases", "only-final"),
    }
)
_BUILD_OPTION = re.compile(r"--config-settings?\b|-C\b")
_EXTRAS = re.compile(r"\[[^][]*\]$")
_REVISION = re.compile(r"@[^@/]*$")


class OwnLines(NamedTuple):
    """The lines that matter for installing again."""

    finding: tuple[str, ...]
    """Where and among what to look, in order."""
    by_name: Mapping[str, tuple[str, ...]]
    """Addresses, paths and editables whose line names the distribution."""
    by_address: Mapping[str, str]
    """Those whose line names none, by `identity`."""
    building: Mapping[str, str]
    """By name: the options with which a release from an index is built."""
    hashes: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    """By name: the allowed hashes of a release's files, as `sha256:...`. Never empty."""

    def line_of(self, name: str, address: str) -> str:
        """Return the line that asks for *name* at *address*; empty if no line does."""
        named = self.by_name.get(name, ())
        # Several have markers, and only the address tells which of them counted.
        return named[0] if len(named) == 1 else self.by_address.get(identity(address), "")


def read_own_lines(
    files: Sequence[Path],
    app_dir: Path,
    environ: Mapping[str, str],
    remote: Remote = nothing_remote,
) -> OwnLines:
    """Read *files* and what they include; a file that cannot be read has no lines."""
    collected = _LinesByName()
    for file in files:
        for source, line in read_lines(file, environ, remote):
            beside = source.parent if isinstance(source, Path) else app_dir
            if option_of(line.text)[0] in _FINDING:
                collected.finding.append(_anchored(line.text, beside, app_dir))
            else:
                collected.add(line, app_dir, environ)
    return collected.own_lines()


class _LinesByName:
    """The lines that were read so far."""

    def __init__(self) -> None:
        self.finding: list[str] = []
        self.by_name: defaultdict[str, list[str]] = defaultdict(list)
        self.by_address: dict[str, str] = {}
        self.building: dict[str, str] = {}
        self.hashes: defaultdict[str, dict[str, None]] = defaultdict(dict)

    def add(self, line: RequirementLine, app_dir: Path, environ: Mapping[str, str]) -> None:
        """Add the requirement of *line*, if it has one."""
        requirement, _ = split_marker(line.editable or line.parts[0])
        if not requirement:
            return  # another option
        name, is_release = _name(requirement), _is_release(requirement)
        if name and is_release and not line.editable:
            if options := build_options(line.text):
                self.building[name] = options
            # Of lines with markers only one counts; a hash of another matches no file of it.
            if hashes := line.hashes:
                self.hashes[name] |= dict.fromkeys(hashes)
            return
        # What looks like a release behind -e is a directory, which may hold anything.
        if name and not is_release:
            self.by_name[name].append(line.text)
        address = identity(_address(expanded(requirement, environ), app_dir))
        self.by_address[address] = line.text

    def own_lines(self) -> OwnLines:
        """Return all of them."""
        return OwnLines(
            tuple(self.finding),
            {name: tuple(lines) for name, lines in self.by_name.items()},
            self.by_address,
            self.building,
            {name: tuple(hashes) for name, hashes in self.hashes.items()},
        )


def build_options(text: str) -> str:
    """Return the options with which the requirement of a line is built; empty if it has none."""
    _, options = RequirementLine(0, text).parts
    return _without_hashes(options) if _BUILD_OPTION.search(options) else ""


def identity(address: str) -> str:
    """Return what two spellings of an *address* have in common: no login, revision, fragment."""
    bare = unquote(address.partition("#")[0])
    scheme, mark, after = bare.rpartition("://")
    scheme = scheme.rpartition("+")[2]
    host, slash, path = after.partition("/")
    path = _REVISION.sub("", path) if mark and scheme != "file" else path
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}".rstrip("/")


def _anchored(text: str, beside: Path, app_dir: Path) -> str:
    """Return an option whose directory, if it names one, does not depend on where it is read."""
    option, links = option_of(text)
    for directory in (beside, app_dir):
        if option == "find-links" and links and (directory / links).exists():
            return f"--find-links {directory / links}"
    return text


def _name(address: str) -> str:
    try:
        return canonicalize_name(egg_name(address) or Requirement(address).name)
    except ValueError, RecursionError:  # InvalidRequirement is a ValueError
        return ""


def _is_release(address: str) -> bool:
    try:
        return Requirement(address).url is None
    except ValueError, RecursionError:  # InvalidRequirement is a ValueError
        return False


def _address(requirement: str, app_dir: Path) -> str:
    """Return the address in *requirement*; that of a path, as pip reports it."""
    name, mark, behind = requirement.partition("@")
    if mark and re.fullmatch(r"[\w.-]++(\[.*\])?\s*", name) and "://" in behind:
        return behind.strip()
    try:
        if urlsplit(requirement).scheme:
            return requirement
        path = _EXTRAS.sub("", requirement)
        return (app_dir / path).resolve().as_uri()
    except ValueError:  # a part of an IPv6 address, a NUL: neither an address nor a path
        return requirement


def _without_hashes(options: str) -> str:
    return re.sub(r"--hash(?:=|\s+)\S+\s*", "", options).strip()
