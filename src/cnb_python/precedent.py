"""Whether the previous build installed what the app's package manager would install now."""

from collections.abc import Mapping

from cnb_python.environment.manifest import Kept
from cnb_python.environment.request import Synced
from cnb_python.environment.sync import AsBefore
from cnb_python.job import Job, decision_digest
from cnb_python.layers.deps import Previous
from cnb_python.layers.record import Record
from cnb_python.managers.decision import Decision, Undecided
from cnb_python.settings import UV
from cnb_python.system.outside import Output


def decided(
    job: Job,
    before: Previous,
    known: Decision | Undecided,
    kept: Mapping[str, Kept],
    output: Output,
) -> Decision | AsBefore | None:
    """Return what is decided, None where the manager has to be asked, with the reason said."""
    if isinstance(known, Decision):
        return known
    if before.record and _is_as_before(job, before.record, known, kept):
        return AsBefore(frozenset(before.record.distributions))
    who = UV if job.settings.installer == UV else job.manager.name
    output.line(f"Asking {who}: {known.reason}")
    return None


def noted(synced: Synced, before: Previous) -> tuple[str, bool]:
    """Return the digest of what was decided, and whether the app's files alone did."""
    if synced.decision:
        return decision_digest(synced.decision), synced.decision.pure
    return (before.record.decision, before.record.pure) if before.record else ("", False)


def _is_as_before(job: Job, record: Record, known: Undecided, kept: Mapping[str, Kept]) -> bool:
    """Whether what was installed then is what the manager would install now.

    Of a directory it would be, too, unless the app lies elsewhere: paths to it are installed.
    """
    return (
        bool(known.inputs)
        and known.inputs == record.inputs
        and record.outcome.get("app") == job.outcome_key.app
        and kept.keys() == record.distributions.keys()
    )
