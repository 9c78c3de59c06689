"""Layer `deps`: the store, and the note of what the previous build did."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from cnb_python.cnb.context import BuildContext
from cnb_python.cnb.documents import write_store
from cnb_python.cnb.layer import Empty, LayerTypes, layer_of
from cnb_python.cnb.toml import Metadata
from cnb_python.layers.cache_keys import EnvironmentKey, PackageKey, differences, names

_LISTS = {"distributions", "layers", "sizes", "largest"}


class BuildRecord(NamedTuple):
    """The outcome of a build."""

    contents: Mapping[str, str]
    """The `EnvironmentKey` of what was installed."""
    outcome: Mapping[str, str]
    """The `OutcomeKey`."""
    decision: str
    """Digest over every pin, in hex."""
    from_files_alone: bool
    """The app's files alone led to the decision."""
    python_patch: str
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
    known_missing: str = ""
    """Digest over exact lines, a space, and what they lack; empty where they lack nothing."""
    manifest: str = ""
    """Digest of the store's list of contents; empty in store.toml."""
    static_files_key: str = ""
    """What the app's static files were collected from; empty in store.toml.

    A digest over variables too, which may be secret: no image may hold it.
    """

    def metadata(self) -> dict[str, str | bool | list[str]]:
        """Return the record as metadata; it comes back from `record_of`."""
        return {
            **self.contents,
            **self.outcome,
            "decision": self.decision,
            "pure": self.from_files_alone,
            "patch": self.python_patch,
            "env": self.env,
            "distributions": _pairs(self.distributions),
            "layers": _pairs(self.layers),
            "sizes": _pairs(self.layer_sizes),
            "largest": [f"{name} {size}" for name, size in self.largest.items()],
            **({"inputs": self.inputs} if self.inputs else {}),
            **({"gap": self.known_missing} if self.known_missing else {}),
            **({"manifest": self.manifest} if self.manifest else {}),
            **({"collected": self.static_files_key} if self.static_files_key else {}),
        }


def record_of(
    metadata: Metadata, contents: frozenset[str], outcome: frozenset[str]
) -> BuildRecord | None:
    """Return the record in *metadata*, None where there is none that can be ours.

    *contents* and *outcome* name the fields of the two keys.
    """
    texts = {key: value for key, value in metadata.items() if isinstance(value, str)}
    lists = {key: _mapping(value) for key, value in metadata.items() if isinstance(value, list)}
    from_files_alone = metadata.get("pure")
    if not lists.keys() >= _LISTS or not isinstance(from_files_alone, bool):
        return None
    return BuildRecord(
        contents={key: text for key, text in texts.items() if key in contents},
        outcome={key: text for key, text in texts.items() if key in outcome},
        decision=texts.get("decision", ""),
        from_files_alone=from_files_alone,
        python_patch=texts.get("patch", ""),
        env=texts.get("env", ""),
        distributions=lists["distributions"],
        layers=lists["layers"],
        layer_sizes=lists["sizes"],
        largest=lists["largest"],
        inputs=texts.get("inputs", ""),
        known_missing=texts.get("gap", ""),
        manifest=texts.get("manifest", ""),
        static_files_key=texts.get("collected", ""),
    )


def recorded_distributions(metadata: Metadata) -> Mapping[str, str]:
    """Return the version by name of each distribution that a record in *metadata* lists."""
    listed = metadata.get("distributions")
    return _mapping(listed) if isinstance(listed, list) else {}


def _pairs(mapping: Mapping[str, str]) -> list[str]:
    return [f"{name} {value}" for name, value in sorted(mapping.items())]


def _mapping(pairs: list[str]) -> dict[str, str]:
    return {name: value for name, _, value in (pair.partition(" ") for pair in pairs)}


NAME = "deps"
_TYPES = LayerTypes(cache=True)


@dataclass(frozen=True, slots=True)
class PreviousBuild:
    """What there is to start from."""

    directory: Path
    """The store's; it may be empty or missing."""
    record: BuildRecord | None
    """Of the newest build that can be of use; None where there is none."""
    has_store: bool
    """There is a store, made for the same key unless `cache_invalid_because` has reasons."""
    cache_invalid_because: tuple[str, ...]
    """Why nothing that was installed before is of use; empty where it is, or nothing was."""
    layout_changed_because: tuple[str, ...]
    """Why the environment has to be put together anew although its packages are of use."""


def previous(context: BuildContext, key: PackageKey, outcome: EnvironmentKey) -> PreviousBuild:
    """Return what the cache and the image of the previous build say."""
    layer = layer_of(context.layers_dir, NAME)
    state = layer.state()
    fields = (names(PackageKey), names(EnvironmentKey))
    cached = None if isinstance(state, Empty) else record_of(state.metadata, *fields)
    has_contents = not isinstance(state, Empty) and state.has_contents
    # store.toml comes with the image, so it is there when the cache is not.
    record = cached if cached and has_contents else record_of(context.store, *fields)
    damage = (state.reason,) if isinstance(state, Empty) and state.reason else ()
    if record is None:
        return PreviousBuild(
            layer.path,
            None,
            has_store=False,
            cache_invalid_because=damage,
            layout_changed_because=(),
        )
    reasons = (*damage, *differences(record.contents, key))
    return PreviousBuild(
        layer.path,
        record,
        has_store=record is cached,
        cache_invalid_because=reasons,
        layout_changed_because=differences(record.outcome, outcome),
    )


def open_store(context: BuildContext, previous: PreviousBuild) -> Path:
    """Return the store's directory, a new one where there is none to go on with."""
    layer = layer_of(context.layers_dir, NAME)
    if previous.has_store:
        return layer.path
    return layer.begin_in_place()


def close_store(context: BuildContext, record: BuildRecord) -> None:
    """Keep the store, and *record* with it and with the image."""
    layer_of(context.layers_dir, NAME).keep(_TYPES, record.metadata())
    _note(context.layers_dir, record)


def keep(context: BuildContext, previous: PreviousBuild, record: BuildRecord) -> None:
    """Keep the store as it is, where there is one."""
    layer = layer_of(context.layers_dir, NAME)
    if previous.has_store:
        layer.keep(_TYPES, record.metadata())
    else:
        layer.drop()
    _note(context.layers_dir, record)


def _note(layers_dir: Path, record: BuildRecord) -> None:
    noted: Mapping[str, str | bool | list[str]] = record._replace(
        manifest="", static_files_key=""
    ).metadata()
    write_store(layers_dir, noted)
