"""How large images and packages are, plain and as they travel."""

import subprocess
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools import oci
from tools.processes import fail


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes of an archive, and of the same archive compressed as registries keep layers."""

    bytes: int
    compressed: int

    def __add__(self, other: Size) -> Size:
        return Size(self.bytes + other.bytes, self.compressed + other.compressed)


NOTHING = Size(0, 0)


def of_image(image: oci.Image) -> Mapping[str, Size]:
    """The layers above the run image, by what they are; slices of the app count as one."""
    sizes: dict[str, Size] = {}
    for layer in image.layers:
        if layer.title != oci.RUN_IMAGE:
            added = Size(layer.size or 0, layer.stored)
            sizes[layer.title] = sizes.get(layer.title, NOTHING) + added
    return sizes


def of_directories(*directories: Path) -> Size:
    """What *directories* would be as one layer each."""
    return sum(map(_of_directory, directories), NOTHING)


def _of_directory(directory: Path) -> Size:
    archive = ("tar", "-c", "--sort=name", "-C", directory, ".")
    packer = zlib.compressobj(1, wbits=31)  # gzip, at the level that the lifecycle uses
    plain = packed = 0
    with subprocess.Popen(archive, stdout=subprocess.PIPE) as tar:
        assert tar.stdout is not None  # noqa: S101 - PIPE was asked for; for mypy
        while chunk := tar.stdout.read(1 << 20):
            plain += len(chunk)
            packed += len(packer.compress(chunk))
    if tar.returncode:
        fail(f"`tar` could not archive {directory}.")
    return Size(plain, packed + len(packer.flush()))
