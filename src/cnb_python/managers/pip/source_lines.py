"""What an app's requirements files say in their own words, includes and all.

For installing again what pip has decided: its report names neither branches nor variables, and
says nothing of where it looked.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cnb_python.errors.inputs import NotAFile
from cnb_python.managers.pip.requirements_txt import VARIABLE, RequirementLine, decode, lines_of
from cnb_python.system.redaction import local_path

_INCLUDE = re.compile(r"(?:--requirement|--constraint)(?:=|\s+)(.+)|-[rc]\s*(.+)")
_EDITABLE = re.compile(r"(?:--editable(?:=|\s+)|-e\s*)(.+)")
# Options that say where and among what to look.
_FINDING = re.compile(
    r"(-i|-f|--index-url|--extra-index-url|--find-links|--no-index|--pre|--trusted-host"
    r"|--only-binary|--no-binary|--prefer-binary|--all-releases|--only-final)\b"
)
_LINKS = re.compile(r"(?:--find-links(?:=|\s+)|-f\s*)(\S+)")
_BUILD_OPTION = re.compile(r"--config-settings?\b|-C\b")
_HASH = re.compile(r"--hash(?:=|\s+)(\w+:[0-9a-fA-F]+)")
_EGG = re.compile(r"[#&]egg=([\w.-]+)")
_MARKER = re.compile(r"\s*(?<=\s);.*|;\s.*")
_REVISION = re.compile(r"@[^@/]*$")


type Source = Path | str
"""A file, or the address of one on the web."""
type Remote = Callable[[str], str]
"""Returns what is at an address; nothing where that cannot be had."""


def _nothing(_: str) -> str:
    return ""


class OwnLines(NamedTuple):
    """The lines that matter for installing again."""

    finding: tuple[str, ...]
    """Where and among what to look, in order."""
    by_name: Mapping[str, tuple[str, ...]]
    """Addresses, paths and editables whose line names the distribution."""
    by_address: Mapping[str, str]
    """The others, by `identity`."""
    building: Mapping[str, str]
    """By name: the options with which a release from an index is built."""
    hashes: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    """By name: what files of releases may have, as `sha256:...`; whoever has none is not here."""

    def line_of(self, name: str, address: str) -> str:
        """Return the line that asks for *name* at *address*; empty where there is none."""
        named = self.by_name.get(name, ())
        # Several: they have markers, and only the address tells which of them counted.
        return named[0] if len(named) == 1 else self.by_address.get(identity(address), "")


def read_own_lines(
    files: Sequence[Path], app_dir: Path, environ: Mapping[str, str], remote: Remote = _nothing
) -> OwnLines:
    """Read *files* and what they include. What cannot be read says nothing: pip has read it."""
    found = OwnLines((), {}, {}, {})
    lines = (one for file in files for one in read_lines(file, environ, remote))
    for origin, line in lines:
        beside = origin.parent if isinstance(origin, Path) else app_dir
        found = (
            found._replace(finding=(*found.finding, _anchored(line.text, beside, app_dir)))
            if _FINDING.match(line.text)
            else _with(found, line, app_dir, environ)
        )
    return found


def _with(
    found: OwnLines, line: RequirementLine, app_dir: Path, environ: Mapping[str, str]
) -> OwnLines:
    """Return *found* and what a requirement says."""
    editable = _EDITABLE.fullmatch(line.text)
    wanted = _MARKER.sub("", editable[1] if editable else line.parts[0]).strip()
    name = _name(wanted)
    if not wanted:
        return found  # another option
    if name and _is_release(wanted) and not editable:
        options = build_options(line.text)
        built = {name: options} if options else {}
        # Of lines with markers only one counts; a hash of another matches no file of it.
        hashes = (*found.hashes.get(name, ()), *_HASH.findall(line.parts[1]))
        hashed = {name: tuple(dict.fromkeys(hashes))} if hashes else {}
        return found._replace(
            building={**found.building, **built}, hashes={**found.hashes, **hashed}
        )
    # What looks like a release behind -e is a directory, which may hold anything.
    names = {name: (*found.by_name.get(name, ()), line.text)} if name else {}
    names = {} if _is_release(wanted) else names
    address = identity(_address(_expanded(wanted, environ), app_dir))
    return found._replace(
        by_name={**found.by_name, **names},
        by_address={**found.by_address, address: line.text},
    )


def build_options(text: str) -> str:
    """Return the options with which what a line asks for is built; empty where it has none."""
    _, options = RequirementLine(0, text).parts
    return _without_hashes(options) if _BUILD_OPTION.search(options) else ""


def identity(address: str) -> str:
    """Return what two spellings of an *address* have in common: no login, revision, fragment."""
    bare = unquote(address.partition("#")[0])
    scheme, mark, rest = bare.rpartition("://")
    scheme = scheme.rpartition("+")[2]
    host, slash, path = rest.partition("/")
    path = _REVISION.sub("", path) if mark and scheme != "file" else path
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}".rstrip("/")


def read_lines(
    file: Source,
    environ: Mapping[str, str],
    remote: Remote = _nothing,
    including: frozenset[Source] = frozenset(),
) -> Iterator[tuple[Source, RequirementLine]]:
    """Yield each line of *file* and of what it includes, with the file that has it.

    What cannot be read has none; *including* are those on the way to it. Raises NotAFile for what
    would never end.
    """
    including |= {file}
    for line in lines_of(_text(file) if isinstance(file, Path) else remote(file)):
        if found := _INCLUDE.fullmatch(line.text):
            name = _expanded((found[1] or found[2]).strip(), environ)
            if (included := _included(name, file)) not in including:
                yield from read_lines(included, environ, remote, including)
        else:
            yield file, line


def _included(name: str, by: Source) -> Source:
    """Return what the file *by* means by *name*, as pip does."""
    if urlsplit(name).scheme in {"http", "https"}:
        return name
    if not isinstance(by, Path):
        return urljoin(by, name)
    return (local_path(name) or by.parent / name).resolve()


def _text(file: Path) -> str:
    if file.exists() and not file.is_file() and not file.is_dir():
        # Whoever reads it, pip too, might wait for ever.
        raise NotAFile(file.name, "a pipe, a socket or a device")
    try:
        return decode(file.read_bytes(), "replace")
    except OSError, LookupError:
        return ""


def _anchored(text: str, beside: Path, app_dir: Path) -> str:
    """Return an option whose directory, if it names one, does not depend on where it is read."""
    found = _LINKS.fullmatch(text)
    for directory in (beside, app_dir):
        if found and (directory / found[1]).exists():
            return f"--find-links {directory / found[1]}"
    return text


def _name(address: str) -> str:
    egg = _EGG.search(address)
    try:
        return canonicalize_name(egg[1] if egg else Requirement(address).name)
    except ValueError, RecursionError:  # InvalidRequirement is a ValueError
        return ""


def _is_release(address: str) -> bool:
    try:
        return Requirement(address).url is None
    except ValueError, RecursionError:  # InvalidRequirement is a ValueError
        return False


def _address(wanted: str, app_dir: Path) -> str:
    """Return the address in a requirement; that of a path, as pip reports it."""
    name, mark, behind = wanted.partition("@")
    if mark and re.fullmatch(r"[\w.-]+(\[.*\])?\s*", name) and "://" in behind:
        return behind.strip()
    if urlsplit(wanted).scheme:
        return wanted
    path = re.sub(r"\[[^]]*\]$", "", wanted)
    return (app_dir / path).resolve().as_uri()


def _expanded(text: str, environ: Mapping[str, str]) -> str:
    return VARIABLE.sub(lambda found: environ.get(found[0][2:-1], "") or found[0], text)


def _without_hashes(options: str) -> str:
    return re.sub(r"--hash(?:=|\s+)\S+\s*", "", options).strip()
