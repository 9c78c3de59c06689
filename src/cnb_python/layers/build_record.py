"""What the previous build noted of its outcome: in layer `deps`, and in store.toml.

Two places, since a cache may be lost and an image too. An image's labels hold store.toml, so it
is short.
"""

from collections.abc import Mapping
from typing import NamedTuple

from cnb_python.cnb.metadata import Metadata

_LISTS = {"distributions", "layers", "sizes", "largest"}


class Record(NamedTuple):
    """The outcome of a build."""

    contents: Mapping[str, str]
    """The `EnvironmentKey` of what was installed."""
    outcome: Mapping[str, str]
    """The `OutcomeKey`."""
    decision: str
    """Digest over every pin, in hex."""
    pure: bool
    """The app's files alone led to the decision."""
    patch: str
    """The release of Python, where the decision depends on its last number; else empty."""
    env: str
    """Digest over the variables of the app's processes."""
    distributions: Mapping[str, str]
    """Version by name."""
    layers: Mapping[str, str]
    """Digest of its contents by name of each launch layer of the environment."""
    layer_sizes: Mapping[str, str]
    """Bytes by name of layer, in digits."""
    largest: Mapping[str, str]
    """Bytes by name of the largest distributions, in digits."""
    inputs: str = ""
    """`Undecided.inputs` of the manager that was asked; empty where asking again is necessary."""
    gap: str = ""
    """Digest over exact lines, a space, and what they lack; empty where they lack nothing."""
    manifest: str = ""
    """Digest of the store's list of contents; empty in store.toml."""
    collected: str = ""
    """What the app's static files were collected from; empty in store.toml.

    A digest over variables too, which may be secret: no image may hold it.
    """

    def metadata(self) -> dict[str, str | bool | list[str]]:
        """Return the record as metadata; it comes back from `record_of`."""
        return {
            **self.contents,
            **self.outcome,
            "decision": self.decision,
            "pure": self.pure,
            "patch": self.patch,
            "env": self.env,
            "distributions": _pairs(self.distributions),
            "layers": _pairs(self.layers),
            "sizes": _pairs(self.layer_sizes),
            "largest": [f"{name} {size}" for name, size in self.largest.items()],
            **({"inputs": self.inputs} if self.inputs else {}),
            **({"gap": self.gap} if self.gap else {}),
            **({"manifest": self.manifest} if self.manifest else {}),
            **({"collected": self.collected} if self.collected else {}),
        }


def record_of(
    metadata: Metadata, contents: frozenset[str], outcome: frozenset[str]
) -> Record | None:
    """Return the record in *metadata*, None where there is none that can be ours.

    *contents* and *outcome* name the fields of the two keys.
    """
    texts = {key: value for key, value in metadata.items() if isinstance(value, str)}
    lists = {key: _mapping(value) for key, value in metadata.items() if isinstance(value, list)}
    pure = metadata.get("pure")
    if not lists.keys() >= _LISTS or not isinstance(pure, bool):
        return None
    return Record(
        contents={key: text for key, text in texts.items() if key in contents},
        outcome={key: text for key, text in texts.items() if key in outcome},
        decision=texts.get("decision", ""),
        pure=pure,
        patch=texts.get("patch", ""),
        env=texts.get("env", ""),
        distributions=lists["distributions"],
        layers=lists["layers"],
        layer_sizes=lists["sizes"],
        largest=lists["largest"],
        inputs=texts.get("inputs", ""),
        gap=texts.get("gap", ""),
        manifest=texts.get("manifest", ""),
        collected=texts.get("collected", ""),
    )


def _pairs(mapping: Mapping[str, str]) -> list[str]:
    return [f"{name} {value}" for name, value in sorted(mapping.items())]


def _mapping(pairs: list[str]) -> dict[str, str]:
    return {name: value for name, _, value in (pair.partition(" ") for pair in pairs)}
