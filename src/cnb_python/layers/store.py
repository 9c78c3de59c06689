"""Layer `deps`: the store, and the note of what the previous build did."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cnb_python.cnb.context import BuildContext
from cnb_python.cnb.documents import write_store
from cnb_python.cnb.layer import Empty, LayerTypes, layer_of
from cnb_python.layers.build_record import Record, record_of
from cnb_python.layers.cache_keys import EnvironmentKey, OutcomeKey, differences, names

NAME = "deps"
_TYPES = LayerTypes(cache=True)


@dataclass(frozen=True, slots=True)
class Previous:
    """What there is to start from."""

    directory: Path
    """The store's; it may be empty or missing."""
    record: Record | None
    """Of the newest build that can be of use; None where there is none."""
    has_store: bool
    """There is a store; it was made for the same key unless there are `reasons`."""
    reasons: tuple[str, ...]
    """Why nothing that was installed before is of use; empty where it is, or nothing was."""
    changes: tuple[str, ...]
    """Why the environment has to be put together anew although its packages are of use."""


def previous(context: BuildContext, key: EnvironmentKey, outcome: OutcomeKey) -> Previous:
    """Return what the cache and the image of the previous build say."""
    layer = layer_of(context.layers_dir, NAME)
    state = layer.state()
    fields = (names(EnvironmentKey), names(OutcomeKey))
    cached = None if isinstance(state, Empty) else record_of(state.metadata, *fields)
    has_contents = not isinstance(state, Empty) and state.has_contents
    # store.toml comes with the image, so it is there when the cache is not.
    record = cached if cached and has_contents else record_of(context.store, *fields)
    damage = (state.reason,) if isinstance(state, Empty) and state.reason else ()
    if record is None:
        return Previous(layer.path, None, has_store=False, reasons=damage, changes=())
    reasons = (*damage, *differences(record.contents, key))
    return Previous(
        layer.path,
        record,
        has_store=record is cached,
        reasons=reasons,
        changes=differences(record.outcome, outcome),
    )


def open_store(context: BuildContext, previous: Previous) -> Path:
    """Return the store's directory, a new one where there is none to go on with."""
    layer = layer_of(context.layers_dir, NAME)
    if previous.has_store:
        return layer.path
    return layer.begin_in_place()


def close_store(context: BuildContext, record: Record) -> None:
    """Keep the store, and *record* with it and with the image."""
    layer_of(context.layers_dir, NAME).keep(_TYPES, record.metadata())
    _note(context.layers_dir, record)


def keep(context: BuildContext, previous: Previous, record: Record) -> None:
    """Keep the store as it is, where there is one."""
    layer = layer_of(context.layers_dir, NAME)
    if previous.has_store:
        layer.keep(_TYPES, record.metadata())
    else:
        layer.drop()
    _note(context.layers_dir, record)


def _note(layers_dir: Path, record: Record) -> None:
    noted: Mapping[str, str | bool | list[str]] = record._replace(
        manifest="", collected=""
    ).metadata()
    write_store(layers_dir, noted)
