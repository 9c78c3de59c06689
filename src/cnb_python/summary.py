"""The end of the log: layers by what they hold, packages that changed, image size and time.

Separate from `build`, which has one line for each step.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from cnb_python.layers import process_defaults, python
from cnb_python.layers import store as store_layer
from cnb_python.layers.cache_keys import NLTK, SYSTEM_PACKAGES
from cnb_python.layers.store import BuildRecord, size_of
from cnb_python.layout.names import VENV
from cnb_python.system.output import BuildLog, megabytes, shown

_TITLES = {
    python.NAME: "Python",
    VENV: "environment",
    process_defaults.NAME: "process defaults",
    NLTK: "NLTK data",
    SYSTEM_PACKAGES: "system packages",
    store_layer.NAME: "store, not in the image",
}
_DEPENDENCIES = "deps-"
_SHARD = re.compile(rf"{_DEPENDENCIES}\d\d")
_MOST_SHARDS = 3
_TITLE_WIDTH = 28
_MOST_CHANGES = 12


def print_summary(
    record: BuildRecord, previous: Mapping[str, str], log: BuildLog, layers_dir: Path
) -> None:
    """Print what the image holds and what this build changed in it.

    *previous* has the versions of the distributions in the previous image; empty without a
    previous image.
    """
    log.output.step("Summary")
    for line in _lines(record, previous, log, layers_dir):
        log.output.line(line)


def changed_packages(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Return the differences between two mappings of names to versions; empty if they are equal.

    >>> changed_packages({"six": "1.16.0", "x": "1"}, {"six": "1.17.0", "y": "2"})
    '~ six 1.16.0 → 1.17.0, + y 2, - x'
    """
    changes = list(_changes(before, after))
    more = len(changes) - _MOST_CHANGES
    return ", ".join(changes[:_MOST_CHANGES]) + (f", and {more} more" if more > 0 else "")


def _lines(
    record: BuildRecord, previous: Mapping[str, str], log: BuildLog, layers_dir: Path
) -> Iterator[str]:
    sizes = {name: size for name, size in record.layer_sizes.items() if name != store_layer.NAME}
    new = {name: size for name, size in sizes.items() if (layers_dir / name).is_dir()}
    for title, size in _rows(new):
        yield _row(title, size, "new")
    if same := {name: size for name, size in sizes.items() if name not in new}:
        yield _row("unchanged", _total(same.values()), _titles(same))
    if store := record.layer_sizes.get(store_layer.NAME):
        yield _row(_TITLES[store_layer.NAME], store, "for the next build")
    if record.largest:
        largest = (f"{name} {_size(size)}" for name, size in record.largest.items())
        yield f"Largest packages: {', '.join(largest)}"
    if previous and (changes := changed_packages(previous, record.distributions)):
        yield f"Changed: {changes}"
    added, written = _size(_total(sizes.values())), _size(_total(new.values()))
    yield f"Image: {added} on top of the run image, {written} of it new"
    steps = ", ".join(f"{title} {shown(seconds)}" for title, seconds in log.seconds.items())
    yield f"Time: {shown(sum(log.seconds.values()))} ({steps})"


def _row(title: str, size: str, note: str) -> str:
    return f"{title:{_TITLE_WIDTH}} {_size(size):>9}  {note}"


def _rows(sizes: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield title and size of each layer, or of all numbered shards if there are many."""
    shards = {name: size for name, size in sizes.items() if _SHARD.fullmatch(name)}
    if len(shards) <= _MOST_SHARDS:
        shards = {}
    for name in sorted(sizes.keys() - shards.keys(), key=_order):
        yield _title(name), sizes[name]
    if shards:
        yield f"dependencies in {len(shards)} layers", _total(shards.values())


def _order(name: str) -> tuple[bool, bool, str]:
    """Sort Python first, then what belongs to the environment, then the dependencies."""
    return name != python.NAME, name.startswith(_DEPENDENCIES), name


def _title(name: str) -> str:
    """Return what the layer *name* holds: `dependencies 04` for `deps-04`."""
    if _SHARD.fullmatch(name):
        return f"dependencies {name.removeprefix(_DEPENDENCIES)}"
    return _TITLES.get(name, name.removeprefix(_DEPENDENCIES))


def _titles(names: Iterable[str]) -> str:
    """Return the titles of layers *names* in one line, dependencies as one item."""
    ordered = sorted(names, key=_order)
    shards = [name for name in ordered if name.startswith(_DEPENDENCIES)]
    if len(shards) < 2:
        return ", ".join(map(_title, ordered))
    titles = [_title(name) for name in ordered if name not in shards]
    return ", ".join((*titles, f"{len(shards)} layers of dependencies"))


def _total(sizes: Iterable[str]) -> str:
    """Return the sum of *sizes*, in digits; a size that is not a number counts as 0."""
    return str(sum(size_of(size) or 0 for size in sizes))


def _size(digits: str) -> str:
    size = size_of(digits)
    return "?" if size is None else megabytes(size)


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(before.keys() & after.keys()):
        if before[name] != after[name]:
            yield f"~ {name} {before[name]} → {after[name]}"
    for name in sorted(after.keys() - before.keys()):
        yield f"+ {name} {after[name]}"
    for name in sorted(before.keys() - after.keys()):
        yield f"- {name}"
