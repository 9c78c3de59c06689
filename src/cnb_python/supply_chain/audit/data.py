"""Reads OSV records: a directory of JSON files, or a zip as OSV publishes it (`all.zip`).

Nothing is unpacked to disk, so the names in a zip do not matter. Sizes and numbers are limited.
"""

import hashlib
import re
import zipfile
import zlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from cnb_python.errors.supply_chain.audit import BadAuditData
from cnb_python.managers.requirement_lines import normalized_name
from cnb_python.supply_chain.audit.osv import ECOSYSTEM
from cnb_python.system import json_text, regular_file
from cnb_python.system.json_text import InvalidJson, JsonValue

LARGEST_FILE = 512 << 20
"""Bytes of a zip; that of PyPI has some 50 MB."""
_JSON, _ZIP = ".json", ".zip"
_MODIFIED = re.compile(rb'"modified"\s*:\s*"(\d{4}-\d\d-\d\d)')
_NAME = re.compile(rb'"name"\s*:\s*"([^"\\]*)(\\?)')
_CHUNK = 1 << 20
# What `zipfile` raises for damaged, encrypted and unusual archives.
_DAMAGES = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    RuntimeError,
    NotImplementedError,
    ValueError,
)


class DataLimits(NamedTuple):
    """How much is read of a source."""

    record: int = 8 << 20
    """Bytes of a record: some list a thousand versions."""
    records: int = 1_000_000
    total: int = 4 << 30
    """Bytes of all records."""


LIMITS = DataLimits()


class RecordSource(NamedTuple):
    """A file or directory with records."""

    title: str
    """What users call it: `all.zip of the service binding osv`."""
    path: Path


@dataclass(slots=True)
class Records:
    """The records of some sources."""

    sources: Sequence[RecordSource]
    limits: DataLimits = LIMITS
    count: int = 0
    """How many records were read."""
    until: date = date.max
    """Dates after this one do not count: a single one would hide that all others are old."""
    newest: str = ""
    """The latest date on which a record changed, as `2026-11-29`; empty if no record has one."""
    after_today: int = 0
    """How many dates did not count, since they are after `until`."""
    _dates: dict[bytes, date | None] = field(default_factory=dict)
    """The parsed dates by their text, since records have few different dates."""

    def digest(self) -> str:
        """Return a SHA-256 in hex over the files of all sources. Raises BadAuditData."""
        whole = hashlib.sha256()
        for file in self._files():
            whole.update(_digest(file))
        return whole.hexdigest()

    def about(self, names: Collection[str]) -> Iterator[tuple[str, JsonValue]]:
        """Yield the records that may be about packages of these normalized *names*.

        Each with what users call it. Raises BadAuditData.
        """
        has_ecosystem, total = False, 0
        for title, content in self._contents():
            self.count += 1
            total += len(content)
            self._check(title, total)
            for text in _MODIFIED.findall(content):
                self._note(text)
            has_ecosystem = has_ecosystem or ECOSYSTEM.encode() in content
            if _names_any(content, names):
                yield title, _parsed(content, title)
        if not has_ecosystem:
            titles = ", ".join(source.title for source in self.sources)
            raise BadAuditData(titles, f"no record in it is about {ECOSYSTEM}")

    def _note(self, text: bytes) -> None:
        """Take *text*, the date of a change, into account."""
        if text not in self._dates:
            self._dates[text] = _date_of(text)
        changed = self._dates[text]
        if changed and changed > self.until:
            self.after_today += 1
        elif changed:
            # As text, like the names: dates of this form sort by time.
            self.newest = max(self.newest, changed.isoformat())

    def _check(self, title: str, total: int) -> None:
        if self.count > self.limits.records:
            raise BadAuditData(title, f"there are more than {self.limits.records:,} records")
        if total > self.limits.total:
            raise BadAuditData(title, f"the records have more than {self.limits.total >> 20} MB")

    def _files(self) -> Iterator[RecordSource]:
        """Yield each zip and each record, in the order of their names."""
        for title, path in self.sources:
            try:
                if not path.is_dir():
                    yield RecordSource(title, path)
                    continue
                names = sorted(each.name for each in path.iterdir())
            except OSError as error:
                raise _unreadable(title, error) from error
            for name in names:
                if name.endswith((_JSON, _ZIP)):
                    yield RecordSource(f"{name} of {title}", path / name)

    def _contents(self) -> Iterator[tuple[str, bytes]]:
        """Yield what users call each record, and its content."""
        for file in self._files():
            if file.path.suffix == _ZIP:
                yield from self._members(file)
            else:
                yield file.title, self._record(file)

    def _record(self, file: RecordSource) -> bytes:
        try:
            return regular_file.read(file.path, self.limits.record)
        except OSError as error:
            raise _unreadable(file.title, error) from error

    def _members(self, file: RecordSource) -> Iterator[tuple[str, bytes]]:
        try:
            with _opened(file) as raw, zipfile.ZipFile(raw) as archive:
                for member in archive.infolist():
                    if member.filename.endswith(_JSON):
                        title = f"{_printable(member.filename)} in {file.title}"
                        with archive.open(member) as opened:
                            # The size in the archive may be wrong.
                            content = opened.read(self.limits.record + 1)
                        if len(content) > self.limits.record:
                            reason = f"it is larger than {self.limits.record >> 20} MB"
                            raise BadAuditData(title, reason)
                        yield title, content
        except _DAMAGES as error:
            raise BadAuditData(file.title, f"it is damaged: {error}") from error
        except OSError as error:
            raise _unreadable(file.title, error) from error


def _date_of(text: bytes) -> date | None:
    try:
        return date.fromisoformat(text.decode("ascii"))
    except ValueError:  # the 99th of a month
        return None


def _opened(file: RecordSource) -> FileIO:
    raw = regular_file.opened(file.path)
    size = raw.seek(0, 2)
    raw.seek(0)
    if size > LARGEST_FILE:
        raw.close()
        raise BadAuditData(file.title, f"it is larger than {LARGEST_FILE >> 20} MB")
    return raw


def _digest(file: RecordSource) -> bytes:
    try:
        with _opened(file) as raw:
            digest = hashlib.sha256(file.path.name.encode(errors="surrogateescape"))
            while chunk := raw.read(_CHUNK):
                digest.update(chunk)
            return digest.digest()
    except OSError as error:
        raise _unreadable(file.title, error) from error


def _names_any(content: bytes, names: Collection[str]) -> bool:
    """Whether a name in *content* is one of *names*: parsing all records takes much longer.

    A name with an escaped character may be any.
    """
    return any(
        escape or normalized_name(name.decode("utf-8", "replace")) in names
        for name, escape in _NAME.findall(content)
    )


def _parsed(content: bytes, title: str) -> JsonValue:
    try:
        return json_text.parse(content)
    except InvalidJson as error:
        raise BadAuditData(title, f"it is not JSON: {error.reason}") from error


def _unreadable(title: str, error: OSError) -> BadAuditData:
    return BadAuditData(title, error.strerror or type(error).__name__)


def _printable(name: str) -> str:
    """Return the last part of a *name* in a zip, which may be anything."""
    return "".join(each if each.isprintable() else "?" for each in name.rpartition("/")[2][:80])
