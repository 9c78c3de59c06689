"""Provides Python and the app's packages: nothing where nothing changed, else what did."""

from functools import cache, partial
from typing import TYPE_CHECKING

from cnb_python.layers import previous_image, python
from cnb_python.layers import store as store_layer
from cnb_python.layers.store import BuildRecord, PreviousBuild
from cnb_python.managers.base import NeedsResolving, Resolution
from cnb_python.provision.request import (
    Provided,
    ProvidedEnvironment,
    ProvisionRequest,
    Reused,
    StepsNeedingEnvironment,
    decision_digest,
    env_digest,
    environment_of,
    no_steps,
)
from cnb_python.system.interface import System

if TYPE_CHECKING:
    from cnb_python.store.store import Store


def provide(
    job: ProvisionRequest,
    system: System,
    steps_needing_environment: StepsNeedingEnvironment = no_steps,
) -> Provided:
    """Bring layers `python`, `venv`, `deps-*` and `deps` to what *job* asks for.

    Everything is here until `close` for whom *wants* names. Raises what installing raises; layers
    that were begun are not trusted then.
    """
    before = store_layer.previous(job.context, job.package_key, job.environment_key)
    known = job.manager.resolve_from_files(job.app, job.release.version, job.context.environ)
    unchanged = None if job.build_consumers else _unchanged(job, before, known)
    user = steps_needing_environment(_environment(job, before, unchanged)) if unchanged else ""
    if unchanged and not user and job.runtime.is_in_image:
        return _reuse(job, before, unchanged, system)
    from cnb_python.provision import rebuild  # noqa: PLC0415 - loads more than an unchanged build does

    if unchanged and not user:
        return rebuild.renew_python(job, before, unchanged, system)
    return rebuild.renew(
        job, before, known, system, (lambda _: user) if unchanged else steps_needing_environment
    )


def _unchanged(
    job: ProvisionRequest, before: PreviousBuild, known: Resolution | NeedsResolving
) -> BuildRecord | None:
    """Return the previous build's record where its environment is certainly this one's too."""
    record = before.record
    if record is None or before.cache_invalid_because or before.layout_changed_because:
        return None
    is_same = (
        _leads_there(record, known)
        and record.python_patch in {"", job.release.version}
        and record.env == env_digest(job.env(record.distributions))
        and record.layers == previous_image.digests(job.context.layers_dir)
    )
    return record if is_same else None


def _leads_there(record: BuildRecord, known: Resolution | NeedsResolving) -> bool:
    """Whether what is *known* leads to the decision of *record* again."""
    if isinstance(known, NeedsResolving):
        return bool(known.inputs) and known.inputs == record.inputs
    return record.from_files_alone and record.decision == decision_digest(known)


def _environment(
    job: ProvisionRequest, before: PreviousBuild, record: BuildRecord
) -> ProvidedEnvironment:
    store = cache(partial(_store, before, record))
    return environment_of(job, before, record.distributions, record.layers, store)


def _store(before: PreviousBuild, record: BuildRecord) -> Store:
    from cnb_python.store.store import Store  # noqa: PLC0415 - loads compression

    store = Store(before.directory)
    if before.has_store:
        store.read_trees(record.manifest)
    return store


def _reuse(
    job: ProvisionRequest, before: PreviousBuild, record: BuildRecord, system: System
) -> Provided:
    """Take everything from the previous image."""
    python.reuse(job.runtime)
    previous_image.reuse(job.context.layers_dir, record.layers)
    system.output.line(f"Nothing changed: {len(record.distributions)} packages as they were")
    return Reused(_environment(job, before, record), before, record)
