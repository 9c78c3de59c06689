"""Layer `deps`: what the package manager may keep for the next build, within a budget."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import Field, ValidationError

from cnb_python.cnb import disk
from cnb_python.cnb.context import BuildContext
from cnb_python.cnb.layer import Layer, LayerTypes, layer_of
from cnb_python.layers.reuse import LayerKey, differences
from cnb_python.system.outside import Output

NAME = "deps"
FORMAT = "1"
TYPES = LayerTypes(cache=True)
# Every build restores, archives and hashes a cache layer, changed or not: 0.9 s without one,
# 1.1 s with 60 MB, 2.1 s with 200 MB.
BUDGET = 64 * 1024 * 1024


class DepsKey(LayerKey):
    """What a cache must have been made for to be of use."""

    format: str = Field(title="format of the cache")
    python: str = Field(title="Python line")
    arch: str = Field(title="CPU architecture")
    distro: str = Field(title="distribution of the run image")


def open_cache(context: BuildContext, line: str, output: Output) -> Layer:
    """Return the layer with a directory to fill, kept from the previous build where it fits."""
    layer, key = layer_of(context.layers_dir, NAME), _key(context, line)
    reasons = _reasons(layer, key)
    if reasons:
        output.line(f"Dropping the cached downloads: {'; '.join(reasons)}")
    if reasons or not layer.path.is_dir():
        layer.begin_in_place()
    return layer


def close_cache(layer: Layer, context: BuildContext, line: str, output: Output) -> None:
    """Keep what fits the budget: what was built from source first, downloads after it."""
    if _size(layer.path) > BUDGET:
        for entry in sorted(layer.path.iterdir()):
            if entry.name != "wheels":  # pip's folder of what it built
                disk.remove(entry)
    if _size(layer.path) > BUDGET:
        output.line("The cache is over its budget and is not kept")
        layer.begin_in_place()
    layer.keep(TYPES, _key(context, line).model_dump(mode="json"))


def _key(context: BuildContext, line: str) -> DepsKey:
    target = context.target
    distro = f"{target.distro_name} {target.distro_version}".strip()
    return DepsKey(format=FORMAT, python=line, arch=target.arch, distro=distro)


def _reasons(layer: Layer, wanted: DepsKey) -> list[str]:
    metadata = layer.restored()
    if metadata is None:
        return []
    try:
        return differences(DepsKey.model_validate(dict(metadata)), wanted)
    except ValidationError:
        return ["it was made by another version of this buildpack"]


def _size(directory: Path) -> int:
    return sum(path.lstat().st_size for path in _files(directory))


def _files(directory: Path) -> Iterator[Path]:
    for folder, _, names in directory.walk():
        yield from (folder / name for name in names)
