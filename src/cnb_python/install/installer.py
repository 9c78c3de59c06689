"""Brings what is installed to what the app asks for, whatever was there before.

The result is a function of the app's files and the index alone: what the store kept only saves
the work of getting it again.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

from packaging.utils import canonicalize_version

from cnb_python.cnb import disk
from cnb_python.distributions.collect import collect
from cnb_python.distributions.dist_info import StagedEnvironment
from cnb_python.distributions.model import Distribution
from cnb_python.errors.base import ContractBroken
from cnb_python.errors.machine import DamagedStore
from cnb_python.install import verify
from cnb_python.install.request import EnvironmentRequest, InstallResult, SameAsPrevious
from cnb_python.install.snapshot import AppSnapshot
from cnb_python.install.staging import StagingArea
from cnb_python.managers.base import Pin, Resolution
from cnb_python.store.manifest import StoreEntry
from cnb_python.store.store import Store
from cnb_python.system.interface import System


class FilesNeeded(NamedTuple):
    """Names of the distributions whose files a build needs on disk.

    The previous image does not have them, or a step of the build uses them.
    """

    all: frozenset[str]
    metadata_only: frozenset[str]
    """Those of which the files that `is_small_part` selects are enough."""


type Needed = Callable[[Sequence[Distribution]], FilesNeeded]
"""What of an environment is needed, once it is known what it holds."""


def sync(
    request: EnvironmentRequest,
    known: Resolution | SameAsPrevious | None,
    kept: Mapping[str, StoreEntry],
    needed: Needed,
    store: Store,
    system: System,
) -> InstallResult:
    """Return the environment that *request* asks for, with the files that *needed* names.

    *known* is what the app's files alone decide, or who decided for the same files before; None
    where the manager has to be asked. *kept* is what the previous build left, by name. Raises what
    the manager says went wrong, and what running programs and writing files raise.
    """
    litter = AppSnapshot(request.app.top)
    work = _Work(StagingArea(request, system, litter), kept, store)
    decided = _known(known, work) or _asked(work)
    while lacking := _bring(work, needed(work.distributions)):
        if decided.decision:
            again = [pin for pin in decided.decision.pins if pin.name in lacking]
            work.install(decided.decision, again)
        else:
            what = f"{', '.join(sorted(lacking))} has to be installed again"
            system.output.line(f"Resolving with {request.decider}: {what}")
            decided = _asked(work)
    return InstallResult(
        decision=decided.decision,
        distributions=work.distributions,
        roots=work.small_roots | work.roots,
        fresh=frozenset(work.fresh),
        python_patch=request.python if decided.is_sensitive else "",
        known_missing=work.known_missing,
        written=tuple(sorted(litter.written)),
    )


class _Resolved(NamedTuple):
    decision: Resolution | None
    """None: the one of the previous build, which is not known any more."""
    is_sensitive: bool


@dataclass(slots=True)
class _Work:
    """What is known so far."""

    workshop: StagingArea
    kept: Mapping[str, StoreEntry]
    store: Store
    found: dict[str, Distribution] = field(default_factory=dict)
    roots: dict[str, Path] = field(default_factory=dict)
    small_roots: dict[str, Path] = field(default_factory=dict)
    fresh: set[str] = field(default_factory=set)
    known_missing: str = ""

    @property
    def distributions(self) -> tuple[Distribution, ...]:
        return tuple(self.found[name] for name in sorted(self.found))

    def start_from_kept(self, decision: Resolution) -> list[Pin]:
        """Take what was kept and is still wanted; return what has to be installed."""
        self.found = {
            pin.name: self.kept[pin.name].distribution
            for pin in decision.pins
            if _is_kept(pin, self.kept)
        }
        return [pin for pin in decision.pins if pin.name not in self.found]

    def take_kept(self, names: frozenset[str]) -> None:
        """Take what was kept with these *names*."""
        self.found = {name: self.kept[name].distribution for name in names}

    def install(self, decision: Resolution, pins: Sequence[Pin]) -> None:
        """Install exactly *pins* and take what comes of it."""
        manager = self.workshop.request.manager
        self.workshop.request.ready()
        install = partial(manager.install, decision, pins)
        stage, _ = self.workshop.stage(install, pip=not decision.from_files_alone)
        self.take(stage, decision, pins)

    def take(self, stage: StagedEnvironment, decision: Resolution, pins: Iterable[Pin]) -> None:
        """Harvest *stage*; those that overlap with others are installed again, each alone."""
        by_name = {pin.name: pin for pin in pins}
        request, system = self.workshop.request, self.workshop.system
        harvested = collect(stage, by_name, request.interpreter, system)
        for message in harvested.messages:
            system.output.line(message)
        if harvested.missing:
            missing = ", ".join(harvested.missing)
            raise ContractBroken("environment", f"decided and not installed: {missing}")
        apart = {name for group in harvested.conflicts for name in group}
        for one in harvested.distributions:
            if one.name not in apart or len(by_name) == 1:
                self.found[one.name] = one
                self.roots[one.name] = stage.root
                self.fresh.add(one.name)
        if len(by_name) > 1:
            for name in sorted(apart):
                self.install(decision, [by_name[name]])


def _is_kept(pin: Pin, kept: Mapping[str, StoreEntry]) -> bool:
    one = kept.get(pin.name)
    return (
        pin.is_cacheable
        and one is not None
        and one.distribution.is_cacheable
        and one.distribution.origin == pin.origin
        and _is_same(one.distribution.version, pin.version)
    )


def _is_same(version: str, pinned: str) -> bool:
    """Whether it is *pinned* that was installed: `2.0` in a file may be `2.0.0` of an index."""
    return canonicalize_version(version) == canonicalize_version(pinned)


def _known(known: Resolution | SameAsPrevious | None, work: _Work) -> _Resolved | None:
    """Return what is decided without asking; None: the manager has to be asked."""
    if isinstance(known, SameAsPrevious):
        work.take_kept(known.names)
        return _Resolved(None, is_sensitive=False)
    return known and _exactly(known, work)


def _exactly(decision: Resolution, work: _Work) -> _Resolved | None:
    """Have uv install what the files pin; None where pip has to decide after all."""
    workshop = work.workshop
    output = workshop.system.output
    missing = work.start_from_kept(decision)
    stage = None
    if missing:
        install = partial(workshop.request.manager.install_pinned, decision, missing)
        stage, refusal = workshop.stage(install, pip=False)
        if refusal:
            output.line(f"Resolving with {workshop.request.decider}: {refusal}")
            return None
    proof = _proof(decision, stage, work)
    if isinstance(proof, verify.Incomplete):
        output.line(f"Resolving with {workshop.request.decider}: {proof.reason}")
        return None
    if stage:
        work.take(stage, decision, missing)
    return _Resolved(decision, proof.depends_on_patch)


def _asked(work: _Work) -> _Resolved:
    """Have the manager decide."""
    manager, workshop = work.workshop.request.manager, work.workshop
    workshop.request.ready()
    if not work.kept:
        stage, decision = workshop.stage(manager.resolve_and_install)
        work.take(stage, decision, decision.pins)
        return _Resolved(decision, is_sensitive=False)
    _, decision = workshop.stage(manager.resolve)
    if missing := work.start_from_kept(decision):
        work.install(decision, missing)
    return _Resolved(decision, is_sensitive=False)


def _proof(
    decision: Resolution, stage: StagedEnvironment | None, work: _Work
) -> verify.Complete | verify.Incomplete:
    python = work.workshop.request.python
    try:
        proof = verify.verify_pins(decision.pins, _metadata(stage, work), python)
    except DamagedStore as damage:
        return verify.Incomplete(f"the store cannot be used, {damage.reason}")
    if isinstance(proof, verify.Incomplete):
        work.known_missing = proof.reason
    return proof


def _metadata(stage: StagedEnvironment | None, work: _Work) -> Callable[[str], bytes]:
    """Return what looks up the METADATA of a distribution, installed or kept."""
    staged = stage.metadata_files() if stage else {}

    def read(name: str) -> bytes:
        if name in staged:
            return staged[name].read_bytes()
        return work.store.metadata(work.kept[name])

    return read


def _bring(work: _Work, needs: FilesNeeded) -> frozenset[str]:
    """Unpack what is needed of the kept; return the names of those whose files are not kept."""
    whole = sorted(needs.all - work.roots.keys())
    small = sorted(needs.metadata_only - work.roots.keys() - work.small_roots.keys())
    with ThreadPoolExecutor(work.workshop.system.cpus) as pool:
        lacking = [
            *pool.map(partial(_unpack, work), whole),
            *pool.map(partial(_unpack_small, work), small),
        ]
    return frozenset(filter(None, lacking))


def _unpack(work: _Work, name: str) -> str:
    """Return *name* when its files are not kept."""
    kept = work.kept[name]
    if not kept.archive:
        return name
    root = _root(work, "kept", name)
    try:
        work.store.unpack(kept, root)
    except DamagedStore as damage:
        work.workshop.system.output.line(f"Installing {name} again: {damage.reason}")
        return name
    work.roots[name] = root
    return ""


def _unpack_small(work: _Work, name: str) -> str:
    root = _root(work, "kept-info", name)
    try:
        work.store.unpack_metadata(work.kept[name], root)
    except DamagedStore as damage:
        work.workshop.system.output.line(f"Installing {name} again: {damage.reason}")
        return name
    work.small_roots[name] = root
    return ""


def _root(work: _Work, kind: str, name: str) -> Path:
    root = work.workshop.request.work / kind / name
    disk.remove(root)
    root.mkdir(parents=True)
    return root
