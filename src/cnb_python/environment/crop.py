"""What is in a stage, sorted: whose each file is, in which form it is kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cnb_python.environment import claims, installed, origin, tree
from cnb_python.environment.installed import Installed
from cnb_python.environment.normalise import Place, normalise
from cnb_python.environment.origin import Origin
from cnb_python.environment.ownership import Ownership, settle
from cnb_python.environment.stage import Stage
from cnb_python.environment.tree import Entry
from cnb_python.managers.decision import Pin


@dataclass(frozen=True, slots=True)
class Part:
    """One distribution, normalised on disk."""

    installed: Installed
    origin: Origin
    entries: Mapping[str, Entry]
    """By path, bytecode not among them."""
    rewritten: frozenset[str]
    """The paths of those that are no more as they were installed."""


@dataclass(frozen=True, slots=True)
class Crop:
    """Everything that is in a stage."""

    everything: tuple[Installed, ...]
    """What describes itself there, wanted or not."""
    parts: tuple[Part, ...]
    """In the order of their names, without those that have to be installed apart."""
    ownership: Ownership


def sorted_out(stage: Stage, pins: Mapping[str, Pin]) -> Crop:
    """Say whose each file of *stage* is, and bring what *pins* name to its one form.

    Raises OSError.
    """
    found = tree.walk(stage.root, stage.line)
    everything = installed.find(stage.root, found, stage.site, str(stage.final))
    chosen = _chosen(everything, pins)
    origins = {name: _origin(stage, found, one) for name, one in chosen.items()}
    inside = {name: below(stage.final, one.directory) for name, one in origins.items()}
    claimed = claims.claims_of(everything, inside, found, stage.root)
    owned = settle(chosen, claimed, found, claims.shared_directories(stage.line))
    apart = frozenset[str]().union(*owned.conflicts)
    parts = [
        _part(stage, found, chosen[name], origins[name], owned.files[name])
        for name in chosen
        if name not in apart
    ]
    return Crop(tuple(everything), tuple(parts), owned)


def _chosen(everything: Iterable[Installed], pins: Mapping[str, Pin]) -> dict[str, Installed]:
    """Return one for each name that was asked for: of several that with the right version."""
    chosen: dict[str, Installed] = {}
    for one in sorted(everything, key=lambda one: (one.name, one.info)):
        if one.name in pins:
            known = chosen.get(one.name)
            if known is None or known.version != pins[one.name].version:
                chosen[one.name] = one
    return chosen


def _origin(stage: Stage, found: Mapping[str, Entry], one: Installed) -> Origin:
    path = f"{one.info}/direct_url.json"
    if path not in found or found[path].target:
        return origin.NOWHERE
    return origin.read((stage.root / path).read_bytes())


def below(final: Path, directory: str) -> str:
    """Return *directory* below the environment *final*, empty where it is elsewhere."""
    below = directory.removeprefix(f"{final}/")
    return "" if below == directory else below


def _part(
    stage: Stage,
    found: Mapping[str, Entry],
    one: Installed,
    origin_: Origin,
    paths: Iterable[str],
) -> Part:
    kept, rewritten = normalise(one, origin_, paths, Place(stage.root, str(stage.final)))
    entries = {path: found[path] for path in kept - rewritten}
    entries |= {path: tree.entry(stage.root / path) for path in rewritten}
    return Part(one, origin_, entries, frozenset(rewritten))
