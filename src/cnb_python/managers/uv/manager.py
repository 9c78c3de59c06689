"""Apps with a `uv.lock`, which uv checks and exports.

What runs uv is imported when something changed.

Separate from `registry`, since each package manager has its own package.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from cnb_python.app import App
from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable, TomlValue
from cnb_python.config.settings import Settings
from cnb_python.errors.base import Message
from cnb_python.errors.inputs import UnreadableToml
from cnb_python.managers import fingerprint, tool_settings
from cnb_python.managers.base import InstallContext, NeedsResolving, Pin, Resolution
from cnb_python.managers.development.groups import with_groups
from cnb_python.managers.lock_manager import (
    IndexesOfUv,
    LockManager,
    check_lock_and_source,
)
from cnb_python.managers.requirement_lines import normalized_name
from cnb_python.system.interface import Run

LOCK, PYPROJECT = "uv.lock", "pyproject.toml"
_VIRTUAL, _EDITABLE = "virtual", "editable"
_LOCAL = (_EDITABLE, "directory", _VIRTUAL, "path")
# Each source is on a line of its own.
_SOURCE = re.compile(rf'source = \{{ ({"|".join(_LOCAL)}) = "([^"]+)"'.encode())
# Only a workspace with several members has this table.
_WORKSPACE = re.compile(rb"^\[manifest\]$", re.MULTILINE)
# Each file of an index is on a line of its own. Most of a lock is files, so they are not parsed.
_FILE = re.compile(rb"^    \{ url = .*", re.MULTILINE)
_PACKAGE = b"\n[[package]]\n"
# A file without a hash, which most have, and the index that it comes from.
_UNHASHED = re.compile(
    rb'^(?:    |sdist = )\{ (url|path) = "([^"]+)"(?![^\n]*\bhash = )', re.MULTILINE
)
_REGISTRY = re.compile(rb'^source = \{ registry = "([^"]+)" \}', re.MULTILINE)
# What an extra and a group add to a package; they count if they are asked for.
_OPTIONAL, _GROUPS = "optional-dependencies", "dev-dependencies"

type _Source = tuple[str, str]
"""The kind of a source (`editable`), and its path."""
type _Requirement = tuple[str, str]
"""The name of a package, and an extra of it; empty: the package itself."""


@dataclass(frozen=True, slots=True)
class UvProject(IndexesOfUv, LockManager):
    """The manager of apps with a `uv.lock`."""

    name: str = "uv"
    deciding_file: str = LOCK

    def deciding_files(self, app: App) -> tuple[str, ...]:
        """Return the lock file of *app*, or of the workspace above it."""
        return (LOCK,) if _holder(app) else ()

    def with_development(self, app: App) -> tuple[UvProject, tuple[str, ...]]:
        """See `Manager`: also uv's default groups, which it installs on a developer's machine.

        https://docs.astral.sh/uv/concepts/projects/dependencies/#default-groups
        """
        settings = _with_default_groups(self.settings, app.directory)
        document = toml.read(app.directory / PYPROJECT)
        project = toml.table_at(document, "project")
        own = toml.table_at(toml.table_at(document, "tool"), "uv")
        groups = [*toml.table_at(document, "dependency-groups")]
        groups += ["dev"] if own.get("dev-dependencies") else []
        chosen = with_groups(
            settings,
            groups,
            toml.table_at(project, _OPTIONAL),
            _default_groups(own.get("default-groups"), groups),
        )
        return replace(self, settings=chosen.settings), chosen.added

    def check(self, app: App) -> tuple[Message, ...]:
        """Refuse a lock file that cannot be read or lacks its `pyproject.toml`.

        Raises LockWithoutProject, NotAFile or UnreadableFile.
        """
        check_lock_and_source(_holder(app) or app, LOCK, PYPROJECT, "uv")
        settings = _with_default_groups(self.settings, app.directory)
        used = () if self.settings.groups else settings.groups
        return (tool_settings.default_groups_used(used),) if used else ()

    def resolve_from_files(
        self, app: App, python: str, environ: Mapping[str, str]
    ) -> Resolution | NeedsResolving:
        """Return that uv has to export the lock file, and the fingerprint of its inputs."""
        holder = _holder(app) or app
        settings = _with_default_groups(self.settings, app.directory)
        unhashed = _unhashed(holder)
        inputs = fingerprint.of_lock_reader(
            self,
            python,
            fingerprint.variables(environ, "UV_"),
            tool_settings.uv_fingerprint_parts(environ, app.directory),
            fingerprint.files(app.directory, (PYPROJECT,)),
            fingerprint_parts(app, holder, settings),
            *(_file_parts(file) for file in unhashed if file),
        )
        if None in unhashed:
            # Only uv can see whether a file was replaced.
            inputs = ""
        return NeedsResolving(
            f"{LOCK} is for every Python and platform", inputs, f"Exporting {LOCK} with uv"
        )

    def resolve(self, context: InstallContext, run: Run) -> Resolution:
        """Have uv check and export its lock file. Raises the failure that uv reports."""
        from cnb_python.managers.uv import export as uv_export  # noqa: PLC0415 - see above

        settings = _with_default_groups(self.settings, context.app_dir)
        return uv_export.resolve(settings, self.processor, context, run)

    def install(
        self, resolution: Resolution, pins: Sequence[Pin], context: InstallContext, run: Run
    ) -> frozenset[str]:
        """See `Manager`. Raises the failure that uv reports."""
        del resolution
        from cnb_python.managers.uv import export as uv_export  # noqa: PLC0415 - see above

        return uv_export.install(pins, context, run)


def _default_groups(own: TomlValue | None, groups: Collection[str]) -> tuple[str, ...]:
    """Return those of *groups* that uv installs by itself; *own* is its setting."""
    if own == "all":
        return tuple(groups)
    names = {normalized_name(str(name)) for name in own} if isinstance(own, list) else set()
    return tuple(name for name in groups if normalized_name(name) in names)


def _with_default_groups(settings: Settings, directory: Path) -> Settings:
    """Return *settings* with uv's default groups if these hold the packages of the app."""
    if settings.groups:
        return settings
    try:
        document = toml.read(directory / PYPROJECT)
    except UnreadableToml:
        return settings  # uv reports it
    return settings._replace(groups=tool_settings.uv_default_groups(document))


def _holder(app: App) -> App | None:
    """Return the directory with the lock file: that of a workspace is above its members."""
    return next((directory for directory in (app, *app.above) if LOCK in directory.names), None)


def fingerprint_parts(app: App, holder: App, settings: Settings) -> Iterator[str]:
    """Yield what *app* needs of the lock file in *holder*, for a fingerprint.

    That is all of it, unless *app* is a member of its workspace.
    """
    content = holder.contents.get(LOCK, b"").replace(b"\r\n", b"\n")
    part = _locked_part(content, app, holder, settings)
    if part is None:
        yield from fingerprint.lock(content)
        yield from fingerprint.files(holder.directory, (PYPROJECT,))
        yield from _local_parts(_local_sources(content), holder)
        return
    yield part.shared
    yield from map(repr, part.packages)
    yield from _workspace_parts(holder, part)
    yield from _local_parts(part.sources, holder)


def _unhashed(holder: App) -> list[Path | None]:
    """Return the files of indexes without hashes, which may be replaced; None for remote ones.

    Such are directories of `find-links`, and flat indexes.
    """
    content = holder.contents.get(LOCK, b"").replace(b"\r\n", b"\n")
    if not _UNHASHED.search(content):
        return []
    files: list[Path | None] = []
    for package in content.split(_PACKAGE)[1:]:
        registry = _REGISTRY.search(package)
        for kind, name in _UNHASHED.findall(package) if registry else ():
            path = (
                fingerprint.path_of(registry[1].decode(), holder.directory) if registry else None
            )
            files.append(path / name.decode() if path and kind == b"path" else None)
    return files


def _file_parts(file: Path) -> Iterator[str]:
    yield from (file.name, fingerprint.digest_of_file(file))


class _LockedPart(NamedTuple):
    """The part of a lock file that one member needs."""

    shared: str
    """What the lock file says once for all packages."""
    packages: Sequence[TomlTable]

    @property
    def sources(self) -> set[_Source]:
        """The sources of the packages that come from no index."""
        return {source for package in self.packages for source in _sources(package)}


def _locked_part(content: bytes, app: App, holder: App, settings: Settings) -> _LockedPart | None:
    """Return the part that *app* needs; None: all of it, or unknown."""
    # Reading a large lock file takes a while, and most have nothing that could be left out.
    if not _WORKSPACE.search(content):
        return None
    try:
        document = toml.parse(_FILE.sub(b"", content).decode(), holder.directory / LOCK)
    except UnreadableToml, UnicodeDecodeError:
        return None  # uv reports it better
    packages = _with_files(toml.tables_at(document, "package"), content)
    path = app.directory.relative_to(holder.directory).as_posix()
    member = next((package for package in packages if _is_member_at(package, path)), None)
    if member is None:
        return None
    manifest = toml.table_at(document, "manifest")
    shared = {key: value for key, value in document.items() if key not in {"package", "manifest"}}
    constraints = {key: value for key, value in manifest.items() if key != "members"}
    return _LockedPart(f"{shared} {constraints}", _reached(packages, _requested(member, settings)))


def _with_files(packages: Sequence[TomlTable], lock: bytes) -> list[TomlTable]:
    """Return *packages*, each with a digest of its files in *lock*; empty if they do not match."""
    texts = lock.split(_PACKAGE)[1:]
    if len(texts) != len(packages):
        return []
    return [
        {**package, "files": hashlib.sha256(b"".join(_FILE.findall(text))).hexdigest()}
        for package, text in zip(packages, texts, strict=True)
    ]


def _is_member_at(package: TomlTable, path: str) -> bool:
    return any(
        kind in {_EDITABLE, _VIRTUAL} and source == path for kind, source in _sources(package)
    )


def _sources(package: TomlTable) -> Iterator[_Source]:
    for kind, path in toml.table_at(package, "source").items():
        if kind in _LOCAL and isinstance(path, str):
            yield kind, path


def _requested(member: TomlTable, settings: Settings) -> list[_Requirement]:
    """Return what the app asks for: *member* with the extras and groups of *settings*."""
    name = str(member.get("name"))
    groups = toml.table_at(member, _GROUPS)
    chosen = (toml.tables_at(groups, normalized_name(group)) for group in settings.groups)
    extras = ((name, normalized_name(extra)) for extra in settings.extras)
    return [(name, ""), *extras, *_requirements(chain.from_iterable(chosen))]


def _reached(packages: Iterable[TomlTable], requested: list[_Requirement]) -> list[TomlTable]:
    """Return the *packages* that *requested* leads to, on any system."""
    named: dict[str, list[TomlTable]] = {}
    for package in packages:
        named.setdefault(str(package.get("name")), []).append(package)
    extras: dict[str, set[str]] = {}
    while requested:
        name, extra = requested.pop()
        if extra not in extras.setdefault(name, set()):
            extras[name].add(extra)
            requested += (
                requirement
                for package in named.get(name, ())
                for requirement in _needs(package, extra)
            )
    return [
        _with_extras(package, extras[name])
        for name in sorted(extras)
        for package in named.get(name, ())
    ]


def _needs(package: TomlTable, extra: str) -> Iterator[_Requirement]:
    if extra:
        return _requirements(toml.tables_at(toml.table_at(package, _OPTIONAL), extra))
    return _requirements(toml.tables_at(package, "dependencies"))


def _requirements(dependencies: Iterable[TomlTable]) -> Iterator[_Requirement]:
    for dependency in dependencies:
        extras = dependency.get("extra")
        for extra in ("", *(extras if isinstance(extras, list) else ())):
            yield str(dependency.get("name")), str(extra)


def _with_extras(package: TomlTable, extras: Collection[str]) -> TomlTable:
    """Return *package* with *extras* alone, without its other extras."""
    optional = toml.table_at(package, _OPTIONAL)
    chosen = {extra: needs for extra, needs in optional.items() if extra in extras}
    return {**package, _OPTIONAL: chosen}


def _workspace_parts(holder: App, part: _LockedPart) -> Iterator[str]:
    """Yield what counts of the workspace's `pyproject.toml`: uv's own settings.

    All of it if the top directory is a package that the member needs.
    """
    try:
        document = toml.read(holder.directory / PYPROJECT)
    except UnreadableToml:
        document = {}
    own: Mapping[str, object] = toml.table_at(toml.table_at(document, "tool"), "uv")
    is_needed = any(path == "." for _, path in part.sources)
    names = (PYPROJECT,) if is_needed or not document else ()
    yield from fingerprint.files(holder.directory, names)
    yield fingerprint.without_secrets(repr(own))


def _local_sources(lock: bytes) -> set[_Source]:
    """Return the sources in *lock* that are directories and files of the app."""
    return {
        (kind.decode(), path.decode("utf-8", "replace")) for kind, path in _SOURCE.findall(lock)
    }


def _local_parts(sources: Iterable[_Source], holder: App) -> Iterator[str]:
    """Yield kind, path and digest of each directory and file of the app."""
    for kind, written in sorted(sources):
        path = fingerprint.source_path(written, LOCK, holder.directory, holder.top)
        yield from (kind, written)
        if kind == _VIRTUAL:
            yield from fingerprint.files(path, (PYPROJECT,))
        else:
            yield fingerprint.project_digest(path, is_editable=kind == _EDITABLE)
