"""The layers of an image and their sizes, as a table."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tools.platforms.oci import RUN_IMAGE, Image

LAYER = re.compile(r"Layer: '(?P<layer>.+)', Created by buildpack: (?P<buildpack>.+)@")
# Entries of the lifecycle in an image's history, besides the buildpacks' layers.
PARTS = {
    "Application Layer": "app",
    "Software Bill-of-Materials": "sbom",
    "Buildpacks Application Launcher": "launcher",
    "Buildpacks Launcher Config": "config",
    "Buildpacks Process Types": "process-types",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A layer and its sizes in bytes; None: unknown."""

    title: str
    stored: int | None
    unpacked: int | None


def of_layout(image: Image) -> list[Row]:
    """Return the layers of an image layout, the run image first."""
    return [Row(layer.title, layer.stored, layer.size) for layer in image.layers]


def of_history(lines: Iterable[str]) -> list[Row]:
    """Return the layers from lines of `docker history`: `CREATED BY|bytes`, newest first."""
    rows, base = [], 0
    for line in lines:
        created_by, _, size = line.rpartition("|")
        title = _title(created_by)
        if title:
            rows.append(Row(title, None, int(size)))
        else:
            base += int(size)
    return [Row(RUN_IMAGE, None, base), *reversed(rows)]


def _title(created_by: str) -> str:
    """Return the layer of a line of history; empty for a layer of the run image."""
    match = LAYER.match(created_by)
    if match:
        return f"{match['buildpack']}:{match['layer']}"
    if created_by.startswith("Application Slice"):
        return created_by.lower()
    return PARTS.get(created_by, "")


def table(rows: Sequence[Row]) -> str:
    """Return the rows as text, with their sum, and without columns that are unknown."""
    total = Row("total", _sum(row.stored for row in rows), _sum(row.unpacked for row in rows))
    every = [*rows, total]
    width = max(len(row.title) for row in every)
    columns = [("compressed", [row.stored for row in every])]
    columns.append(("unpacked", [row.unpacked for row in every]))
    columns = [(name, sizes) for name, sizes in columns if sizes[-1] is not None]
    head = f"  {'layer':<{width}}" + "".join(f"  {name:>12}" for name, _ in columns)
    lines = [
        f"  {row.title:<{width}}" + "".join(f"  {_size(sizes[at]):>12}" for _, sizes in columns)
        for at, row in enumerate(every)
    ]
    return "\n".join([head, *lines])


def _sum(sizes: Iterable[int | None]) -> int | None:
    sizes_known = [size for size in sizes if size is not None]
    return sum(sizes_known) if sizes_known else None


def _size(size: int | None) -> str:
    if size is None:
        return ""
    if size < 100_000:
        return f"{size / 1e3:.1f} kB"
    return f"{size / 1e6:.1f} MB"
