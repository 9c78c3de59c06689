"""Exports a lock file with the tool that wrote it: what Poetry, PDM and Pipenv have in common.

Each tool checks its lock file and prints it as requirements lines, which uv installs from the
indexes that the lock file names.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, NamedTuple
from urllib.parse import unquote

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cnb_python.cnb import toml
from cnb_python.config.settings import Settings
from cnb_python.errors.base import BuildpackError
from cnb_python.errors.inputs import UnreadableToml
from cnb_python.errors.locks import BadLock, StaleLock
from cnb_python.errors.network import NamesIndexes
from cnb_python.errors.packages.install import InstallFailed
from cnb_python.errors.programs import LockTooNew
from cnb_python.managers import build_errors, fingerprint, markers, schema
from cnb_python.managers.base import InstallContext, Pin, Resolution, digest
from cnb_python.managers.index_config import asks_no_index
from cnb_python.managers.markers import UnusableMarker
from cnb_python.managers.pylock_file import Choice
from cnb_python.managers.requirement_lines import (
    RequirementLine,
    egg_name,
    lines_of,
    option_of,
    split_marker,
)
from cnb_python.managers.tool import Program
from cnb_python.managers.uv import commands as uv
from cnb_python.managers.uv.address_variables import check_lines
from cnb_python.managers.uv.commands import IndexedLock, IndexesOf
from cnb_python.system.interface import Command, Outcome, Run
from cnb_python.system.redaction import parts_of, shown

_LAST_LINES = 8
# Options that name indexes: the lock file has those of each package.
INDEX_OPTIONS = frozenset(
    {"index-url", "extra-index-url", "find-links", "no-index", "trusted-host"}
)
_EXTRAS = re.compile(r"^([A-Za-z0-9][\w.-]*)\[[^]\n]*\](?=\s*==)", re.MULTILINE)
_COMMIT = re.compile(r"@[0-9a-f]{40}(#|$)")
_DIRECT = re.compile(r"([\w.-]+)\s*(\[[^]]*\])?\s*@\s*(\S+)")


class LockTool(NamedTuple):
    """A tool that writes a lock file, its files, and its error messages about them."""

    title: NamesIndexes
    command: str
    """As users type it: `poetry`."""
    lock: str
    source: str
    """What the lock file is made from: `pyproject.toml`."""
    stale: re.Pattern[str]
    """The tool's words if the lock file does not fit its source."""
    newer: re.Pattern[str] | None
    """The tool's words if a newer release wrote the lock file; None: it does not look."""
    reserved: re.Pattern[str]
    """Variables that the build sets itself, so that the tool changes neither the app nor the
    environment."""
    options: tuple[str, ...] = ()
    """Arguments in front of each command."""


class LockSources(NamedTuple):
    """The indexes of the packages in a lock file."""

    indexes_of: IndexesOf
    lines: tuple[str, ...]
    """Index options for all packages, as lines of a requirements file."""


class LocalSource(NamedTuple):
    """A directory or file that a lock file has in place of a release."""

    name: str
    path: str
    """As the lock file has it."""


class ExportedLock(NamedTuple):
    """The lock file that was exported."""

    name: str
    beside: Path
    """The directory that the paths of the export are relative to."""
    choice: Choice
    names: Mapping[Path, str] = MappingProxyType({})
    """The names of local projects, by their paths."""


@dataclass(frozen=True, slots=True)
class LockExport(ABC):
    """One build's export of a lock file by its tool."""

    settings: Settings
    processor: str
    context: InstallContext
    run: Run
    tool: ClassVar[LockTool]

    @property
    @abstractmethod
    def program(self) -> Program:
        """The release of the tool that reads the lock file."""

    @abstractmethod
    def variables(self) -> Mapping[str, str]:
        """Return the environment variables of the tool."""

    @abstractmethod
    def local_sources(self) -> Iterable[LocalSource]:
        """Return the directories and files of the app in the lock file, with their names."""

    @property
    def choice(self) -> Choice:
        """The Python and machine that the lock file is read for."""
        return Choice(self.context.python, self.processor)

    @property
    def lock(self) -> Path:
        """The lock file."""
        return self.context.app_dir / self.tool.lock

    def command(self, words: Sequence[str], hidden: Sequence[str] = ()) -> Command:
        """Return the tool's command *words*; the log does not show the *hidden* arguments."""
        return Command(
            (*self.context.start_program(self.program), *self.tool.options, *words, *hidden),
            self.variables(),
            self.context.app_dir,
            shown=" ".join((self.tool.command, *words)),
        )

    def user_variables(self) -> dict[str, str]:
        """Return the user's environment variables without those that the build sets itself."""
        reserved = self.tool.reserved
        return {
            name: value
            for name, value in self.context.environ.items()
            if not reserved.fullmatch(name)
        }

    def resolution(self, exported: str, app: Pin | None = None) -> Resolution:
        """Return the pins of the *exported* requirements lines, and of the *app* itself.

        Raises BadLock, PathOutsideApp and UnsetVariable.
        """
        text, sources = without_extras(exported), tuple(self.local_sources())
        directory = self.context.app_dir
        names = {(directory / source.path).resolve(): source.name for source in sources}
        lock = ExportedLock(self.tool.lock, directory, self.choice, names)
        resolution = read_export(text, lock, uv.NAME)
        check_lines(resolution.pins, self.context.environ, self.tool.lock)
        installed = {pin.name for pin in resolution.pins if pin.by_itself}
        used = (each.path for each in sources if canonicalize_name(each.name) in installed)
        fingerprint.check_sources(used, self.lock, self.context.top or directory)
        pins = (*resolution.pins, app) if app else resolution.pins
        return resolution._replace(pins=tuple(sorted(pins)))

    def app_pin(self, name: str) -> Pin:
        """Return the pin of the app itself, installed in place, with its project's *name*."""
        line = f"-e {self.context.app_dir}"
        origin = digest((line,))
        return Pin(canonicalize_name(name), "", origin, line, is_cacheable=False, by_itself=True)

    def install_with_uv(
        self, pins: Sequence[Pin], indexes_of: IndexesOf, variables: Mapping[str, str]
    ) -> frozenset[str]:
        """Install *pins* with uv, each from its indexes; *variables* set up the others.

        Returns the names of those to be built, see `Manager`. Raises uv's failure and
        SourceRefused.
        """
        return uv.install_from_indexes(
            pins,
            IndexedLock(self.tool.title, indexes_of),
            replace(self.context, no_index=asks_no_index(self.context.environ)),
            self.run,
            uv.UvSources(is_own=False, variables=variables),
        )

    def explain(self, command: Command, outcome: Outcome) -> BuildpackError:
        """Return the failure of *command*: of the machine, of the lock file, or InstallFailed."""
        tool, output = self.tool, outcome.output
        if failure := build_errors.machine_failure(outcome.code, output, tool.title):
            return failure
        if tool.newer and tool.newer.search(output):
            return LockTooNew(tool.lock, tool.title, last_lines(output))
        if tool.stale.search(output):
            return StaleLock(tool.lock, tool.source, f"{tool.command} lock", last_lines(output))
        return InstallFailed(tool.title, command.shown, outcome.code, last_lines(output))

    def explain_export(self, command: Command, outcome: Outcome) -> BuildpackError:
        """Return the failure of *command*, which reads the lock file and its source.

        Raises UnexpectedType if a value in them has the wrong type: the tools do not report it.
        """
        failure = self.explain(command, outcome)
        if isinstance(failure, InstallFailed | StaleLock | LockTooNew):
            schema.check_types(self.context.app_dir, self.tool.lock, self.tool.source)
        return failure


def last_lines(output: str) -> tuple[str, ...]:
    """Return the last lines of a tool's *output*, which have its reasons, without blank ones."""
    lines = tuple(line.strip() for line in output.splitlines() if line.strip())
    return lines[-_LAST_LINES:]


def without_extras(text: str) -> str:
    """Return the exported *text* without the extras of releases.

    >>> without_extras("uvicorn[standard]==0.54.0; python_version >= '3.10'")
    "uvicorn==0.54.0; python_version >= '3.10'"
    """
    return _EXTRAS.sub(r"\1", text)


def read_export(text: str, lock: ExportedLock, by: str) -> Resolution:
    """Return the resolution in *text*, exported from *lock*; *by*: the tool that resolved.

    Raises BadLock.
    """
    pins: dict[str, Pin] = {}
    for line in lines_of(text):
        if option_of(line.text)[0] in INDEX_OPTIONS:
            continue
        pin = _pin(line, lock)
        if pin and pins.setdefault(pin.name, pin) != pin:
            raise BadLock(lock.name, f"two of its entries for {pin.name} apply at once")
    return Resolution(tuple(sorted(pins.values())), from_files_alone=True, by=by)


def _pin(line: RequirementLine, lock: ExportedLock) -> Pin | None:
    """Return the pin of *line*; None if its marker does not apply."""
    requirement, marker = split_marker(line.editable or line.parts[0])
    try:
        if marker and not markers.applies(marker, lock.choice.python, lock.choice.processor):
            return None
    except UnusableMarker as error:
        problem = f"its marker {marker!r} cannot be used: {error}"
        raise BadLock(lock.name, problem) from error
    hashes = tuple(sorted(each.lower() for each in line.hashes))
    if direct := _DIRECT.fullmatch(requirement):
        return _of_address(direct[1], direct[2] or "", direct[3], hashes, lock.beside)
    if line.editable or requirement.startswith((".", "/")) or "://" in requirement:
        return _of_path(requirement, lock, hashes, is_editable=bool(line.editable))
    return _of_release(requirement, lock.name, hashes)


def _of_release(requirement: str, lock: str, hashes: tuple[str, ...]) -> Pin:
    try:
        parsed = Requirement(requirement)
    except (ValueError, RecursionError) as error:
        raise BadLock(lock, f"{requirement!r} is not a requirement: {error}") from error
    versions = [each.version for each in parsed.specifier if each.operator in {"==", "==="}]
    if len(versions) != 1 or len(parsed.specifier) != 1:
        raise BadLock(lock, f"{requirement!r} does not name a single release")
    name = canonicalize_name(parsed.name)
    extras = f"[{','.join(sorted(parsed.extras))}]" if parsed.extras else ""
    line = f"{name}{extras}=={versions[0]}" + "".join(f" --hash={each}" for each in hashes)
    return Pin(name, versions[0], digest(hashes), line, is_cacheable=bool(hashes))


def _of_address(
    written: str, extras: str, address: str, hashes: tuple[str, ...], beside: Path
) -> Pin:
    name = canonicalize_name(written)
    if not _is_remote(address):
        path = (beside / _path(address)).resolve()
        address, is_directory = path.as_uri(), path.is_dir()
    else:
        is_directory = False
    line = f"{name}{extras} @ {address}" + "".join(f" --hash={each}" for each in hashes)
    is_commit = bool(_COMMIT.search(address)) and address.startswith(("git+", "hg+"))
    origin = digest((*hashes, shown(address), parts_of(address).fragment))
    is_certain = (bool(hashes) or is_commit) and not is_directory
    return Pin(name, "", origin, line, is_cacheable=is_certain, by_itself=True)


def _of_path(
    requirement: str, lock: ExportedLock, hashes: tuple[str, ...], *, is_editable: bool
) -> Pin:
    """Return the pin of a line without a name: that of `#egg=`, the lock, or the directory."""
    egg = egg_name(requirement)
    if _is_remote(requirement):
        if not egg:
            raise BadLock(lock.name, f"{shown(requirement)!r} does not name a package")
        pin = _of_address(egg, "", requirement, hashes, lock.beside)
        return pin._replace(line=f"-e {requirement}") if is_editable else pin
    bare, extras = re.fullmatch(r"(.*?)(\[[^]]*\])?(?:#.*)?", requirement).groups()  # type: ignore[union-attr]  # matches anything
    if "\0" in bare:
        raise BadLock(lock.name, f"{requirement!r} is not a path")
    path = (lock.beside / _path(bare)).resolve()
    name = egg or lock.names.get(path) or _name_of(path)
    if not name:
        problem = f"{requirement!r} does not name a package, and neither does {path}"
        raise BadLock(lock.name, problem)
    line = f"-e {path}{extras or ''}" if is_editable else f"{name}{extras or ''} @ {path.as_uri()}"
    pin = Pin(canonicalize_name(name), "", digest((line,)), line, by_itself=True)
    return pin._replace(is_cacheable=False)


def _is_remote(address: str) -> bool:
    return "://" in address and not address.startswith("file:")


def _path(address: str) -> str:
    return unquote(parts_of(address).path) if address.startswith("file:") else address


def _name_of(directory: Path) -> str:
    """Return the name of the project in *directory*; empty if its `pyproject.toml` has none."""
    try:
        document = toml.read(directory / "pyproject.toml")
    except UnreadableToml:
        return ""
    poetry = toml.table_at(toml.table_at(document, "tool"), "poetry")
    for table in (toml.table_at(document, "project"), poetry):
        if isinstance(name := table.get("name"), str):
            return name
    return ""
