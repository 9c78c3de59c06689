"""Who owns which file of a stage. Pure.

What is kept of a distribution must not depend on what was installed beside it, or an environment
made from what was kept would differ from one made at once. So a file has an owner only where its
wheel alone says so; where others have a say, all that could own it are installed again, each in a
stage of its own. There everything is its own, also what its RECORD does not name.
"""

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Claim(NamedTuple):
    """That a distribution has a file."""

    owner: str
    path: str
    content: str
    """What tells equal from different contents; empty where it is unknown."""


@dataclass(frozen=True, slots=True)
class Ownership:
    """Whose each file is."""

    files: Mapping[str, tuple[str, ...]]
    """Sorted paths by owner; some paths may have several, with equal contents."""
    conflicts: tuple[frozenset[str], ...] = ()
    """Names that cannot be told apart by what lies here, each in one set at most."""
    strays: tuple[str, ...] = ()
    """What nobody owns."""


@dataclass(slots=True)
class _Ledger:
    names: frozenset[str]
    owned: dict[str, set[str]] = field(default_factory=dict)
    groups: list[frozenset[str]] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)


def settle(
    names: Iterable[str], claims: Iterable[Claim], paths: Iterable[str], shared: Iterable[str]
) -> Ownership:
    """Say whose each of *paths* is, of the distributions *names*, by their *claims*.

    *shared* are directories that belong to everybody, such as `site-packages` itself.
    """
    ledger = _Ledger(frozenset(names))
    present = sorted(set(paths))
    if len(ledger.names) == 1:
        (only,) = ledger.names
        return Ownership({only: tuple(present)})
    _take(claims, frozenset(present), ledger)
    _place_others(present, frozenset(shared), ledger)
    files: dict[str, list[str]] = {name: [] for name in sorted(ledger.names)}
    for path in present:
        for owner in ledger.owned.get(path, ()):
            files[owner].append(path)
    return Ownership(
        {name: tuple(owned) for name, owned in files.items()},
        joined(ledger.groups),
        tuple(ledger.strays),
    )


def _take(claims: Iterable[Claim], present: frozenset[str], ledger: _Ledger) -> None:
    contents: dict[str, dict[str, str]] = {}
    for claim in claims:
        if claim.path in present and claim.owner in ledger.names:
            contents.setdefault(claim.path, {})[claim.owner] = claim.content
    for path, by_owner in contents.items():
        ledger.owned[path] = set(by_owner)
        if len(by_owner) > 1 and ("" in (said := set(by_owner.values())) or len(said) > 1):
            ledger.groups.append(frozenset(by_owner))


def _place_others(present: Iterable[str], shared: frozenset[str], ledger: _Ledger) -> None:
    """Give each path without an owner to the one that has the directory to itself."""
    owners = _owners_of_directories(ledger.owned)
    for path in present:
        if path in ledger.owned:
            continue
        directory = posixpath.dirname(path)
        while directory not in owners and directory and directory not in shared:
            directory = posixpath.dirname(directory)
        known = owners.get(directory, set())
        candidates = ledger.names if directory in shared or not known else known
        if len(candidates) == 1:
            ledger.owned[path] = set(candidates)
        else:
            ledger.strays.append(path)
            ledger.groups.append(frozenset(candidates))


def _owners_of_directories(owned: Mapping[str, set[str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for path, names in owned.items():
        directory = posixpath.dirname(path)
        while not names <= found.get(directory, set()):
            found.setdefault(directory, set()).update(names)
            directory = posixpath.dirname(directory)
    return found


def joined(groups: Iterable[frozenset[str]]) -> tuple[frozenset[str], ...]:
    """Return *groups* with those that overlap made one, in a fixed order."""
    found: dict[str, frozenset[str]] = {}
    for group in set(groups):
        whole = group.union(*(found[name] for name in group if name in found))
        found.update(dict.fromkeys(whole, whole))
    return tuple(sorted(filter(None, set(found.values())), key=min))
