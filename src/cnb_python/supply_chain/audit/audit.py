"""The audit of one build: compares its packages with records, and reacts as the settings say.

Separate from `checks`, which joins it with the check of ages.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from cnb_python.config.settings import SEVERITIES, STOP, Settings
from cnb_python.errors.supply_chain.audit import (
    BadAuditData,
    MalwareFound,
    VulnerablePackages,
    old_records,
)
from cnb_python.python.versions import normalized_version
from cnb_python.supply_chain.audit.data import Records, RecordSource
from cnb_python.supply_chain.audit.finding import Finding, as_lines, from_lines
from cnb_python.supply_chain.audit.osv import BadRecord, RecordMatch, findings, matches
from cnb_python.supply_chain.audit.vex import Vex, read_vex
from cnb_python.system.interface import System

# Part of the digest over the inputs: what an older release found is not used any more.
_FORMAT = "3"
# Databases get records of Python packages every day.
_OLD = timedelta(days=7)
# Dates of records are in UTC, and clocks differ.
_CLOCKS_DIFFER = timedelta(days=1)


class Audited(NamedTuple):
    """The result, as a build records it."""

    inputs: str
    """`DIGEST:DATE NAME...`; empty if there was no audit.

    DIGEST, in hex, is over the packages, the records and the VEX documents. DATE is that of the
    newest record. Each NAME is a package that no index has: records are not about those.
    """
    findings: tuple[str, ...]
    """See `finding.as_lines`."""

    @property
    def digest(self) -> str:
        """The digest over the inputs."""
        return self.inputs.partition(" ")[0].partition(":")[0]

    @property
    def newest(self) -> str:
        """The date of the newest record, as `2026-11-29`; empty: unknown."""
        return self.inputs.partition(" ")[0].partition(":")[2]

    @property
    def elsewhere(self) -> frozenset[str]:
        """The names of the packages that no index has."""
        return frozenset(self.inputs.split()[1:])


NOT_AUDITED = Audited("", ())


@dataclass(frozen=True, slots=True)
class Audit:
    """The audit of one build."""

    settings: Settings
    sources: Sequence[RecordSource]
    app_dir: Path
    """The directory with the VEX documents."""
    system: System

    def run(
        self,
        installed: Mapping[str, str],
        elsewhere: Collection[str],
        before: Audited,
        *,
        in_image: bool = False,
    ) -> Audited:
        """Return what is known about *installed*, versions by normalized names.

        *elsewhere*: the names of those that no index has. *before*: an earlier result, which is
        used if its inputs are the same. *in_image*: the previous image has these packages. Prints
        warnings. Raises MalwareFound, VulnerablePackages, BadAuditData and BadVex.
        """
        today = self.system.moment.date()
        records = Records(self.sources, until=today + _CLOCKS_DIFFER)
        vex = read_vex(self.app_dir, self.settings.vex)
        releases = {name: installed[name] for name in installed if name not in elsewhere}
        digest, newest = _digest(releases, records, vex), before.newest
        # Without a date, the clock may have been wrong, so the packages are compared again.
        if before.digest == digest and newest:
            result = from_lines(before.findings)
        else:
            result = vex.applied(_compared(records, releases))
            newest = records.newest
            self.system.output.line(_compared_line(len(releases), records))
        self._warn_of_old_records(newest)
        self._react(result, in_image=in_image)
        inputs = " ".join((f"{digest}:{newest}", *sorted(elsewhere)))
        return Audited(inputs, as_lines(result))

    def _warn_of_old_records(self, newest: str) -> None:
        """Warn if the newest record is old: newer malware and vulnerabilities are missing."""
        age = self.system.moment.date() - _date(newest)
        if age > _OLD:
            titles = ", ".join(source.title for source in self.sources)
            message = old_records(titles, newest, age.days)
            self.system.output.warning(message.title, message.body)

    def _react(self, result: Sequence[Finding], *, in_image: bool) -> None:
        for each in result:
            if not each.counts:
                self.system.output.line(f"{each}: {each.status}, by {each.source}")
        affected = [each for each in result if each.counts]
        if malware := tuple(str(each) for each in affected if each.is_malware):
            raise MalwareFound(malware, in_image)
        if stopping := tuple(str(each) for each in affected if self._stops(each)):
            raise VulnerablePackages(stopping, self.settings.named("audit"))
        if affected:
            self.system.output.warning(
                "Packages have known vulnerabilities", tuple(map(str, affected))
            )

    def _stops(self, finding: Finding) -> bool:
        lowest = SEVERITIES.index(self.settings.audit_severity)
        return self.settings.audit == STOP and (
            not finding.severity or SEVERITIES.index(finding.severity) >= lowest
        )


def _compared_line(releases: int, records: Records) -> str:
    packages = f"{releases} package{'' if releases == 1 else 's'}"
    count = f"{records.count:,} record{'' if records.count == 1 else 's'}"
    newest = f", the newest from {records.newest}" if records.newest else ""
    later = records.after_today
    wrong = f"; ignored {later:,} date{'' if later == 1 else 's'} after today" if later else ""
    return f"Compared {packages} with {count}{newest}{wrong}"


def _date(text: str) -> date:
    """Return the date *text*; the latest date if *text* is invalid, so that no warning appears."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return date.max


def _digest(releases: Mapping[str, str], records: Records, vex: Vex) -> str:
    # A file may have 2.0, and the package 2.0.0.
    names = (f"{name} {normalized_version(releases[name])}" for name in sorted(releases))
    text = "\n".join((_FORMAT, records.digest(), vex.digest, *names))
    return hashlib.sha256(text.encode()).hexdigest()


def _compared(records: Records, releases: Mapping[str, str]) -> tuple[Finding, ...]:
    return findings(_matches(records, releases))


def _matches(records: Records, releases: Mapping[str, str]) -> Iterator[RecordMatch]:
    for title, record in records.about(releases.keys()):
        try:
            yield from matches(record, releases)
        except BadRecord as error:
            raise BadAuditData(title, str(error)) from error
