"""Adds what tests and development need to the packages of production, which stay as they are.

Separate from the managers: each names its groups, and all of them are combined in this way.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.requirements import Requirement

from cnb_python.app import App
from cnb_python.errors.base import Message
from cnb_python.errors.choosing import DevelopmentConflict
from cnb_python.managers import markers, requirement_lines
from cnb_python.managers.base import (
    InstallContext,
    Manager,
    NeedsResolving,
    PackageIndexes,
    Pin,
    Resolution,
    digest,
)
from cnb_python.managers.development import requirement_groups
from cnb_python.managers.development.requirement_groups import PYPROJECT
from cnb_python.managers.requirement_lines import normalized_name
from cnb_python.managers.tool_settings import read_pip_settings
from cnb_python.system.interface import Run

_CONSTRAINTS = "production.txt"
# Each is a list of files, separated by spaces.
_PIP, _UV = "PIP_CONSTRAINT", "UV_CONSTRAINT"


@dataclass(frozen=True, slots=True)
class DevelopmentManager:
    """The manager of an image for tests or development."""

    production: Manager
    """Resolves what the image for production has."""
    whole: Manager
    """The same manager, which resolves what tests and development need."""
    files: tuple[str, ...] = ()
    """Requirements files for development, relative to the app."""
    groups: tuple[str, ...] = ()
    """Dependency groups in pyproject.toml that are read like them."""

    @property
    def name(self) -> str:
        """See `Manager`."""
        return self.production.name

    @property
    def deciding_file(self) -> str:
        """See `Manager`."""
        return self.production.deciding_file

    def deciding_files(self, app: App) -> tuple[str, ...]:
        """See `Manager`: with those for development."""
        own = self.production.deciding_files(app)
        return (*own, *(name for name in self.whole.deciding_files(app) if name not in own))

    def with_development(self, app: App) -> tuple[Manager, tuple[str, ...]]:
        """Return this manager."""
        del app
        return self, ()

    def check(self, app: App) -> tuple[Message, ...]:
        """See `Manager`: also of what is installed for development."""
        messages = self.production.check(app)
        return (*messages, *(each for each in self.whole.check(app) if each not in messages))

    def resolve_from_files(
        self, app: App, python: str, environ: Mapping[str, str]
    ) -> Resolution | NeedsResolving:
        """See `Manager`. Raises DevelopmentConflict."""
        production = self.production.resolve_from_files(app, python, environ)
        whole = self.whole.resolve_from_files(app, python, environ)
        fingerprints = [_fingerprint(each) for each in (production, whole)]
        fingerprint = digest(fingerprints) if all(fingerprints) else ""
        if isinstance(whole, NeedsResolving):
            return whole._replace(fingerprint=fingerprint)
        if isinstance(production, NeedsResolving):
            return production._replace(fingerprint=fingerprint)
        if name := _with_other_extras(production, whole):
            return NeedsResolving(f"tests need other extras of {name}")
        return self._combined(production, whole)

    def resolve(self, context: InstallContext, run: Run) -> Resolution:
        """See `Manager`. The releases of production constrain the others.

        Raises DevelopmentConflict.
        """
        production = self.production.resolve(context, run)
        self._check_lines(production, context)
        whole = self.whole.resolve(_constrained(context, production), run)
        return self._combined(production, whole)

    def install(
        self, resolution: Resolution, pins: Sequence[Pin], context: InstallContext, run: Run
    ) -> frozenset[str]:
        """See `Manager`. Each pin comes from where its own files say."""
        added = [pin for pin in pins if pin.name in resolution.development]
        production = [pin for pin in pins if pin.name not in resolution.development]
        unbuilt = frozenset[str]()
        if production:
            unbuilt |= self.production.install(resolution, production, context, run)
        if added:
            unbuilt |= self.whole.install(resolution, added, context, run)
        return unbuilt

    def package_indexes(
        self, resolution: Resolution, context: InstallContext, run: Run
    ) -> PackageIndexes:
        """See `Manager`: as `install` chooses them."""
        production = self.production.package_indexes(resolution, context, run)
        whole = self.whole.package_indexes(resolution, context, run)

        def of(pin: Pin) -> tuple[tuple[str, ...], ...]:
            return (whole if pin.name in resolution.development else production).of(pin)

        return PackageIndexes(of, {**whole.network, **production.network})

    def _combined(self, production: Resolution, whole: Resolution) -> Resolution:
        """Return the pins of *production*, and those that *whole* adds.

        Raises DevelopmentConflict if *whole* has another release of one.
        """
        pins = {pin.name: pin for pin in whole.pins}
        for pin in production.pins:
            other = pins.get(pin.name, pin)
            if other.version != pin.version:
                raise self._conflict(pin, f"{pin.name}=={other.version}", self._development_file)
            pins[pin.name] = pin
        return Resolution(
            tuple(pins[name] for name in sorted(pins)),
            production.from_files_alone and whole.from_files_alone,
            whole.by,
            frozenset(pins) - {pin.name for pin in production.pins},
        )

    def _check_lines(self, production: Resolution, context: InstallContext) -> None:
        """Refuse lines of the files for development that exclude a release of *production*."""
        pins = {pin.name: pin for pin in production.pins}
        required = [each for name in self.files for each in _requirements(context, name)]
        for requirement, group in requirement_groups.lines(context.app_dir, self.groups):
            required.append((requirement, f"{PYPROJECT}, group {group}"))
        for requirement, origin in required:
            pin = pins.get(normalized_name(requirement.name))
            if pin and _applies(requirement, context) and _excludes(requirement, pin.version):
                raise self._conflict(pin, str(requirement), origin)

    def _conflict(self, pin: Pin, development: str, file: str) -> DevelopmentConflict:
        return DevelopmentConflict(
            pin.name, pin.version, self.production.deciding_file, development, file
        )

    @property
    def _development_file(self) -> str:
        return self.files[0] if self.files else self.whole.deciding_file


def _fingerprint(result: Resolution | NeedsResolving) -> str:
    if isinstance(result, NeedsResolving):
        return result.fingerprint
    return digest(part for pin in result.pins for part in (pin.line, pin.origin))


def _with_other_extras(production: Resolution, whole: Resolution) -> str:
    """Return the name of a package of which *whole* has extras that *production* lacks."""
    extras = {pin.name: frozenset(pin.extras) for pin in production.pins}
    return next(
        (pin.name for pin in whole.pins if set(pin.extras) - extras.get(pin.name, {*pin.extras})),
        "",
    )


def _requirements(context: InstallContext, name: str) -> Iterator[tuple[Requirement, str]]:
    """Yield the requirements of the file *name*, each with its file and line.

    Lines that do not require a release are left to the manager.
    """
    lines = requirement_lines.read_lines(context.app_dir / name, context.environ)
    for source, line in lines:
        try:
            requirement = Requirement(line.parts[0])
        except ValueError:
            continue
        yield requirement, f"{Path(str(source)).name}, line {line.number}"


def _excludes(requirement: Requirement, version: str) -> bool:
    try:
        return not requirement.specifier.contains(version, prereleases=True)
    except ValueError:  # the release has a version of an older form
        return False


def _applies(requirement: Requirement, context: InstallContext) -> bool:
    try:
        return not requirement.marker or markers.applies(
            requirement.marker, context.python, context.processor
        )
    except markers.UnusableMarker:
        return False  # the manager reports it


def _constrained(context: InstallContext, production: Resolution) -> InstallContext:
    """Return *context* for managers that may only take the releases of *production*."""
    file = context.scratch / _CONSTRAINTS
    # The release of a directory may be computed each time.
    lines = [f"{pin.name}=={pin.version}\n" for pin in production.pins if pin.is_cacheable]
    file.write_text("".join(lines), encoding="utf-8")
    own = {
        _PIP: read_pip_settings(context.environ).options.get("constraint", ""),
        _UV: context.environ.get(_UV, ""),
    }
    added = {name: " ".join(filter(None, (files, str(file)))) for name, files in own.items()}
    return replace(context, environ={**context.environ, **added})
