"""Decides whether what the previous build left of a layer may be used again, and says why not."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from cnb_python.cnb.layer import Empty, Restored


@dataclass(frozen=True, slots=True)
class LayerKey:
    """What a layer is made from; equal keys mean equal contents.

    A subclass has fields of text made with `part`. Plain dataclasses, since pydantic takes longer
    to import than a build that has nothing to do may take in all.
    """

    def metadata(self) -> dict[str, str]:
        """Return the key as a layer's metadata."""
        return {part.name: str(getattr(self, part.name)) for part in fields(self)}


def part(title: str) -> str:
    """Make a field of a key; *title* is the phrase shown when it differs: "Python release"."""
    made: str = field(metadata={"title": title})
    return made


def names(key: type[LayerKey]) -> frozenset[str]:
    """Return the names of a key's fields."""
    return frozenset(part.name for part in fields(key))


@dataclass(frozen=True, slots=True)
class Reuse:
    """The previous build's layer is the one this build would make."""

    has_contents: bool
    """False: the contents are in the previous image alone."""


@dataclass(frozen=True, slots=True)
class Rebuild:
    """The layer has to be made anew."""

    reasons: tuple[str, ...]
    """Every one; none for a layer that was not there before."""


def decide(state: Restored | Empty, wanted: LayerKey) -> Reuse | Rebuild:
    """Return what is to be done about a layer whose previous *state* is known."""
    if isinstance(state, Empty):
        return Rebuild((state.reason,) if state.reason else ())
    reasons = differences(state.metadata, wanted)
    return Rebuild(reasons) if reasons else Reuse(state.has_contents)


def differences(restored: Mapping[str, object], wanted: LayerKey) -> tuple[str, ...]:
    """Return every reason to rebuild, in the order of the key's fields; none: keep."""
    found = []
    for one in fields(wanted):
        old, new = restored.get(one.name), getattr(wanted, one.name)
        if old != new:
            title = one.metadata["title"]
            found.append(f"the {title} has changed from {_shown(old)} to {_shown(new)}")
    known = {one.name for one in fields(wanted)}
    if not restored.keys() <= known:
        found.append("it was made by another release of this buildpack")
    return tuple(found)


def _shown(value: object) -> str:
    match value:
        case None | "":
            return "(none)"
        case _:
            return str(value)
