"""Renews the layers of a build in which something changed: only what did."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import replace
from dataclasses import dataclass
from pathlib import Path

from cnb_python.cnb import disk
from cnb_python.cnb.layer import layer_of
from cnb_python.distributions.model import Distribution
from cnb_python.install import request as install_request
from cnb_python.install.installer import Needs, sync
from cnb_python.install.request import EnvironmentRequest, Synced
from cnb_python.install.snapshot import Untouched
from cnb_python.install.tools import Toolbox
from cnb_python.layers import (
    bundled_tools,
    previous_image,
    python,
    python_install,
    venv_and_shards,
)
from cnb_python.layers import store as store_layer
from cnb_python.layers.build_record import Record
from cnb_python.layers.leftovers import WORK
from cnb_python.layers.store import Previous
from cnb_python.layers.venv_and_shards import Layers, Plan
from cnb_python.layout import conflicts
from cnb_python.layout.links import Copy
from cnb_python.layout.names import SHARES, VENV
from cnb_python.managers.resolution import Decision, Undecided
from cnb_python.provision import freshness
from cnb_python.provision.environment import Environment, Wants, environment_of, nobody
from cnb_python.provision.finish import Renewed, bytes_below
from cnb_python.provision.request import Job, env_digest
from cnb_python.store.manifest import Kept
from cnb_python.store.store import Damaged, Store
from cnb_python.system.interface import Output, System

_LARGEST = 5
_WRITTEN = 3
_TOO_LARGE = 32 * 1024 * 1024
# What many have together: a share of the spread, or the one layer of the merged layout.
_COMMON = re.compile(rf"{SHARES}\d\d|{VENV}")


def renew(
    job: Job, before: Previous, known: Decision | Undecided, system: System, wants: Wants = nobody
) -> Renewed:
    """Make what changed of layers `python`, `venv`, `deps-*` and `deps`.

    All of it is here where *wants* names somebody. Raises what installing raises; what was begun
    is no layer then.
    """
    _say_reasons(job, before, system.output)
    with _work(job.context.layers_dir) as work, ThreadPoolExecutor(system.cpus) as pool:
        store = Store(store_layer.open_store(job.context, before))
        kept = _kept(store, before, system.output)
        decided = freshness.decided(job, before, known, kept, system.output)
        lending = _Lending(job, _plan(job), before, store, wants, system.output)
        # Installing takes place under its name, for a while without its `.toml`.
        layer_of(job.context.layers_dir, VENV).drop()
        compiling = pool.submit(python_install.lay_out(job.runtime, store, system))
        box = Toolbox(store, work / "programs", system.output)
        request = _request(job, work, compiling.result, box)
        synced = sync(request, decided, kept, lending.needs, store, system)
        _say_changes(before, synced, system.output)
        layers = venv_and_shards.layers_of(lending.plan, synced.distributions)
        alone = _alone(layers)
        stored = _stored(synced, known, kept, alone, store, pool)
        venv_and_shards.assemble(lending.plan, layers, synced)
        compiling.result()
    return lending.lend(layers, stored, alone, _record(job, synced, layers, known, before))


@dataclass(slots=True)
class _Lending:
    """Lays out what the previous image has too where somebody wants to use it."""

    job: Job
    plan: Plan
    before: Previous
    store: Store
    wants: Wants
    output: Output
    user: str | None = None
    """None: not asked yet."""

    def needs(self, distributions: Sequence[Distribution]) -> Needs:
        """Return whose files have to be here, having asked who wants to use them."""
        if self.user is None:
            versions = {one.name: one.version for one in distributions}
            digests = venv_and_shards.layers_of(self.plan, distributions).digests
            self.user = self.wants(self._environment(versions, digests))
            self.plan = replace(self.plan, whole=bool(self.user))
            if self.user and not self.job.demand:
                self.output.line(f"Laying out everything for {self.user}")
        return venv_and_shards.needs(self.plan, distributions)

    def _environment(self, versions: Mapping[str, str], digests: Mapping[str, str]) -> Environment:
        return environment_of(self.job, self.before, versions, digests, lambda: self.store)

    def lend(
        self, layers: Layers, stored: Mapping[str, Kept], alone: frozenset[str], record: Record
    ) -> Renewed:
        """Return what there is now, and what of it has to go back."""
        untouched = Untouched()
        lent = frozenset() if self.plan.build else layers.changed & layers.same
        if self.user:
            # Also what goes back: a build from nothing, which keeps it, would not be better off.
            for name in {python.NAME, *layers.changed}:
                untouched.remember(self.plan.layers_dir / name)
        return Renewed(
            environment=self._environment(record.distributions, layers.digests),
            store=self.store,
            stored=stored,
            alone=alone,
            record=record,
            made=layers.changed,
            lent=lent,
            wanted_by=self.user or "",
            untouched=untouched,
            output=self.output,
        )


def renew_python(job: Job, before: Previous, record: Record, system: System) -> Renewed:
    """Make layer `python` alone: nothing of the environment depends on what changed."""
    store = Store(store_layer.open_store(job.context, before))
    kept = _kept(store, before, system.output)
    python_install.lay_out(job.runtime, store, system)()
    previous_image.reuse(job.context.layers_dir, record.layers)
    system.output.line(f"Nothing else changed: {len(record.distributions)} packages as they were")
    alone = frozenset(name for name, one in kept.items() if not one.archive)
    found = environment_of(job, before, record.distributions, record.layers, lambda: store)
    none = frozenset[str]()
    return Renewed(found, store, kept, alone, record, none, none, "", Untouched(), system.output)


def _stored(
    synced: Synced,
    known: Decision | Undecided,
    kept: Mapping[str, Kept],
    alone: frozenset[str],
    store: Store,
    pool: ThreadPoolExecutor,
) -> dict[str, Kept]:
    """Put what was installed in the store; return that and what was there, by name."""
    new = [one for one in synced.distributions if one.name in synced.fresh]

    is_certain = isinstance(known, Undecided) and bool(known.inputs)

    def put(one: Distribution) -> Kept:
        if not (one.keeps or is_certain):
            return Kept(one, "", "")
        # An index has what is large, and a share of its own holds it: it would not be kept.
        return store.put(one, synced.roots[one.name], whole=one.is_built or one.name not in alone)

    archived = pool.map(put, new)
    old = {
        one.name: kept[one.name] for one in synced.distributions if one.name not in synced.fresh
    }
    return old | {one.name: found for one, found in zip(new, archived, strict=True)}


@contextmanager
def _work(layers_dir: Path) -> Iterator[Path]:
    """Give a directory beside the layers, for renaming is free there; whatever comes, it goes."""
    work = layers_dir / WORK
    disk.remove(work)
    disk.make_directory(work)
    try:
        yield work
    finally:
        disk.remove(work)


def _say_reasons(job: Job, before: Previous, output: Output) -> None:
    if job.demand:
        output.line(f"Laying out everything: {job.demand} asked for it at build time")
    for reason in before.reasons:
        output.line(f"Not using the previous build's packages: {reason}")
    for reason in before.changes:
        output.line(f"Putting the environment together anew: {reason}")


def _kept(store: Store, before: Previous, output: Output) -> Mapping[str, Kept]:
    """Return what the store has of this key; nothing, with a reason, where it cannot be used.

    Its interpreter has a key of its own, and stays of use.
    """
    if not (before.has_store and before.record):
        return {}
    found = store.read(before.record.manifest)
    if isinstance(found, Damaged):
        output.line(f"Not using the previous build's packages: {found.reason}")
        return {}
    if before.reasons:
        return {}
    for name, reason in store.lost.items():
        output.line(f"Installing {name} again: {reason}")
    return found


def _request(
    job: Job, work: Path, ready: Callable[[], object], box: Toolbox
) -> EnvironmentRequest:
    buildpack = job.context.buildpack.directory
    return EnvironmentRequest(
        project=job.project,
        manager=job.manager,
        interpreter=job.runtime.interpreter.path,
        python=job.release.version,
        tool=bundled_tools.find_pip(buildpack),
        uv=bundled_tools.find_uv(buildpack),
        environ=job.context.environ,
        directory=job.context.layers_dir / VENV,
        work=work,
        installer=job.settings.installer,
        toolbox=box,
        ready=ready,
    )


def _plan(job: Job) -> Plan:
    path = job.runtime.interpreter.path
    return Plan(
        layers_dir=job.context.layers_dir,
        interpreter=path,
        line=path.name.removeprefix("python"),
        scope="\0".join(job.contents_key.metadata().values()),
        layout=job.settings.layout,
        build=bool(job.demand),
        env=job.env,
        restored=previous_image.digests(job.context.layers_dir),
    )


def _say_changes(before: Previous, synced: Synced, output: Output) -> None:
    after = {one.name: one.version for one in synced.distributions}
    said = install_request.said(before.record.distributions, after) if before.record else ""
    output.line(f"Changed: {said}" if said else f"{len(after)} packages")
    if synced.written:
        output.line(f"Installing writes into the app, so every build does it: {_few(synced)}")
    for note in conflicts.notes(synced.distributions):
        output.line(note)


def _few(synced: Synced) -> str:
    first, rest = synced.written[:_WRITTEN], len(synced.written) - _WRITTEN
    return ", ".join(first) + (f" and {rest} more" if rest > 0 else "")


def _alone(layers: Layers) -> frozenset[str]:
    """Return the names of those distributions whose share is their own, and too large to keep.

    Builds with a new name for every image start from the store alone, and what it lacks is
    fetched and compiled again; so what may fit is kept, as long as there is room.
    """
    own = (
        share
        for share in layers.shares
        if not _COMMON.fullmatch(share.name) and share.size > _TOO_LARGE
    )
    return frozenset(name for share in own for name in share.distributions)


def _record(
    job: Job, synced: Synced, layers: Layers, known: Decision | Undecided, before: Previous
) -> Record:
    """Return what the next build is to know."""
    decision, pure = freshness.noted(synced, before)
    largest = sorted(synced.distributions, key=lambda one: (-one.size, one.name))[:_LARGEST]
    return Record(
        contents=job.contents_key.metadata(),
        outcome=job.outcome_key.metadata(),
        decision=decision,
        pure=pure,
        patch=synced.patch,
        env=env_digest(layers.env),
        distributions={one.name: one.version for one in synced.distributions},
        layers=layers.digests,
        layer_sizes={name: str(size) for name, size in _sizes(job, layers).items()},
        largest={one.name: str(one.size) for one in largest},
        # What was written is to be written again: nobody else brings it.
        inputs=known.inputs if isinstance(known, Undecided) and not synced.written else "",
        gap=freshness.gap(job, synced, before, known),
    )


def _sizes(job: Job, layers: Layers) -> dict[str, int]:
    """Return the bytes of each layer; `python` still has its directory."""
    copies = sum(place.file.size for place in layers.places if isinstance(place, Copy))
    sizes = {share.name: share.size for share in layers.shares}
    return {python.NAME: bytes_below(job.runtime.interpreter.layer), VENV: copies} | sizes
