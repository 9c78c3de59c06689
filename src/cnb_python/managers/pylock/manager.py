"""Standard lock files: `pylock.toml` and `pylock.<name>.toml`, which several tools write.

https://packaging.python.org/en/latest/specifications/pylock-toml/

Separate from `registry`, since each package manager has its own package.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from cnb_python.app import App
from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable, TomlValue
from cnb_python.errors.base import BuildpackError, Message
from cnb_python.errors.choosing import DevelopmentConflict
from cnb_python.errors.locks import PathOutsideApp, SeveralLocks
from cnb_python.managers import fingerprint, tool_settings
from cnb_python.managers.base import InstallContext, NeedsResolving, Pin, Resolution
from cnb_python.managers.development.groups import NAMES, with_groups
from cnb_python.managers.lock_manager import InstalledByUv, LockManager
from cnb_python.managers.requirement_lines import normalized_name
from cnb_python.system.interface import Run

LOCK = "pylock.toml"
_NAMED_LOCK = re.compile(r"pylock\.([^.]+)\.toml")


@dataclass(frozen=True, slots=True)
class Pylock(InstalledByUv, LockManager):
    """Apps with a standard lock file."""

    name: str = "pylock"
    deciding_file: str = LOCK
    locks: tuple[str, ...] = ()
    """The files to read together; empty: the one that the names in the app decide."""

    def deciding_files(self, app: App) -> tuple[str, ...]:
        """Return `pylock.toml`, or every `pylock.<name>.toml` without one.

        Files for development, such as `pylock.dev.toml`, count only if there are no others.
        """
        return self.locks or _deciding(app.names)

    def with_development(self, app: App) -> tuple[Pylock, tuple[str, ...]]:
        """See `Manager`: lock files for development, else groups and extras of the lock file.

        A lock file for development is complete by itself, without groups and extras.
        """
        own = self.deciding_files(app)
        if files := tuple(name for name in _for_development(app.names) if name not in own):
            settings = self.settings._replace(groups=(), extras=())
            return replace(self, settings=settings, locks=files), files
        document = toml.read(app.directory / self.deciding_files(app)[0])
        groups, extras = (_texts(document.get(key)) for key in ("dependency-groups", "extras"))
        chosen = with_groups(self.settings, groups, extras)
        return replace(self, settings=chosen.settings), chosen.added

    def check(self, app: App) -> tuple[Message, ...]:
        """Refuse several named lock files. Raises SeveralLocks, NotAFile or UnreadableFile."""
        names = self.deciding_files(app)
        if len(names) > 1 and not self.locks:
            raise SeveralLocks(names, LOCK)
        for name in names:
            app.content(name)
        return ()

    def resolve_from_files(
        self, app: App, python: str, environ: Mapping[str, str]
    ) -> Resolution | NeedsResolving:
        """Return that the lock file has to be read, with the fingerprint of its inputs."""
        names = self.deciding_files(app)
        contents = {name: app.contents.get(name, b"") for name in names}
        inputs = fingerprint.of_lock_reader(
            self,
            python,
            fingerprint.variables(environ, "UV_", "PIP_"),
            tool_settings.uv_fingerprint_parts(environ, app.directory),
            *(fingerprint.lock(content) for content in contents.values()),
            *(
                _directory_inputs(content, app.directory / name, app.top)
                for name, content in contents.items()
            ),
        )
        shown = " and ".join(names)
        return NeedsResolving(
            f"{shown} is for every Python and platform", inputs, f"Reading {shown}"
        )

    def resolve(self, context: InstallContext, run: Run) -> Resolution:
        """Return what the lock file holds for the app's Python.

        Raises BadLock, DevelopmentConflict, LockForOtherPython, PathOutsideApp, UnknownGroup,
        UnreadableToml and UnreplacedVariable.
        """
        del run
        from cnb_python.managers import from_source, pylock_file  # noqa: PLC0415 - heavy
        from cnb_python.managers.uv import address_variables  # noqa: PLC0415 - heavy
        from cnb_python.managers.uv.build_needs import with_needs  # noqa: PLC0415 - heavy

        choice = pylock_file.Choice(
            context.python, self.processor, self.settings.extras, self.settings.groups
        )
        names = self.locks or _deciding(path.name for path in context.app_dir.iterdir())[:1]
        resolutions = {
            name: pylock_file.read_lock(context.app_dir / name, choice) for name in names
        }
        for name, resolution in resolutions.items():
            address_variables.check_pins(resolution.pins, name)
            lock, installed = context.app_dir / name, {pin.name for pin in resolution.pins}
            used = (path for each, path in _directories(toml.read(lock)) if each in installed)
            fingerprint.check_sources(used, lock, context.top or context.app_dir)
        resolution = _united(resolutions)
        resolution = from_source.apply(from_source.of_uv(context.environ), resolution)
        return with_needs(resolution, context.environ, context.app_dir)


def _deciding(names: Iterable[str]) -> tuple[str, ...]:
    present = frozenset(names)
    if LOCK in present:
        return (LOCK,)
    named = sorted(name for name in present if _NAMED_LOCK.fullmatch(name))
    development = _for_development(present)
    return tuple(name for name in named if name not in development) or tuple(named)


def _for_development(names: Iterable[str]) -> tuple[str, ...]:
    """Return the lock files whose names are usual for tests and development."""
    matches = [match for name in sorted(names) if (match := _NAMED_LOCK.fullmatch(name))]
    return tuple(match[0] for match in matches if normalized_name(match[1]) in NAMES)


def _united(resolutions: Mapping[str, Resolution]) -> Resolution:
    """Return the pins of all *resolutions*, by their files.

    Raises DevelopmentConflict if two have different releases of one package.
    """
    pins: dict[str, tuple[Pin, str]] = {}
    for file, resolution in resolutions.items():
        for pin in resolution.pins:
            first, first_file = pins.setdefault(pin.name, (pin, file))
            if first.version != pin.version:
                other = f"{pin.name}=={pin.version}"
                raise DevelopmentConflict(pin.name, first.version, first_file, other, file)
    first_resolution = next(iter(resolutions.values()))
    return first_resolution._replace(pins=tuple(pins[name][0] for name in sorted(pins)))


def _texts(value: TomlValue | None) -> tuple[str, ...]:
    names = value if isinstance(value, list) else ()
    return tuple(name for name in names if isinstance(name, str))


def _directories(document: TomlTable) -> Iterator[tuple[str, str]]:
    """Yield the normalized name and the path of each directory of the app in a lock."""
    for package in toml.tables_at(document, "packages"):
        if isinstance(path := toml.table_at(package, "directory").get("path"), str):
            yield normalized_name(str(package.get("name"))), path


def _directory_inputs(content: bytes, lock: Path, top: Path) -> Iterator[str]:
    """Yield path and digest of each directory and each file of the app that *lock* names."""
    # Parsing a large lock file takes longer than all else in an unchanged build.
    if b"directory" not in content and b"path" not in content:
        return
    try:
        document = toml.parse(content.decode("utf-8", "replace"), lock)
    except BuildpackError:
        return  # `resolve` raises it
    for package in toml.tables_at(document, "packages"):
        source = toml.table_at(package, "directory")
        if isinstance(path := source.get("path"), str):
            yield path
            with suppress(PathOutsideApp):  # `resolve` raises it for what is installed
                directory = fingerprint.source_path(path, lock.name, lock.parent, top)
                is_editable = source.get("editable") is True
                yield fingerprint.project_digest(directory, is_editable=is_editable)
        wheels, single = toml.tables_at(package, "wheels"), ("sdist", "archive")
        for file in (*wheels, *(toml.table_at(package, key) for key in single)):
            if isinstance(path := file.get("path"), str):
                yield path
                yield fingerprint.digest_of_file(lock.parent / path)
