"""uv's projects: `uv.lock`, which uv itself checks and reads.

What asks it is imported when something changed.
"""

import hashlib
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from cnb_python.app import App
from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable
from cnb_python.config.settings import DEFAULTS, Settings
from cnb_python.errors.base import BuildpackError
from cnb_python.errors.inputs import UnreadableToml
from cnb_python.errors.locks import LockWithoutProject
from cnb_python.managers import fingerprint, uv_settings
from cnb_python.managers.base import (
    Advice,
    InstallContext,
    NeedsResolving,
    Pin,
    Resolution,
    ResolvesOnChange,
)
from cnb_python.system.interface import Command, Outcome, Run

LOCK, PYPROJECT = "uv.lock", "pyproject.toml"
_VIRTUAL, _EDITABLE = "virtual", "editable"
_LOCAL = (_EDITABLE, "directory", _VIRTUAL, "path")
# Each source is on a line of its own.
_SOURCE = re.compile(rf'source = \{{ ({"|".join(_LOCAL)}) = "([^"]+)"'.encode())
# Only a workspace has several members, and then it says so.
_WORKSPACE = re.compile(rb"^\[manifest\]$", re.MULTILINE)
# So is each file of an index, and most of a lock is files: they are not parsed.
_FILE = re.compile(rb"^    \{ url = .*", re.MULTILINE)
_PACKAGE = b"\n[[package]]\n"
# What an extra and a group add to a package; counted where they are asked for.
_OPTIONAL, _GROUPS = "optional-dependencies", "dev-dependencies"
_SEPARATORS = re.compile(r"[-_.]+")

type _Wish = tuple[str, str]
"""The name of a package, and an extra of it; empty: the package itself."""


def counting(app: App, holder: App, settings: Settings) -> Iterator[str]:
    """Yield what tells two states of the lock in *holder* apart, as far as *project* needs it.

    That is the whole lock, unless *project* is a member of its workspace.
    """
    content = holder.contents.get(LOCK, b"").replace(b"\r\n", b"\n")
    part = _part(content, app, holder, settings)
    if part is None:
        yield from fingerprint.lock(content)
        yield from fingerprint.files(holder.directory, (PYPROJECT,))
        yield from _local_sources(_named_in(content), holder)
        return
    yield part.shared
    yield from map(repr, part.packages)
    yield from _of_the_workspace(holder.directory, part)
    yield from _local_sources(part.sources, holder)


class _LockedPackage(NamedTuple):
    """What of a lock counts for one member."""

    shared: str
    """Everything that is said once for all packages."""
    packages: Sequence[TomlTable]

    @property
    def sources(self) -> set[tuple[str, str]]:
        """The kind and the path of each package that is no index's."""
        return {one for package in self.packages for one in _sources(package)}


def _part(content: bytes, app: App, holder: App, settings: Settings) -> _LockedPackage | None:
    """Return what counts for *project*; None: all of it, for nobody can tell."""
    # Reading a large lock takes a while, and most have nothing that could be left out.
    if not _WORKSPACE.search(content):
        return None
    try:
        document = toml.parse(_FILE.sub(b"", content).decode(), holder.directory / LOCK)
    except UnreadableToml, UnicodeDecodeError:
        return None  # uv says it better
    packages = _with_files(toml.tables_at(document, "package"), content)
    place = app.directory.relative_to(holder.directory).as_posix()
    member = next((one for one in packages if _is_member_at(one, place)), None)
    if member is None:
        return None
    manifest = toml.table_at(document, "manifest")
    shared = {key: value for key, value in document.items() if key not in {"package", "manifest"}}
    said = {key: value for key, value in manifest.items() if key != "members"}
    return _LockedPackage(f"{shared} {said}", _reached(packages, _wished(member, settings)))


def _with_files(packages: Sequence[TomlTable], lock: bytes) -> list[TomlTable]:
    """Return *packages*, each with what *lock* says of its files; none where that is unclear."""
    texts = lock.split(_PACKAGE)[1:]
    if len(texts) != len(packages):
        return []
    return [
        {**package, "files": hashlib.sha256(b"".join(_FILE.findall(text))).hexdigest()}
        for package, text in zip(packages, texts, strict=True)
    ]


def _is_member_at(package: TomlTable, place: str) -> bool:
    return any(kind in {_EDITABLE, _VIRTUAL} and at == place for kind, at in _sources(package))


def _sources(package: TomlTable) -> Iterator[tuple[str, str]]:
    for kind, at in toml.table_at(package, "source").items():
        if kind in _LOCAL and isinstance(at, str):
            yield kind, at


def _wished(member: TomlTable, settings: Settings) -> list[_Wish]:
    """Return what is asked for: *member* with the extras and groups of *settings*."""
    name = str(member.get("name"))
    groups = toml.table_at(member, _GROUPS)
    chosen = (toml.tables_at(groups, _normal(one)) for one in settings.groups)
    extras = ((name, _normal(one)) for one in settings.extras)
    return [(name, ""), *extras, *_wishes(chain.from_iterable(chosen))]


def _reached(packages: Iterable[TomlTable], wished: list[_Wish]) -> list[TomlTable]:
    """Return those of *packages* that follow from what is *wished*, on whatever system."""
    named: dict[str, list[TomlTable]] = {}
    for package in packages:
        named.setdefault(str(package.get("name")), []).append(package)
    extras: dict[str, set[str]] = {}
    while wished:
        name, extra = wished.pop()
        if extra not in extras.setdefault(name, set()):
            extras[name].add(extra)
            wished += (one for package in named.get(name, ()) for one in _needs(package, extra))
    return [
        _without_others(one, extras[name])
        for name in sorted(extras)
        for one in named.get(name, ())
    ]


def _needs(package: TomlTable, extra: str) -> Iterator[_Wish]:
    if extra:
        return _wishes(toml.tables_at(toml.table_at(package, _OPTIONAL), extra))
    return _wishes(toml.tables_at(package, "dependencies"))


def _wishes(dependencies: Iterable[TomlTable]) -> Iterator[_Wish]:
    for one in dependencies:
        extras = one.get("extra")
        for extra in ("", *(extras if isinstance(extras, list) else ())):
            yield str(one.get("name")), str(extra)


def _without_others(package: TomlTable, extras: Collection[str]) -> TomlTable:
    """Return *package* without the extras that nobody asks for."""
    optional = toml.table_at(package, _OPTIONAL)
    asked = {extra: needs for extra, needs in optional.items() if extra in extras}
    return {**package, _OPTIONAL: asked}


def _of_the_workspace(directory: Path, part: _LockedPackage) -> Iterator[str]:
    """Yield what counts of the `pyproject.toml` at the top of the workspace: uv's own settings.

    All of it where the top is a package that the member needs.
    """
    try:
        document = toml.read(directory / PYPROJECT)
    except UnreadableToml:
        document = {}
    own: Mapping[str, object] = toml.table_at(toml.table_at(document, "tool"), "uv")
    is_needed = any(at == "." for _, at in part.sources)
    yield from fingerprint.files(directory, (PYPROJECT,) if is_needed or not document else ())
    yield fingerprint.public(repr(own))


def _named_in(lock: bytes) -> set[tuple[str, str]]:
    """Return the kind and the path of each source that *lock* has in the app."""
    found = _SOURCE.findall(lock)
    return {(kind.decode(), at.decode("utf-8", "replace")) for kind, at in found}


def _local_sources(sources: Iterable[tuple[str, str]], holder: App) -> Iterator[str]:
    """Yield what each directory and file of the app comes to."""
    for kind, at in sorted(sources):
        place = fingerprint.place(at, LOCK, holder.directory, holder.top)
        yield from (kind, at)
        if kind == _VIRTUAL:
            yield from fingerprint.files(place, (PYPROJECT,))
        else:
            yield fingerprint.project_digest(place, is_editable=kind == _EDITABLE)


def _normal(name: str) -> str:
    """Return *name* as uv writes names (PEP 503)."""
    return _SEPARATORS.sub("-", name).lower()


@dataclass(frozen=True, slots=True)
class UvProject(ResolvesOnChange):
    """Apps with a `uv.lock`."""

    settings: Settings = DEFAULTS
    name: str = "uv"
    deciding_file: str = LOCK
    processor: str = field(default_factory=lambda: os.uname().machine)
    """As environment markers have it: `x86_64`."""

    def deciding_files(self, app: App) -> tuple[str, ...]:
        """Return the app's lock: its own, or that of the workspace above the chosen directory."""
        return (LOCK,) if _holder(app) else ()

    def check(self, app: App) -> tuple[Advice, ...]:
        """Refuse a lock that is no file, or stands alone.

        Raises LoneLock, NotAFile or UnreadableFile.
        """
        holder = _holder(app) or app
        holder.content(LOCK)
        if PYPROJECT not in holder.names:
            raise LockWithoutProject(LOCK, PYPROJECT, "uv")
        return ()

    def resolve_from_files(
        self, app: App, python: str, environ: Mapping[str, str]
    ) -> Resolution | NeedsResolving:
        """Return that uv has to say what its lock means here, and on what that depends."""
        inputs = fingerprint.inputs(
            self,
            python,
            fingerprint.variables(environ, "UV_"),
            uv_settings.contents(environ, app.directory),
            fingerprint.files(app.directory, (PYPROJECT,)),
            counting(app, _holder(app) or app, self.settings),
        )
        return NeedsResolving(
            f"{LOCK} is for every Python and platform", inputs, f"Exporting {LOCK} with uv"
        )

    def resolve(self, place: InstallContext, run: Run) -> Resolution:
        """Have uv check and read its lock. Raises what it says went wrong."""
        from cnb_python.managers.uv import export as uv_export  # noqa: PLC0415 - see above

        return uv_export.resolve(self.settings, self.processor, place, run)

    def install(
        self, decision: Resolution, pins: Sequence[Pin], place: InstallContext, run: Run
    ) -> None:
        """Install exactly *pins*. Raises what uv says went wrong."""
        del decision
        from cnb_python.managers.uv import export as uv_export  # noqa: PLC0415 - see above

        uv_export.install(pins, place, run)

    def explain(
        self, command: Command, outcome: Outcome, place: InstallContext, run: Run
    ) -> BuildpackError:
        """Say why uv failed."""
        del run
        from cnb_python.managers.uv import commands as uv  # noqa: PLC0415 - see above

        return uv.explain(command, outcome, place)


def _holder(app: App) -> App | None:
    """Return the directory with the lock: that of a workspace is above its members."""
    return next((one for one in (app, *app.above) if LOCK in one.names), None)
