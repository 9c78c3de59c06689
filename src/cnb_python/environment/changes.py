"""What changed between two environments, in one line."""

from collections.abc import Iterator, Mapping

_SHOWN = 12


def said(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Return the differences between two mappings of names to versions; empty: none.

    >>> said({"six": "1.16.0", "x": "1"}, {"six": "1.17.0", "y": "2"})
    '~ six 1.16.0 → 1.17.0, + y 2, - x'
    """
    found = list(_differences(before, after))
    rest = len(found) - _SHOWN
    return ", ".join(found[:_SHOWN]) + (f", and {rest} more" if rest > 0 else "")


def _differences(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(before.keys() & after.keys()):
        if before[name] != after[name]:
            yield f"~ {name} {before[name]} → {after[name]}"
    for name in sorted(after.keys() - before.keys()):
        yield f"+ {name} {after[name]}"
    for name in sorted(before.keys() - after.keys()):
        yield f"- {name}"
