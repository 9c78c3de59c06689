"""Reads packages, the files that pack writes: archives of an OCI image layout with one image.

https://github.com/buildpacks/spec/blob/main/distribution.md
"""

import json
import shutil
import tarfile
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from tools.platforms import oci_archive
from tools.platforms.oci_archive import Descriptor
from tools.processes import fail

_LAYERS = "io.buildpacks.buildpack.layers"
# In the archive of a layer: /cnb/buildpacks/<id>/<version>/...
_DEPTH = 4


class PackageFile(NamedTuple):
    """What is in a package."""

    image: Descriptor
    layers: tuple[str, ...]
    """The digests of its layers."""
    buildpacks: dict[str, dict[str, Any]]
    """The label of the buildpacks in it: by id, then by version."""


def read(file: Path) -> PackageFile:
    """Return what the package *file* contains. Raises `Unavailable` if it is no package."""
    image = oci_archive.read(file)
    if _LAYERS not in image.labels:
        fail(f"{file} is not a package of a buildpack: its image has no label {_LAYERS}")
    return PackageFile(image.descriptor, image.layers, json.loads(image.labels[_LAYERS]))


def unpack(file: Path, into: Path) -> None:
    """Write the buildpack's tree in the package *file* to the new directory *into*."""
    into.mkdir(parents=True)
    with oci_archive.opened(file) as archive:
        for digest in read(file).layers:
            with tarfile.open(fileobj=oci_archive.blob(archive, digest), mode="r:*") as layer:
                for member in layer:
                    _extract(layer, member, into)


def _extract(layer: tarfile.TarFile, member: tarfile.TarInfo, into: Path) -> None:
    path = PurePosixPath(member.name.lstrip("/"))
    content = layer.extractfile(member) if member.isfile() else None
    if content is None or len(path.parts) <= _DEPTH or ".." in path.parts:
        return
    target = into.joinpath(*path.parts[_DEPTH:])
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as written:
        shutil.copyfileobj(content, written)
    target.chmod(0o755 if member.mode & 0o100 else 0o644)
