"""Archives of OCI images, as pack and skopeo write them."""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

from tools.platforms import oci


def tar(files: Mapping[str, tuple[int, bytes]]) -> bytes:
    """Return an archive of *files*: modes and contents by name."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as packed:
        for name, (mode, content) in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), mode
            packed.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def write(
    file: Path,
    arch: str = "amd64",
    layer: bytes = b"layer",
    labels: Mapping[str, str] | None = None,
    media_type: str = oci.MANIFEST,
) -> str:
    """Write an image of one layer to *file*, with pack's names; return its digest."""
    blobs: dict[str, tuple[int, bytes]] = {}

    def added(value: bytes, media_type: str) -> dict[str, object]:
        digest = hashlib.sha256(value).hexdigest()
        blobs[f"/blobs/sha256/{digest}"] = (0o644, value)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(value)}

    settings = {"os": "linux", "architecture": arch, "config": {"Labels": labels}}
    config = added(json.dumps(settings).encode(), oci.CONFIG)
    manifest = {"config": config, "layers": [added(layer, oci.GZIP_LAYER)]}
    row = added(json.dumps(manifest).encode(), media_type)
    index = json.dumps({"manifests": [row]}).encode()
    file.write_bytes(tar({"/index.json": (0o644, index), **blobs}))
    return str(row["digest"])
