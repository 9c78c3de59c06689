"""Makes an image layout from the archive that `docker image save` writes.

Docker before 25 writes no layout. Later releases write one that may have several images. All of
them write `manifest.json`, with the files of one image.
https://github.com/moby/docker-image-spec/blob/main/v1.2.md#combined-image-json--filesystem-changeset-format
"""

import hashlib
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

from tools.platforms import oci

_LAYER = "application/vnd.oci.image.layer.v1.tar"


def to_layout(archive: Path, directory: Path) -> oci.Image:
    """Extract *archive* to the new *directory*, and return its first image."""
    with tarfile.open(archive) as members:
        members.extractall(directory, filter="data")
    image = json.loads((directory / "manifest.json").read_bytes())[0]
    blobs = directory / "blobs/sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    settings = (directory / image["Config"]).read_bytes()
    layers = [
        _layer(directory / name, blobs, diff_id)
        for name, diff_id in zip(
            image["Layers"], json.loads(settings)["rootfs"]["diff_ids"], strict=True
        )
    ]
    config = _written(blobs, settings, oci.CONFIG)
    manifest = {"schemaVersion": 2, "mediaType": oci.MANIFEST, "config": config, "layers": layers}
    described = _written(blobs, json.dumps(manifest).encode(), oci.MANIFEST)
    index = {"schemaVersion": 2, "mediaType": oci.INDEX, "manifests": [described]}
    (directory / "index.json").write_text(json.dumps(index))
    return oci.read(directory)


def _layer(file: Path, blobs: Path, diff_id: str) -> Mapping[str, str | int]:
    """Give the *file* of a layer the name of its diff ID; two layers may have the same file."""
    blob = blobs / diff_id.removeprefix("sha256:")
    if not blob.exists():
        blob.hardlink_to(file.resolve())
    return {"mediaType": _LAYER, "digest": diff_id, "size": blob.stat().st_size}


def _written(blobs: Path, content: bytes, kind: str) -> Mapping[str, str | int]:
    digest = hashlib.sha256(content).hexdigest()
    (blobs / digest).write_bytes(content)
    return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(content)}
