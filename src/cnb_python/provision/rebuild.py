"""Renews the layers of a build in which something changed: only what did."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cnb_python.cnb import disk
from cnb_python.cnb.layer import check_contents, layer_of
from cnb_python.distributions.model import Distribution
from cnb_python.errors.frameworks import PackagesAdded
from cnb_python.install import snapshot, tools
from cnb_python.install.installer import FilesNeeded, sync
from cnb_python.install.request import EnvironmentRequest, InstallResult
from cnb_python.install.snapshot import Snapshot
from cnb_python.install.tools import ToolCache
from cnb_python.layers import previous_image, python, python_install, venv_and_shards
from cnb_python.layers import store as store_layer
from cnb_python.layers.previous_image import WORK
from cnb_python.layers.store import BuildRecord, PreviousBuild
from cnb_python.layers.venv_and_shards import LayerPlan, Layers
from cnb_python.layout import conflicts
from cnb_python.layout.links import Copy
from cnb_python.layout.names import SHARD_PREFIX, VENV
from cnb_python.managers import tool
from cnb_python.managers.base import NeedsResolving, Resolution
from cnb_python.provision import freshness
from cnb_python.provision.request import (
    ProvidedEnvironment,
    ProvisionRequest,
    StepResults,
    StepsNeedingEnvironment,
    env_digest,
    environment_of,
    no_steps,
)
from cnb_python.store.manifest import StoreEntry
from cnb_python.store.store import Damaged, Store
from cnb_python.system.interface import Output, System


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """Python and the packages, of which something is here."""

    environment: ProvidedEnvironment
    store: Store
    stored: Mapping[str, StoreEntry]
    """By name: what the store is to keep, as far as it has room."""
    alone: frozenset[str]
    """The names of distributions that have a share of their own."""
    record: BuildRecord
    """What to note."""
    made: frozenset[str]
    """The names of the environment's layers that were made."""
    temporary_layers: frozenset[str]
    """Those of them that the previous image has: they are here for whom wants to use them."""
    needed_by: str
    untouched: Snapshot
    """What was laid out, as it was before anybody used it."""
    output: Output

    def close(self, added: StepResults) -> BuildRecord:
        """Take back what was lent, and keep what the next build can use."""
        job, layers_dir = self.environment.job, self.environment.job.context.layers_dir
        self._check()
        made = (self.made - self.temporary_layers) | _close_python(job)
        previous_image.reuse(
            layers_dir, {name: self.record.layers[name] for name in self.temporary_layers}
        )
        programs = tools.kept(self.store, job.manager.name)
        trees = {job.runtime.archive, *programs, *added.trees}
        manifest = self.store.close(self.stored.values(), trees, self.alone)
        record = self.record._replace(
            contents=job.package_key.metadata(),
            layer_sizes=self._sizes(added),
            manifest=manifest,
            static_files_key=added.static_files_key,
        )
        store_layer.close_store(job.context, record)
        check_contents(layers_dir, {*made, *added.made, store_layer.NAME})
        return record

    def _check(self) -> None:
        """Remove what was written beside the packages, and say so."""
        written = [path for one in self.untouched.seen for path in self.untouched.check(one)]
        found = snapshot.added(written)
        if found.packages:
            raise PackagesAdded(self.needed_by, found.packages)
        if found.files:
            from cnb_python.errors import frameworks  # noqa: PLC0415 - for who needs it

            message = frameworks.added_files(self.needed_by, found.files)
            self.output.warning(message.title, message.body)

    def _sizes(self, added: StepResults) -> dict[str, str]:
        layers_dir = self.environment.job.context.layers_dir
        sizes = {
            name: size
            for name, size in self.record.layer_sizes.items()
            if name in {python.NAME, *self.record.layers}
        }
        for name in (python.NAME, store_layer.NAME):
            if (layers_dir / name).is_dir():
                sizes[name] = str(bytes_below(layers_dir / name))
        return sizes | {name: str(size) for name, size in added.layers.items()}


def _close_python(job: ProvisionRequest) -> frozenset[str]:
    """Make what was laid out the layer, unless the previous image has it; return what was made."""
    if job.runtime.is_in_image and not job.build_consumers:
        python.reuse(job.runtime)
        return frozenset()
    python.finish(job.runtime, build=bool(job.build_consumers))
    return frozenset({python.NAME})


def bytes_below(directory: Path) -> int:
    """Return how much the files below *directory* hold."""
    return sum(
        (parent / name).lstat().st_size for parent, _, names in directory.walk() for name in names
    )


_LARGEST = 5
_WRITTEN = 3
_TOO_LARGE = 32 * 1024 * 1024
# What many have together: a share of the spread, or the one layer of the merged layout.
_COMMON = re.compile(rf"{SHARD_PREFIX}\d\d|{VENV}")


def renew(
    job: ProvisionRequest,
    before: PreviousBuild,
    known: Resolution | NeedsResolving,
    system: System,
    steps_needing_environment: StepsNeedingEnvironment = no_steps,
) -> Rebuilt:
    """Make what changed of layers `python`, `venv`, `deps-*` and `deps`.

    All of it is here where *wants* names somebody. Raises what installing raises; what was begun
    is no layer then.
    """
    _say_reasons(job, before, system.output)
    with _work(job.context.layers_dir) as work, ThreadPoolExecutor(system.cpus) as pool:
        store = Store(store_layer.open_store(job.context, before))
        kept = _kept(store, before, system.output)
        decided = freshness.decided(job, before, known, kept, system.output)
        lending = _TemporaryLayers(
            job, _plan(job), before, store, steps_needing_environment, system.output
        )
        # Installing takes place under its name, for a while without its `.toml`.
        layer_of(job.context.layers_dir, VENV).drop()
        compiling = pool.submit(python_install.lay_out(job.runtime, store, system))
        box = ToolCache(store, work / "programs", system.output)
        request = _request(job, work, compiling.result, box)
        synced = sync(request, decided, kept, lending.needs, store, system)
        _report(synced, system.output)
        layers = lending.layers_of(synced.distributions)
        alone = _alone(layers)
        stored = _stored(synced, known, kept, alone, store, pool)
        venv_and_shards.assemble(lending.plan, layers, synced)
        compiling.result()
    return lending.lend(layers, stored, alone, _record(job, synced, layers, known, before))


@dataclass(slots=True)
class _TemporaryLayers:
    """Lays out what the previous image has too where somebody wants to use it."""

    job: ProvisionRequest
    plan: LayerPlan
    before: PreviousBuild
    store: Store
    steps_needing_environment: StepsNeedingEnvironment
    output: Output
    user: str | None = None
    """None: not asked yet."""
    _layers: tuple[Sequence[Distribution], Layers] | None = None
    """The layers computed last, and the distributions that they hold."""

    def needs(self, distributions: Sequence[Distribution]) -> FilesNeeded:
        """Return whose files have to be here, having asked who wants to use them."""
        layers = self.layers_of(distributions)
        if self.user is None:
            versions = {one.name: one.version for one in distributions}
            self.user = self.steps_needing_environment(self._environment(versions, layers.digests))
            if self.user and not self.job.build_consumers:
                self.output.line(f"Laying out everything for {self.user}")
        return venv_and_shards.needs(self.layers_of(distributions))

    def layers_of(self, distributions: Sequence[Distribution]) -> Layers:
        """Return the layers of *distributions*, computed once for the same ones.

        If a step needs the environment, all of them count as changed.
        """
        if self._layers is None or self._layers[0] != distributions:
            self._layers = (distributions, venv_and_shards.layers_of(self.plan, distributions))
        layers = self._layers[1]
        return layers.all_changed() if self.user else layers

    def _environment(
        self, versions: Mapping[str, str], digests: Mapping[str, str]
    ) -> ProvidedEnvironment:
        return environment_of(self.job, self.before, versions, digests, lambda: self.store)

    def lend(
        self,
        layers: Layers,
        stored: Mapping[str, StoreEntry],
        alone: frozenset[str],
        record: BuildRecord,
    ) -> Rebuilt:
        """Return what there is now, and what of it has to go back."""
        untouched = Snapshot()
        temporary_layers = frozenset() if self.plan.build else layers.changed & layers.same
        if self.user:
            # Also what goes back: a build from nothing, which keeps it, would not be better off.
            for name in {python.NAME, *layers.changed}:
                untouched.remember(self.plan.layers_dir / name)
        return Rebuilt(
            environment=self._environment(record.distributions, layers.digests),
            store=self.store,
            stored=stored,
            alone=alone,
            record=record,
            made=layers.changed,
            temporary_layers=temporary_layers,
            needed_by=self.user or "",
            untouched=untouched,
            output=self.output,
        )


def renew_python(
    job: ProvisionRequest, before: PreviousBuild, record: BuildRecord, system: System
) -> Rebuilt:
    """Make layer `python` alone: nothing of the environment depends on what changed."""
    store = Store(store_layer.open_store(job.context, before))
    kept = _kept(store, before, system.output)
    python_install.lay_out(job.runtime, store, system)()
    previous_image.reuse(job.context.layers_dir, record.layers)
    system.output.line(f"Nothing else changed: {len(record.distributions)} packages as they were")
    alone = frozenset(name for name, one in kept.items() if not one.archive)
    found = environment_of(job, before, record.distributions, record.layers, lambda: store)
    none = frozenset[str]()
    return Rebuilt(found, store, kept, alone, record, none, none, "", Snapshot(), system.output)


def _stored(
    synced: InstallResult,
    known: Resolution | NeedsResolving,
    kept: Mapping[str, StoreEntry],
    alone: frozenset[str],
    store: Store,
    pool: ThreadPoolExecutor,
) -> dict[str, StoreEntry]:
    """Put what was installed in the store; return that and what was there, by name."""
    new = [one for one in synced.distributions if one.name in synced.fresh]

    is_certain = isinstance(known, NeedsResolving) and bool(known.inputs)

    def put(one: Distribution) -> StoreEntry:
        if not (one.is_cacheable or is_certain):
            return StoreEntry(one, "", "")
        # An index has what is large, and a share of its own holds it: it would not be kept.
        return store.put(
            one, synced.roots[one.name], whole=one.from_source or one.name not in alone
        )

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


def _say_reasons(job: ProvisionRequest, before: PreviousBuild, output: Output) -> None:
    if job.build_consumers:
        output.line(f"Laying out everything: {job.build_consumers} asked for it at build time")
    for reason in before.cache_invalid_because:
        output.line(f"Not using the previous build's packages: {reason}")
    for reason in before.layout_changed_because:
        output.line(f"Putting the environment together anew: {reason}")


def _kept(store: Store, before: PreviousBuild, output: Output) -> Mapping[str, StoreEntry]:
    """Return what the store has of this key; nothing, with a reason, where it cannot be used.

    Its interpreter has a key of its own, and stays of use.
    """
    if not (before.has_store and before.record):
        return {}
    found = store.read(before.record.manifest)
    if isinstance(found, Damaged):
        output.line(f"Not using the previous build's packages: {found.reason}")
        return {}
    if before.cache_invalid_because:
        return {}
    for name, reason in store.lost.items():
        output.line(f"Installing {name} again: {reason}")
    return found


def _request(
    job: ProvisionRequest, work: Path, ready: Callable[[], object], box: ToolCache
) -> EnvironmentRequest:
    buildpack = job.context.buildpack.directory
    return EnvironmentRequest(
        app=job.app,
        manager=job.manager,
        interpreter=job.runtime.interpreter.path,
        python=job.release.version,
        tool=tool.find_pip(buildpack),
        uv=tool.find_uv(buildpack),
        environ=job.context.environ,
        directory=job.context.layers_dir / VENV,
        work=work,
        installer=job.settings.installer,
        tool_cache=box,
        ready=ready,
    )


def _plan(job: ProvisionRequest) -> LayerPlan:
    path = job.runtime.interpreter.path
    return LayerPlan(
        layers_dir=job.context.layers_dir,
        interpreter=path,
        line=path.name.removeprefix("python"),
        scope="\0".join(job.package_key.metadata().values()),
        layout=job.settings.layout,
        build=bool(job.build_consumers),
        env=job.env,
        restored=previous_image.digests(job.context.layers_dir),
    )


def _report(synced: InstallResult, output: Output) -> None:
    output.line(f"Installed packages: {len(synced.distributions)}")
    if synced.written:
        output.line(f"Installing writes into the app, so every build does it: {_few(synced)}")
    for note in conflicts.notes(synced.distributions):
        output.line(note)


def _few(synced: InstallResult) -> str:
    first, rest = synced.written[:_WRITTEN], len(synced.written) - _WRITTEN
    return ", ".join(first) + (f" and {rest} more" if rest > 0 else "")


def _alone(layers: Layers) -> frozenset[str]:
    """Return the names of those distributions whose share is their own, and too large to keep.

    Builds with a new name for every image start from the store alone, and what it lacks is
    fetched and compiled again; so what may fit is kept, as long as there is room.
    """
    own = (
        shard
        for shard in layers.shards
        if not _COMMON.fullmatch(shard.name) and shard.size > _TOO_LARGE
    )
    return frozenset(name for shard in own for name in shard.distributions)


def _record(
    job: ProvisionRequest,
    synced: InstallResult,
    layers: Layers,
    known: Resolution | NeedsResolving,
    before: PreviousBuild,
) -> BuildRecord:
    """Return what the next build is to know."""
    decision, from_files_alone = freshness.noted(synced, before)
    largest = sorted(synced.distributions, key=lambda one: (-one.size, one.name))[:_LARGEST]
    return BuildRecord(
        contents=job.package_key.metadata(),
        outcome=job.environment_key.metadata(),
        decision=decision,
        from_files_alone=from_files_alone,
        python_patch=synced.python_patch,
        env=env_digest(layers.env),
        distributions={one.name: one.version for one in synced.distributions},
        layers=layers.digests,
        layer_sizes={name: str(size) for name, size in _sizes(job, layers).items()},
        largest={one.name: str(one.size) for one in largest},
        # What was written is to be written again: nobody else brings it.
        inputs=known.inputs if isinstance(known, NeedsResolving) and not synced.written else "",
        known_missing=freshness.known_missing(job, synced, before, known),
    )


def _sizes(job: ProvisionRequest, layers: Layers) -> dict[str, int]:
    """Return the bytes of each layer; `python` still has its directory."""
    copies = sum(place.file.size for place in layers.venv_entries if isinstance(place, Copy))
    sizes = {shard.name: shard.size for shard in layers.shards}
    return {python.NAME: bytes_below(job.runtime.interpreter.layer), VENV: copies} | sizes
