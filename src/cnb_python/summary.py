"""The table at the end of a build: layers, the largest packages, where the time went."""

from collections.abc import Iterator
from pathlib import Path

from cnb_python.layers import store as store_layer
from cnb_python.layers.store import BuildRecord
from cnb_python.system.steps import BuildLog, megabytes, shown

_NAME = 28


def say(record: BuildRecord, journal: BuildLog, layers_dir: Path) -> None:
    """Print what the image has now and what of it this build made."""
    journal.output.step("Summary")
    for line in _lines(record, journal, layers_dir):
        journal.output.line(line)


def _lines(record: BuildRecord, journal: BuildLog, layers_dir: Path) -> Iterator[str]:
    for name, size in sorted(record.layer_sizes.items(), key=_in_the_image):
        yield f"{name:{_NAME}} {_size(size):>9}  {_state(name, layers_dir)}"
    if largest := record.largest:
        yield f"Largest packages: {', '.join(f'{n} {_size(s)}' for n, s in largest.items())}"
    took = ", ".join(f"{title} {shown(seconds)}" for title, seconds in journal.seconds.items())
    yield f"Time: {took}"


def _in_the_image(row: tuple[str, str]) -> tuple[bool, str]:
    return row[0] == store_layer.NAME, row[0]


def _state(name: str, layers_dir: Path) -> str:
    if name == store_layer.NAME:
        return "not in the image: the store, for the next build"
    return "new" if (layers_dir / name).is_dir() else "as in the previous image"


def _size(digits: str) -> str:
    return megabytes(int(digits)) if digits.isdecimal() else "?"
