"""Whether the previous build installed what the app's package manager would install now."""

import hashlib
from collections.abc import Mapping

from cnb_python.config.settings import UV
from cnb_python.install.request import InstallResult, SameAsPrevious
from cnb_python.layers.store import BuildRecord, PreviousBuild
from cnb_python.managers.base import NeedsResolving, Resolution
from cnb_python.provision.request import ProvisionRequest, decision_digest
from cnb_python.store.manifest import StoreEntry
from cnb_python.system.interface import Output


def decided(
    job: ProvisionRequest,
    before: PreviousBuild,
    known: Resolution | NeedsResolving,
    kept: Mapping[str, StoreEntry],
    output: Output,
) -> Resolution | SameAsPrevious | None:
    """Return what is decided, None where the manager has to be asked, with the reason said."""
    who = UV if job.settings.installer == UV else job.manager.name
    if isinstance(known, Resolution):
        known_missing = _known_missing(job, before, known)
        if known_missing:
            output.line(f"Asking {who}: {known_missing}")
        return None if known_missing else known
    if before.record and _is_as_before(job, before.record, known, kept):
        return SameAsPrevious(frozenset(before.record.distributions))
    output.line(f"Asking {who}: {known.reason}")
    return None


def noted(synced: InstallResult, before: PreviousBuild) -> tuple[str, bool]:
    """Return the digest of what was decided, and whether the app's files alone did."""
    if synced.decision:
        return decision_digest(synced.decision), synced.decision.from_files_alone
    return (
        (before.record.decision, before.record.from_files_alone) if before.record else ("", False)
    )


def known_missing(
    job: ProvisionRequest,
    synced: InstallResult,
    before: PreviousBuild,
    known: Resolution | NeedsResolving,
) -> str:
    """Return what to note of exact lines that lack something; see `Record.gap`."""
    if isinstance(known, NeedsResolving):
        return ""
    found = synced.known_missing or _known_missing(job, before, known)
    return f"{_lines(job, known)} {found}" if found else ""


def _known_missing(job: ProvisionRequest, before: PreviousBuild, known: Resolution) -> str:
    """Return what a previous build found that these lines lack; empty: nothing that is known.

    Releases never change, so uv need not install them again to find the same.
    """
    record = before.record
    if record is None or before.cache_invalid_because or before.layout_changed_because:
        return ""
    lines, _, found = record.known_missing.partition(" ")
    return found if lines == _lines(job, known) else ""


def _lines(job: ProvisionRequest, known: Resolution) -> str:
    """Return a digest over exact lines, and the release of Python that they are for."""
    text = f"{decision_digest(known)} {job.release.version}"
    return hashlib.sha256(text.encode()).hexdigest()


def _is_as_before(
    job: ProvisionRequest,
    record: BuildRecord,
    known: NeedsResolving,
    kept: Mapping[str, StoreEntry],
) -> bool:
    """Whether what was installed then is what the manager would install now.

    Of a directory it would be, too, unless the app lies elsewhere: paths to it are installed.
    """
    return (
        bool(known.inputs)
        and known.inputs == record.inputs
        and record.outcome.get("app") == job.environment_key.app
        and kept.keys() == record.distributions.keys()
    )
