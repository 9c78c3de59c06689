"""Joins the packages of all architectures in one image index, an OCI image layout.

`skopeo copy --all oci:DIR docker://REGISTRY/NAME` and `crane push DIR REGISTRY/NAME` publish it. A
registry then gives each platform the image for its architecture.

https://github.com/opencontainers/image-spec/blob/main/image-index.md
"""

import hashlib
import json
import shutil
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from tools.platforms.oci import INDEX
from tools.processes import fail

LAYOUT = {"imageLayoutVersion": "1.0.0"}
LARGEST_JSON = 4 << 20


def write(packages: Sequence[Path], into: Path) -> str:
    """Write the images in the archives *packages* and their index to the directory *into*.

    Replaces what is there. Returns the digest of the index, which depends on the images alone.
    Raises `Unavailable` if a file is no package, or if two are for one architecture.
    """
    shutil.rmtree(into, ignore_errors=True)
    blobs = into / "blobs/sha256"
    blobs.mkdir(parents=True)
    rows = sorted((_add(package, blobs) for package in packages), key=_architecture)
    names = [_architecture(row) for row in rows]
    if len(names) != len(set(names)):
        fail(f"Two of the packages are for one architecture: {', '.join(names)}.")
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": rows}
    content = _json(index)
    digest = hashlib.sha256(content).hexdigest()
    (blobs / digest).write_bytes(content)
    entry = {"mediaType": INDEX, "digest": f"sha256:{digest}", "size": len(content)}
    layout = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}
    (into / "index.json").write_bytes(_json(layout))
    (into / "oci-layout").write_bytes(_json(LAYOUT))
    return f"sha256:{digest}"


def _add(package: Path, blobs: Path) -> dict[str, Any]:
    """Extract the blobs of *package*, and return the descriptor of its image for an index."""
    try:
        with tarfile.open(package) as archive:
            (row,) = json.loads(_content(archive, "index.json"))["manifests"]
            manifest = json.loads(_blob(archive, row["digest"]))
            config = json.loads(_blob(archive, manifest["config"]["digest"]))
            for part in (row, manifest["config"], *manifest["layers"]):
                _extract(archive, part["digest"], blobs)
    except (tarfile.TarError, KeyError, ValueError, OSError) as error:
        fail(f"{package} is not a package of a buildpack: {error!r}")
    platform = {"os": config["os"], "architecture": config["architecture"]}
    return {
        "mediaType": row["mediaType"],
        "digest": row["digest"],
        "size": row["size"],
        "platform": platform,
    }


def _architecture(row: dict[str, Any]) -> str:
    return str(row["platform"]["architecture"])


def _extract(archive: tarfile.TarFile, digest: str, blobs: Path) -> None:
    stream = _open(archive, _path(digest))
    target = blobs / digest.removeprefix("sha256:")
    with target.open("wb") as file:
        shutil.copyfileobj(stream, file)
    with target.open("rb") as file:
        if f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}" != digest:
            raise ValueError(digest)


def _blob(archive: tarfile.TarFile, digest: str) -> bytes:
    return _content(archive, _path(digest))


def _path(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def _content(archive: tarfile.TarFile, name: str) -> bytes:
    return _open(archive, name).read(LARGEST_JSON)


def _open(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    # pack writes absolute names.
    names = set(archive.getnames())
    stream = archive.extractfile(name if name in names else f"/{name}")
    if stream is None:
        raise KeyError(name)
    return stream


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
