"""Compares the layers that builds of one app made on several bases or architectures."""

import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tools.platforms import oci

OF_BUILDPACK = "cnb-python/python:"
SHARD = "deps-"
# Platform tags of wheels (PEP 425): of one for every processor, and of one that the build made. An
# index accepts only `manylinux` and `musllinux`.
ANY = "any"
LOCAL = "linux_"


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of the buildpack in an image."""

    name: str
    """`python`, `venv`, `deps-django`."""
    diff_id: str
    """The digest of its uncompressed archive."""
    compiled: tuple[str, ...] = ()
    """The distributions in it that the build compiled, sorted."""
    native: tuple[str, ...] = ()
    """The distributions in it that are for one processor, sorted."""


def of_buildpack(image: oci.Image) -> tuple[Layer, ...]:
    """Return the buildpack's layers of *image*, in its order."""
    own = (layer for layer in image.layers if layer.title.startswith(OF_BUILDPACK))
    return tuple(_read(image, layer) for layer in own)


def _read(image: oci.Image, layer: oci.Layer) -> Layer:
    name = layer.title.removeprefix(OF_BUILDPACK)
    platforms = dict(_platforms(image, layer)) if name.startswith((SHARD, "venv")) else {}
    local = (dist for dist, tags in platforms.items() if any(t.startswith(LOCAL) for t in tags))
    native = (dist for dist, tags in platforms.items() if ANY not in tags)
    return Layer(name, layer.diff_id, tuple(sorted(local)), tuple(sorted(native)))


def _platforms(image: oci.Image, layer: oci.Layer) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield each distribution of the layer, and the platforms that its wheel was for."""
    with tarfile.open(image.blob(layer)) as archive:
        for member in archive:
            if member.name.endswith(".dist-info/WHEEL") and (file := archive.extractfile(member)):
                directory = member.name.removesuffix(".dist-info/WHEEL").rpartition("/")[2]
                yield directory.rpartition("-")[0], platforms(file.read().decode())


def platforms(wheel: str) -> frozenset[str]:
    r"""Return the platforms in the tags of the text of a `WHEEL` file.

    >>> sorted(platforms("Root-Is-Purelib: false\nTag: cp314-cp314-linux_x86_64\n"))
    ['linux_x86_64']
    """
    tags = (line.partition(":")[2].strip() for line in wheel.splitlines() if line[:4] == "Tag:")
    return frozenset(platform for tag in tags for platform in tag.split("-")[-1].split("."))


def differing(before: Sequence[Layer], after: Sequence[Layer]) -> tuple[str, ...]:
    """Return the names of the layers that are not in both, or not the same in both."""
    old, new = ({layer.name: layer.diff_id for layer in each} for each in (before, after))
    return tuple(sorted(name for name in old | new if old.get(name) != new.get(name)))


def with_compiled(layers: Iterable[Layer]) -> frozenset[str]:
    """Return the names of the layers that contain something that the build compiled.

    A `venv` contains links to it, which are the same wherever it was compiled.
    """
    return frozenset(layer.name for layer in layers if layer.compiled)


def for_any_processor(layers: Iterable[Layer]) -> tuple[Layer, ...]:
    """Return the shards that contain nothing for a single processor."""
    return tuple(each for each in layers if each.name.startswith(SHARD) and not each.native)
