"""Finds where two environments' facts differ: JSON against JSON."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

type Json = Mapping[str, Json] | Sequence[Json] | str | int | float | None

MISSING = "(nothing)"


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that is not the same linked as merged."""

    where: str
    """The names that lead to it: `web/imports/django/modules/django/failed`."""
    linked: str
    merged: str
    reason: str = ""
    """Why it is so and may be; empty: nobody knows."""


def differences(where: str, linked: Json, merged: Json) -> Iterator[Difference]:
    """Yield what differs between two trees of JSON, by name, down to the values."""
    if isinstance(linked, Mapping) and isinstance(merged, Mapping):
        for name in sorted(linked.keys() | merged.keys()):
            values = linked.get(name, MISSING), merged.get(name, MISSING)
            yield from differences(f"{where}/{name}", *values)
    elif linked != merged:
        yield Difference(where, str(linked), str(merged))


def explained(found: Sequence[Difference], reasons: Mapping[str, str]) -> list[Difference]:
    """*found*, each with the reason whose pattern matches where it is (`*` for any text)."""
    return [
        Difference(one.where, one.linked, one.merged, _reason(one.where, reasons)) for one in found
    ]


def _reason(where: str, reasons: Mapping[str, str]) -> str:
    return next((text for name, text in reasons.items() if fnmatchcase(where, name)), "")


def failures(where: str, facts: Json) -> Iterator[tuple[str, str]]:
    """Yield where something failed, and how."""
    if isinstance(facts, Mapping):
        if "failed" in facts:
            yield where, str(facts["failed"])
        for name, value in facts.items():
            yield from failures(f"{where}/{name}", value)
