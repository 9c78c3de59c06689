"""Provides Python and the app's packages: nothing where nothing changed, else what did."""

from cnb_python.cnb.layer import check_contents
from cnb_python.job import Job, decision_digest, env_digest
from cnb_python.layers import deps, python, restored
from cnb_python.layers.deps import Previous
from cnb_python.layers.record import Record
from cnb_python.managers.decision import Decision, Undecided
from cnb_python.system.outside import System


def provide(job: Job, system: System) -> Record:
    """Bring layers `python`, `venv`, `deps-*` and `deps` to what *job* asks for.

    Raises what installing raises; layers that were begun are not trusted then.
    """
    before = deps.previous(job.context, job.contents_key, job.outcome_key)
    known = job.manager.pins(job.project, job.release.version, job.context.environ)
    unchanged = None if job.demand else _unchanged(job, before, known)
    if unchanged and job.runtime.is_in_image:
        return _reuse(job, before, unchanged, system)
    from cnb_python import renewal  # noqa: PLC0415 - loads more than an unchanged build does

    if unchanged:
        return renewal.renew_python(job, before, unchanged, system)
    return renewal.renew(job, before, known, system)


def _unchanged(job: Job, before: Previous, known: Decision | Undecided) -> Record | None:
    """Return the previous build's record where its environment is certainly this one's too."""
    record = before.record
    if record is None or before.reasons or before.changes:
        return None
    is_same = (
        _leads_there(record, known)
        and record.patch in {"", job.release.version}
        and record.env == env_digest(job.env(record.distributions))
        and record.layers == restored.digests(job.context.layers_dir)
    )
    return record if is_same else None


def _leads_there(record: Record, known: Decision | Undecided) -> bool:
    """Whether what is *known* leads to the decision of *record* again."""
    if isinstance(known, Undecided):
        return bool(known.inputs) and known.inputs == record.inputs
    return record.pure and record.decision == decision_digest(known)


def _reuse(job: Job, before: Previous, record: Record, system: System) -> Record:
    """Take everything from the previous image."""
    layers_dir = job.context.layers_dir
    python.reuse(job.runtime)
    restored.reuse(layers_dir, record.layers)
    deps.keep(job.context, before, record)
    check_contents(layers_dir, (deps.NAME,) if before.has_store else ())
    system.output.line(f"Nothing changed: {len(record.distributions)} packages as they were")
    return record
