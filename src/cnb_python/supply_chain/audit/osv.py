"""OSV records: which releases they are about, and the findings for a set of releases.

https://ossf.github.io/osv-schema/
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from packaging.utils import canonicalize_name
from packaging.version import Version

from cnb_python.supply_chain.audit.finding import AFFECTED, MALWARE, Finding
from cnb_python.supply_chain.audit.severity import severity_of, worst
from cnb_python.system.json_text import JsonValue

ECOSYSTEM = "PyPI"
_SCHEMA = "1."
_NO_ID = "it has no id"
_NO_NAME = "a package in it has no name"
_NO_EVENTS = "a range in it has no events"
_NO_VERSION = "an event of a range in it has no version"
_COMMITS = "GIT"
# Below every version.
_BEGINNING = "0"
# The order in which the names of one vulnerability are shown.
_DATABASES = (MALWARE, "GHSA-", "CVE-", "PYSEC-")


class BadRecord(ValueError):
    """A record does not have the form of the OSV schema; the text says why."""


class RecordMatch(NamedTuple):
    """A record that is about a release."""

    name: str
    version: str
    ids: tuple[str, ...]
    """Of the record and its aliases."""
    severity: str
    fixed: str
    """The lowest release above it that is not affected; empty: none is known."""


def matches(record: JsonValue, releases: Mapping[str, str]) -> Iterator[RecordMatch]:
    """Yield those of *releases*, versions by normalized names, that *record* is about.

    Raises BadRecord.
    """
    if not isinstance(record, dict) or not isinstance(record.get("id"), str):
        raise BadRecord(_NO_ID)
    schema = record.get("schema_version", "1.0.0")
    if not isinstance(schema, str) or not schema.startswith(_SCHEMA):
        reason = f"it has the schema version {schema}, not 1.x"
        raise BadRecord(reason)
    if record.get("withdrawn"):
        return
    aliases = record.get("aliases")
    named = aliases if isinstance(aliases, list) else []
    ids = tuple(dict.fromkeys([str(record["id"]), *map(str, named)]))
    severity = severity_of(record)
    for name, entries in _by_name(record.get("affected")).items():
        version = releases.get(name)
        if version is not None and any(_is_affected(entry, version) for entry in entries):
            yield RecordMatch(name, version, ids, severity, _fixed(entries, version))


def findings(matched: Iterable[RecordMatch]) -> tuple[Finding, ...]:
    """Return one finding for all records of the same vulnerability of a release.

    Databases copy from each other: records that share a name, or an alias, are one.
    """
    groups: list[tuple[set[str], list[RecordMatch]]] = []
    for match in matched:
        ids, group = set(match.ids), [match]
        apart = []
        for other_ids, members in groups:
            if members[0].name == match.name and not ids.isdisjoint(other_ids):
                ids, group = ids | other_ids, [*members, *group]
            else:
                apart.append((other_ids, members))
        groups = [*apart, (ids, group)]
    return tuple(sorted(_finding(ids, group) for ids, group in groups))


def _finding(ids: Iterable[str], group: list[RecordMatch]) -> Finding:
    fixed = sorted({each.fixed for each in group if each.fixed}, key=_sort_key)
    return Finding(
        group[0].name,
        group[0].version,
        tuple(sorted(ids, key=_rank)),
        worst(each.severity for each in group),
        fixed[-1] if fixed else "",
        AFFECTED,
    )


def _rank(name: str) -> tuple[int, str]:
    ranks = (rank for rank, prefix in enumerate(_DATABASES) if name.startswith(prefix))
    return next(ranks, len(_DATABASES)), name


def _by_name(affected: JsonValue) -> dict[str, list[dict[str, JsonValue]]]:
    """Return the entries for Python packages by their normalized names."""
    entries: dict[str, list[dict[str, JsonValue]]] = {}
    for entry in affected if isinstance(affected, list) else ():
        package = entry.get("package") if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or not isinstance(package, dict):
            continue
        ecosystem, name = package.get("ecosystem"), package.get("name")
        if isinstance(ecosystem, str) and ecosystem.partition(":")[0] == ECOSYSTEM:
            if not isinstance(name, str):
                raise BadRecord(_NO_NAME)
            entries.setdefault(canonicalize_name(name), []).append(entry)
    return entries


def _is_affected(entry: Mapping[str, JsonValue], version: str) -> bool:
    """Whether *entry* is about *version*, or about the release that it was built from.

    Records name releases of the public index. One about 2.0.0 is about 2.0.0+cu118 too, which a
    range that ends with 2.0.0 would leave out, and so would a list.
    https://packaging.python.org/en/latest/specifications/version-specifiers/#local-version-identifiers
    """
    return any(_is_about(entry, each) for each in {version, version.partition("+")[0]})


def _is_about(entry: Mapping[str, JsonValue], version: str) -> bool:
    """Whether *entry* names *version*, or neither versions nor ranges at all.

    Ranges of the type GIT are about commits, and the commit of an installed release is unknown.
    https://ossf.github.io/osv-schema/#affectedrangestype-field
    """
    versions, ranges = entry.get("versions"), _tables(entry.get("ranges"))
    listed = versions if isinstance(versions, list) else []
    if not listed and not ranges:
        return True
    if any(isinstance(each, str) and _is_same(each, version) for each in listed):
        return True
    compared = (each for each in ranges if each.get("type") != _COMMITS)
    return any(_is_in_range(_events(each), version) for each in compared)


def _events(table: Mapping[str, JsonValue]) -> list[tuple[str, str]]:
    """Return kind and version of each event of a range, in the order of versions.

    Raises BadRecord.
    """
    events = table.get("events")
    if not isinstance(events, list) or not events:
        raise BadRecord(_NO_EVENTS)
    pairs = []
    for event in events:
        pair = next(iter(event.items()), None) if isinstance(event, dict) else None
        if pair is None or not isinstance(pair[1], str):
            raise BadRecord(_NO_VERSION)
        pairs.append((pair[0], pair[1]))
    # Of the events at one version, `introduced` comes last.
    return sorted(pairs, key=lambda pair: (_sort_key(pair[1]), pair[0] == "introduced"))


def _is_in_range(events: Iterable[tuple[str, str]], version: str) -> bool:
    """Whether *version* is in the range of *events*.

    https://ossf.github.io/osv-schema/#evaluation
    """
    inside, at = False, _sort_key(version)
    for kind, text in events:
        event = _sort_key(text)
        match kind:
            case "introduced" if text == _BEGINNING or at >= event:
                inside = True
            case "fixed" | "limit" if at >= event:
                inside = False
            case "last_affected" if at > event:
                inside = False
            case _:
                pass
    return inside


def _fixed(entries: Iterable[Mapping[str, JsonValue]], version: str) -> str:
    """Return the lowest release above *version* that a range calls fixed; empty: none."""
    fixed = [
        text
        for entry in entries
        for table in _tables(entry.get("ranges"))
        for kind, text in _events(table)
        if kind == "fixed"
        and table.get("type") != _COMMITS
        and _sort_key(text) > _sort_key(version)
    ]
    return min(fixed, key=_sort_key, default="")


def _tables(value: JsonValue) -> list[dict[str, JsonValue]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _is_same(text: str, version: str) -> bool:
    return text == version or _sort_key(text) == _sort_key(version)


@lru_cache(4096)
def _sort_key(text: str) -> tuple[bool, Version, str]:
    """Return what orders versions; one that PEP 440 does not allow is below all others.

    A range that such a version opens then holds every release, which errs on the safe side.
    """
    try:
        return (True, Version(text), "")
    except ValueError:  # also for thousands of digits
        return (False, Version("0"), text)
