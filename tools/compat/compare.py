"""Finds the differences between the facts of two environments, which are JSON."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

type Json = Mapping[str, Json] | Sequence[Json] | str | int | float | None

MISSING = "(nothing)"


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that differs between linked and merged."""

    where: str
    """Its path in the facts: `web/imports/django/modules/django/failed`."""
    linked: str
    merged: str
    reason: str = ""
    """Why the difference is harmless; empty: unexplained."""


def differences(where: str, linked: Json, merged: Json) -> Iterator[Difference]:
    """Yield each value that differs between two JSON documents."""
    if isinstance(linked, Mapping) and isinstance(merged, Mapping):
        for name in sorted(linked.keys() | merged.keys()):
            values = linked.get(name, MISSING), merged.get(name, MISSING)
            yield from differences(f"{where}/{name}", *values)
    elif linked != merged:
        yield Difference(where, str(linked), str(merged))


def explained(differences: Sequence[Difference], reasons: Mapping[str, str]) -> list[Difference]:
    """Return *differences*, each with the reason whose pattern matches its path."""
    return [
        Difference(
            difference.where,
            difference.linked,
            difference.merged,
            _reason(difference.where, reasons),
        )
        for difference in differences
    ]


def _reason(where: str, reasons: Mapping[str, str]) -> str:
    return next((text for name, text in reasons.items() if fnmatchcase(where, name)), "")


def failures(where: str, facts: Json) -> Iterator[tuple[str, str]]:
    """Yield the path of each failure, and its message."""
    if isinstance(facts, Mapping):
        if "failed" in facts:
            yield where, str(facts["failed"])
        for name, value in facts.items():
            yield from failures(f"{where}/{name}", value)
