"""Renews the layers of a build in which something changed: only what did."""

import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from cnb_python.cnb import disk
from cnb_python.cnb.layer import check_contents, layer_of
from cnb_python.environment import changes, contests
from cnb_python.environment.distribution import Distribution
from cnb_python.environment.links import Copy
from cnb_python.environment.manifest import Kept
from cnb_python.environment.places import SHARES, VENV
from cnb_python.environment.request import EnvironmentRequest, Synced
from cnb_python.environment.store import Damaged, Store
from cnb_python.environment.sync import sync
from cnb_python.job import Job, decision_digest, env_digest
from cnb_python.layers import assembly, deps, interpreter, python, restored, tools
from cnb_python.layers.assembly import Layers, Plan
from cnb_python.layers.deps import Previous
from cnb_python.layers.leftovers import WORK
from cnb_python.layers.record import Record
from cnb_python.managers.decision import Decision, Undecided
from cnb_python.settings import UV
from cnb_python.system.outside import Output, System

_LARGEST = 5
_TOO_LARGE = 32 * 1024 * 1024
# What many have together: a share of the spread, or the one layer of the merged layout.
_COMMON = re.compile(rf"{SHARES}\d\d|{VENV}")


def renew(job: Job, before: Previous, known: Decision | Undecided, system: System) -> Record:
    """Make what changed of layers `python`, `venv`, `deps-*` and `deps`; return what to note.

    Raises what installing raises; what was begun is no layer then.
    """
    _say_reasons(job, before, known, system.output)
    with _work(job.context.layers_dir) as work, ThreadPoolExecutor(system.cpus) as pool:
        store = Store(deps.open_store(job.context, before))
        kept = _kept(store, before, system.output)
        plan = _plan(job)
        # Installing takes place under its name, for a while without its `.toml`.
        layer_of(plan.layers_dir, VENV).drop()
        compiling = pool.submit(interpreter.lay_out(job.runtime, store, system))
        decided = known if isinstance(known, Decision) else None
        needed = partial(assembly.needs, plan)
        synced = sync(_request(job, work, compiling.result), decided, kept, needed, store, system)
        _say_changes(before, synced, system.output)
        layers = assembly.layers_of(plan, synced.distributions)
        alone = _alone(layers)
        stored = _stored(synced, kept, alone, store, pool)
        assembly.assemble(plan, layers, synced)
        compiling.result()
    record = _record(job, synced, layers, known)
    made = layers.changed | _close_python(job)
    return _close(job, store, stored, alone, record, made)


def renew_python(job: Job, before: Previous, record: Record, system: System) -> Record:
    """Make layer `python` alone: nothing of the environment depends on what changed."""
    store = Store(deps.open_store(job.context, before))
    kept = _kept(store, before, system.output)
    interpreter.lay_out(job.runtime, store, system)()
    restored.reuse(job.context.layers_dir, record.layers)
    system.output.line(f"Nothing else changed: {len(record.distributions)} packages as they were")
    alone = frozenset(name for name, one in kept.items() if not one.archive)
    return _close(job, store, kept, alone, record, _close_python(job))


def _close_python(job: Job) -> frozenset[str]:
    """Make what was laid out the layer, unless the previous image has it; return what was made."""
    if job.runtime.is_in_image and not job.demand:
        python.reuse(job.runtime)
        return frozenset()
    python.finish(job.runtime, build=bool(job.demand))
    return frozenset({python.NAME})


def _close(
    job: Job,
    store: Store,
    stored: Mapping[str, Kept],
    alone: frozenset[str],
    record: Record,
    made: frozenset[str],
) -> Record:
    """Keep what the next build can use, and look at what this one leaves."""
    manifest = store.close(stored.values(), {job.runtime.archive}, alone)
    layers_dir = job.context.layers_dir
    sizes = dict(record.layer_sizes)
    for name in (python.NAME, deps.NAME):
        if (layers_dir / name).is_dir():
            sizes[name] = str(_bytes_below(layers_dir / name))
    contents = job.contents_key.metadata()
    noted = record._replace(contents=contents, layer_sizes=sizes, manifest=manifest)
    deps.close_store(job.context, noted)
    check_contents(layers_dir, made | {deps.NAME})
    return noted


def _stored(
    synced: Synced,
    kept: Mapping[str, Kept],
    alone: frozenset[str],
    store: Store,
    pool: ThreadPoolExecutor,
) -> dict[str, Kept]:
    """Put what was installed in the store; return that and what was there, by name."""
    new = [one for one in synced.distributions if one.name in synced.fresh]

    def put(one: Distribution) -> Kept:
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


def _say_reasons(job: Job, before: Previous, known: Decision | Undecided, output: Output) -> None:
    if job.demand:
        output.line(f"Laying out everything: {job.demand} asked for it at build time")
    for reason in before.reasons:
        output.line(f"Not using the previous build's packages: {reason}")
    for reason in before.changes:
        output.line(f"Putting the environment together anew: {reason}")
    if isinstance(known, Undecided):
        who = UV if job.settings.installer == UV else job.manager.name
        output.line(f"Asking {who}: {known.reason}")


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


def _request(job: Job, work: Path, ready: Callable[[], object]) -> EnvironmentRequest:
    buildpack = job.context.buildpack.directory
    return EnvironmentRequest(
        project=job.project,
        manager=job.manager,
        interpreter=job.runtime.interpreter.path,
        python=job.release.version,
        tool=tools.find_pip(buildpack),
        uv=tools.find_uv(buildpack),
        environ=job.context.environ,
        directory=job.context.layers_dir / VENV,
        work=work,
        installer=job.settings.installer,
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
        restored=restored.digests(job.context.layers_dir),
    )


def _say_changes(before: Previous, synced: Synced, output: Output) -> None:
    after = {one.name: one.version for one in synced.distributions}
    said = changes.said(before.record.distributions, after) if before.record else ""
    output.line(f"Changed: {said}" if said else f"{len(after)} packages")
    for note in contests.notes(synced.distributions):
        output.line(note)


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


def _record(job: Job, synced: Synced, layers: Layers, known: Decision | Undecided) -> Record:
    """Return what the next build is to know."""
    largest = sorted(synced.distributions, key=lambda one: (-one.size, one.name))[:_LARGEST]
    return Record(
        contents=job.contents_key.metadata(),
        outcome=job.outcome_key.metadata(),
        decision=decision_digest(synced.decision),
        pure=synced.decision.pure,
        patch=synced.patch,
        env=env_digest(layers.env),
        distributions={one.name: one.version for one in synced.distributions},
        layers=layers.digests,
        layer_sizes={name: str(size) for name, size in _sizes(job, layers).items()},
        largest={one.name: str(one.size) for one in largest},
        inputs=known.inputs if isinstance(known, Undecided) else "",
    )


def _sizes(job: Job, layers: Layers) -> dict[str, int]:
    """Return the bytes of each layer; `python` still has its directory."""
    copies = sum(place.file.size for place in layers.places if isinstance(place, Copy))
    sizes = {share.name: share.size for share in layers.shares}
    return {python.NAME: _bytes_below(job.runtime.interpreter.layer), VENV: copies} | sizes


def _bytes_below(directory: Path) -> int:
    return sum(
        (parent / name).lstat().st_size for parent, _, names in directory.walk() for name in names
    )
