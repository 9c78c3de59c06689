"""Installs the app's environment, reusing what the store has of the previous build.

The result depends only on the app's files and the index: the store only saves work.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from cnb_python.cnb import disk
from cnb_python.distributions import scan
from cnb_python.distributions.collect import InstalledPin
from cnb_python.distributions.dist_info import metadata
from cnb_python.distributions.model import Distribution
from cnb_python.errors.machine import DamagedStore
from cnb_python.errors.packages.foreign_code import BuildsInterfere
from cnb_python.errors.packages.requirements import no_such_extra
from cnb_python.install import snapshot
from cnb_python.install.collecting import collect
from cnb_python.install.finishing import Archives
from cnb_python.install.request import EnvironmentRequest, InstallResult, SameAsPrevious
from cnb_python.install.same_file import is_file_of
from cnb_python.install.snapshot import AppSnapshot
from cnb_python.install.staging import StagingArea
from cnb_python.install.verify import Complete, Incomplete, unknown_extras, verify_pins
from cnb_python.managers.base import Pin, PinsRefused, Resolution
from cnb_python.python.versions import normalized_version
from cnb_python.store.archive import NO_CHANGES, Changes
from cnb_python.store.manifest import StoreEntry
from cnb_python.store.store import Store
from cnb_python.store.unpacking import Job, States, unpack_all
from cnb_python.system.interface import System

# Each time, builds of packages have changed the files of others.
_MOST_ATTEMPTS = 5


class Place(NamedTuple):
    """Where the files of a distribution belong."""

    directory: Path
    """A new directory, which may be that of several distributions."""
    changes: Changes
    small: bool = False
    """Only its small parts belong there."""


class FilesNeeded(NamedTuple):
    """Names of the distributions whose files a build needs on disk.

    The previous image does not have them, or a step of the build uses them.
    """

    all: frozenset[str]
    metadata_only: frozenset[str]
    """Names of those of which the small parts (`is_small_part`) are enough."""
    places: Mapping[str, Place] = {}
    """Where the files go that the store has, by name; the others get a directory of their own."""


def install_environment(
    request: EnvironmentRequest,
    resolved: Resolution | SameAsPrevious | None,
    entries: Mapping[str, StoreEntry],
    files_needed: Callable[[Sequence[Distribution], frozenset[str]], FilesNeeded],
    store: Store,
    system: System,
) -> InstallResult:
    """Return the environment of *request*; the files that *files_needed* names are on disk then.

    *resolved* is what the app's files alone resolve to, or that the resolution is the previous
    one; None if the manager has to resolve. *entries*: what the store has, by name. *files_needed*
    is called with all distributions, and the names of those that production does not have. Raises
    the errors of the manager, and those of running programs and writing files.
    """
    without_files = frozenset[str]()
    with closing(StagingArea(request, system, AppSnapshot(request.app.top))) as staging:
        work = _Work(staging, entries, store)
        resolution = _resolve_without_manager(resolved, work) or _resolve_with_manager(work)
        for _ in range(_MOST_ATTEMPTS):
            needed = files_needed(work.distributions, resolution.development)
            if not (without_files := _unpack_needed(work, needed)):
                return _result(work, resolution)
            resolution = _install_again(without_files, resolution, work)
            work.forget_changed()
    raise BuildsInterfere(tuple(sorted(without_files)))


def _result(work: _Work, resolution: _Resolved) -> InstallResult:
    request, written = work.staging.request, work.staging.snapshot.written
    return InstallResult(
        resolution=resolution.resolution,
        distributions=work.distributions,
        roots=work.small_roots | work.unpacked | work.roots,
        placed=work.placed,
        installed=frozenset(work.installed),
        archives=work.archives,
        python_patch=request.python if resolution.depends_on_patch else "",
        known_missing=work.known_missing,
        written=tuple(sorted(written)),
        development=resolution.development,
    )


class _Resolved(NamedTuple):
    resolution: Resolution | None
    """None: that of the previous build, of which only a digest was recorded."""
    depends_on_patch: bool
    development: frozenset[str]
    """The names of the distributions that only tests and development need."""


class _Fetched(NamedTuple):
    """A wheel that was fetched before the manager had to resolve."""

    installed: InstalledPin
    contents: Mapping[str, str]
    """Its files then, as `snapshot.contents` returns them."""

    def is_unchanged(self) -> bool:
        """Whether its files are still what they were."""
        try:
            return snapshot.contents(self.installed.root.path) == self.contents
        except OSError:
            return False


@dataclass(slots=True)
class _Work:
    """The environment so far."""

    staging: StagingArea
    entries: Mapping[str, StoreEntry]
    store: Store
    by_name: dict[str, Distribution] = field(default_factory=dict)
    roots: dict[str, Path] = field(default_factory=dict)
    """Of the distributions that were installed."""
    unpacked: dict[str, Path] = field(default_factory=dict)
    small_roots: dict[str, Path] = field(default_factory=dict)
    placed: dict[str, States] = field(default_factory=dict)
    installed: set[str] = field(default_factory=set)
    archives: dict[str, Archives] = field(default_factory=dict)
    known_missing: str = ""
    fetched: dict[str, _Fetched] = field(default_factory=dict)
    """By name, the wheels of pins that turned out to be incomplete."""

    @property
    def distributions(self) -> tuple[Distribution, ...]:
        return tuple(self.by_name[name] for name in sorted(self.by_name))

    def start_from_store(self, resolution: Resolution) -> list[Pin]:
        """Take the pinned distributions that the store has; return the other pins."""
        self.by_name = {
            pin.name: self.entries[pin.name].distribution
            for pin in resolution.pins
            if _is_stored(pin, self.entries)
        }
        return [pin for pin in resolution.pins if pin.name not in self.by_name]

    def take_from_store(self, names: frozenset[str]) -> None:
        """Take the distributions with these *names* from the store."""
        self.by_name = {name: self.entries[name].distribution for name in names}

    def collect(self, installed_pins: Sequence[InstalledPin]) -> None:
        """Collect the distributions of *installed_pins*."""
        request, system = self.staging.request, self.staging.system
        store = self.store.directory
        collection = collect(installed_pins, request.interpreter, store, system)
        for message in collection.messages:
            system.output.line(message)
        for each, distribution in zip(installed_pins, collection.distributions, strict=True):
            self.by_name[distribution.name] = distribution
            self.roots[distribution.name] = each.root.path
            self.installed.add(distribution.name)
        self.archives |= collection.archives

    def is_stored(self, name: str) -> bool:
        """Whether the store has all files of the distribution, as this build uses it."""
        entry = self.entries.get(name)
        return name not in self.installed and entry is not None and bool(entry.archive)

    def forget_changed(self) -> None:
        """Forget the files on disk that code of packages, which ran meanwhile, has changed."""
        if self.staging.ran_foreign_code:
            for name, root in list(self.roots.items()):
                if not scan.has_files(root, self.by_name[name].files):
                    del self.roots[name]

    def log_resolving(self, reason: str) -> None:
        request, output = self.staging.request, self.staging.system.output
        output.line(f"Resolving with {request.resolver}: {reason}")


def _is_stored(pin: Pin, entries: Mapping[str, StoreEntry]) -> bool:
    entry = entries.get(pin.name)
    return (
        pin.is_cacheable
        and entry is not None
        and entry.distribution.is_cacheable
        and entry.distribution.origin == pin.origin
        # It was built with others, which may have changed.
        and not (pin.needs and not pin.by_itself and entry.distribution.from_source)
        and _is_same(entry.distribution.version, pin.version)
    )


def _is_same(version: str, pinned: str) -> bool:
    """Whether the versions are equal: `2.0` in a file may be `2.0.0` in the index."""
    return normalized_version(version) == normalized_version(pinned)


def _resolve_without_manager(
    resolved: Resolution | SameAsPrevious | None, work: _Work
) -> _Resolved | None:
    """Return the resolution, with its distributions in *work*; None: the manager must resolve."""
    if isinstance(resolved, SameAsPrevious):
        work.take_from_store(resolved.names)
        return _Resolved(None, depends_on_patch=False, development=resolved.development)
    return resolved and _install_pinned(resolved, work)


def _install_pinned(resolution: Resolution, work: _Work) -> _Resolved | None:
    """Install the pins with uv; None if that fails or the pins are not complete."""
    missing = work.start_from_store(resolution)
    work.staging.check(resolution, missing)
    try:
        installed = work.staging.install(resolution, missing)
    except PinsRefused as refused:
        work.log_resolving(refused.reason)
        return None
    verified = _verify(resolution, installed, work)
    if isinstance(verified, Incomplete):
        work.log_resolving(verified.reason)
        work.fetched = {
            each.pin.name: _Fetched(each, snapshot.contents(each.root.path))
            for each in installed
            if not each.may_be_built
        }
        return None
    for unknown in unknown_extras(resolution.pins, _metadata(installed, work)):
        message = no_such_extra(*unknown)
        work.staging.system.output.warning(message.title, message.body)
    work.collect(installed)
    return _Resolved(resolution, verified.depends_on_patch, resolution.development)


def _resolve_with_manager(work: _Work) -> _Resolved:
    """Return the manager's resolution, with its distributions in *work*."""
    resolution = work.staging.resolve()
    missing = work.start_from_store(resolution)
    work.staging.check(resolution, missing)
    kept = _fetched_before(work, missing)
    installed = work.staging.install(resolution, [pin for pin in missing if pin not in kept])
    if changed := [pin for pin, fetched in kept.items() if not fetched.is_unchanged()]:
        installed += work.staging.install(resolution, changed)
    unchanged = [replace(kept[pin].installed, pin=pin) for pin in kept if pin not in changed]
    work.collect((*unchanged, *installed))
    return _Resolved(resolution, depends_on_patch=False, development=resolution.development)


def _fetched_before(work: _Work, pins: Sequence[Pin]) -> dict[Pin, _Fetched]:
    """Return those of *pins* whose files were fetched before the manager resolved.

    Resolving may have run code of packages, so the files have to be what they were.
    """
    fetched, work.fetched = work.fetched, {}
    return {
        pin: fetched[pin.name]
        for pin in pins
        if pin.name in fetched
        and fetched[pin.name].is_unchanged()
        and is_file_of(fetched[pin.name].installed, pin)
    }


def _install_again(names: frozenset[str], resolved: _Resolved, work: _Work) -> _Resolved:
    """Install the distributions with these *names*, of which the store has no files."""
    if resolution := resolved.resolution:
        pins = [pin for pin in resolution.pins if pin.name in names]
        try:
            work.collect(work.staging.install(resolution, pins))
        except PinsRefused as refused:
            work.log_resolving(refused.reason)
        else:
            return resolved
    else:
        work.log_resolving(f"{', '.join(sorted(names))} has to be installed again")
    return _resolve_with_manager(work)


def _verify(
    resolution: Resolution, installed: Iterable[InstalledPin], work: _Work
) -> Complete | Incomplete:
    python = work.staging.request.python
    metadata_of = _metadata(installed, work)
    production = [pin for pin in resolution.pins if pin.name not in resolution.development]
    try:
        verified = verify_pins(production, metadata_of, python)
        if resolution.development and isinstance(verified, Complete):
            # Production must not depend on what tests add.
            verified = verify_pins(resolution.pins, metadata_of, python)
    except DamagedStore as damage:
        return Incomplete(f"the store cannot be used, {damage.reason}")
    if isinstance(verified, Incomplete):
        work.known_missing = verified.reason
    return verified


def _metadata(installed: Iterable[InstalledPin], work: _Work) -> Callable[[str], bytes]:
    """Return the function that reads the METADATA of a new or stored distribution by name."""
    roots = {each.pin.name: each.root for each in installed}

    def read(name: str) -> bytes:
        if name in roots:
            return metadata(roots[name], name)
        return work.store.metadata(work.entries[name])

    return read


def _unpack_needed(work: _Work, needed: FilesNeeded) -> frozenset[str]:
    """Unpack the *needed* files; return the names of which the store has no files.

    Each time all of them: their places are new and empty.
    """
    names = sorted(needed.all - work.roots.keys())
    small_names = sorted(needed.metadata_only - work.roots.keys())
    work.placed = {}
    # Before anything is unpacked: it would be unpacked again after these were installed.
    not_stored = {name for name in names if not work.is_stored(name)}
    if not_stored := not_stored.union(work.installed.intersection(small_names)):
        return frozenset(not_stored)
    unpacked = {
        name: needed.places[name].directory
        if name in needed.places
        else _new_root(work, "unpacked", name)
        for name in names
    }
    small_roots = {name: _new_root(work, "unpacked-metadata", name) for name in small_names}
    jobs = [_job(work, needed, name, root) for name, root in unpacked.items()]
    jobs += [
        work.store.metadata_job(work.entries[name], root) for name, root in small_roots.items()
    ]
    results = unpack_all(jobs, work.staging.system)
    lost = set()
    for name, result in zip((*names, *small_names), results, strict=True):
        if isinstance(result, DamagedStore):
            lost.add(name)
            _log_damage(work, name, result)
        elif name in needed.places:
            work.placed[name] = result
    work.unpacked = {name: root for name, root in unpacked.items() if name not in lost}
    work.small_roots = {name: root for name, root in small_roots.items() if name not in lost}
    return frozenset(lost)


def _job(work: _Work, needed: FilesNeeded, name: str, root: Path) -> Job:
    position = needed.places.get(name, Place(root, NO_CHANGES))
    make = work.store.metadata_job if position.small else work.store.job
    return make(work.entries[name], root, position.changes)


def _new_root(work: _Work, kind: str, name: str) -> Path:
    root = work.staging.request.staging / kind / name
    disk.remove(root)
    root.mkdir(parents=True)
    return root


def _log_damage(work: _Work, name: str, damage: DamagedStore) -> None:
    work.staging.system.output.line(f"Installing {name} again: {damage.reason}")
