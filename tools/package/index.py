"""Joins the images of all architectures, of a package or of a builder, in one image index.

A registry gives each platform the image for its architecture.

https://github.com/opencontainers/image-spec/blob/main/image-index.md
https://distribution.github.io/distribution/spec/manifest-v2-2/#manifest-list
"""

import hashlib
import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from tools.platforms import oci_archive
from tools.platforms.oci import INDEX
from tools.platforms.oci_archive import Descriptor
from tools.processes import fail

LAYOUT = {"imageLayoutVersion": "1.0.0"}
# Docker's media type of an index, and the prefix of the media types that it may list.
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER = "application/vnd.docker."


class Index(NamedTuple):
    """An image index."""

    media_type: str
    """Docker's if all images are Docker's, otherwise OCI's: some registries refuse a mixture."""
    content: bytes

    @property
    def digest(self) -> str:
        """Its digest, as registries write it."""
        return f"sha256:{hashlib.sha256(self.content).hexdigest()}"


def of(images: Iterable[Descriptor]) -> Index:
    """Return the index of *images*: the same bytes for the same images, in any order.

    Raises `Unavailable` if two are for the same architecture.
    """
    ordered = sorted(images, key=lambda each: each.arch)
    names = [each.arch for each in ordered]
    if len(names) != len(set(names)):
        fail(f"Two of the images are for the same architecture: {', '.join(names)}.")
    is_docker = all(each.media_type.startswith(DOCKER) for each in ordered)
    media_type = DOCKER_LIST if is_docker else INDEX
    rows = [_row(each) for each in ordered]
    return Index(media_type, _json({"mediaType": media_type, "manifests": rows}))


def write(archives: Sequence[Path], into: Path) -> Index:
    """Write the images in *archives* and their index to the directory *into*, an OCI image layout.

    Replaces what is there. `skopeo copy --all oci:DIR docker://REGISTRY/NAME` and `crane push DIR
    REGISTRY/NAME` publish it. Raises `Unavailable` as `oci_archive.extract` and `of`.
    """
    shutil.rmtree(into, ignore_errors=True)
    blobs = into / "blobs/sha256"
    blobs.mkdir(parents=True)
    index = of(oci_archive.extract(each, blobs).descriptor for each in archives)
    (blobs / index.digest.removeprefix("sha256:")).write_bytes(index.content)
    entry = {"mediaType": index.media_type, "digest": index.digest, "size": len(index.content)}
    (into / "index.json").write_bytes(_json({"mediaType": INDEX, "manifests": [entry]}))
    (into / "oci-layout").write_text(json.dumps(LAYOUT))
    return index


def _row(image: Descriptor) -> dict[str, object]:
    return {
        "mediaType": image.media_type,
        "digest": image.digest,
        "size": image.size,
        "platform": {"os": image.os, "architecture": image.arch},
    }


def _json(index: dict[str, object]) -> bytes:
    return json.dumps(
        {"schemaVersion": 2, **index}, sort_keys=True, separators=(",", ":")
    ).encode()
