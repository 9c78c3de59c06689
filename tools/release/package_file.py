"""Reads packages, the files that pack writes: archives of an OCI image layout with one image.

https://github.com/buildpacks/spec/blob/main/distribution.md
"""

import json
import shutil
import tarfile
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from tools.processes import fail

_LAYERS = "io.buildpacks.buildpack.layers"
# pack writes absolute paths into the archive.
_TOP = "/"
# In the archive of a layer: /cnb/buildpacks/<id>/<version>/...
_DEPTH = 4


class PackageFile(NamedTuple):
    """What the index of a package says about its image."""

    digest: str
    """That of the image's manifest: `sha256:...`. A registry has the same one."""
    size: int
    """Bytes of the manifest."""
    layers: tuple[str, ...]
    """The digests of its layers."""
    buildpacks: dict[str, dict[str, Any]]
    """The label of the buildpacks in it: by id, then by version."""


def read(file: Path) -> PackageFile:
    """Return what the package *file* contains. Raises `Unavailable` if it is no package."""
    try:
        with tarfile.open(file) as archive:
            index = json.loads(_content(archive, "index.json"))
            (entry,) = index["manifests"]
            manifest = json.loads(_blob(archive, entry["digest"]))
            config = json.loads(_blob(archive, manifest["config"]["digest"]))
        layers = tuple(layer["digest"] for layer in manifest["layers"])
        buildpacks = json.loads(config["config"]["Labels"][_LAYERS])
    except (tarfile.TarError, KeyError, ValueError, OSError) as error:
        fail(f"{file} is not a package of a buildpack: {error!r}")
    return PackageFile(entry["digest"], entry["size"], layers, buildpacks)


def unpack(file: Path, into: Path) -> None:
    """Write the buildpack's tree in the package *file* to the new directory *into*."""
    into.mkdir(parents=True)
    with tarfile.open(file) as archive:
        for digest in read(file).layers:
            stream = archive.extractfile(_TOP + _path_of(digest))
            with tarfile.open(fileobj=stream, mode="r:*") as layer:
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


def _blob(archive: tarfile.TarFile, digest: str) -> bytes:
    return _content(archive, _path_of(digest))


def _path_of(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def _content(archive: tarfile.TarFile, name: str) -> bytes:
    stream = archive.extractfile(_TOP + name)
    if stream is None:
        raise KeyError(name)
    return stream.read()
