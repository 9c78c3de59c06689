"""Reads archives of an OCI image layout with one image, as pack and `skopeo copy` write them.

https://github.com/opencontainers/image-spec/blob/main/image-layout.md
"""

import hashlib
import json
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

from tools.processes import fail

LARGEST_JSON = 4 << 20


class Descriptor(NamedTuple):
    """What an image index says about an image."""

    digest: str
    """The digest of the image's manifest: `sha256:...`. In a registry, it is the same."""
    size: int
    """The size of the manifest, in bytes."""
    media_type: str
    """The media type of the manifest: OCI's or Docker's."""
    os: str
    arch: str
    """As Go names it: `amd64`."""


@dataclass(frozen=True, slots=True)
class ArchivedImage:
    """The image in an archive."""

    descriptor: Descriptor
    config: str
    """The digest of its configuration."""
    layers: tuple[str, ...]
    """The digests of its layers."""
    labels: Mapping[str, str]

    @property
    def blobs(self) -> tuple[str, ...]:
        """The digests of everything that the image consists of."""
        return (self.descriptor.digest, self.config, *self.layers)


def read(file: Path) -> ArchivedImage:
    """Return the image in the archive *file*. Raises `Unavailable` if there is not exactly one."""
    try:
        with tarfile.open(file) as archive:
            index = json.loads(_open(archive, "index.json").read(LARGEST_JSON))
            (row,) = index["manifests"]
            manifest = json.loads(blob(archive, row["digest"]).read(LARGEST_JSON))
            config = json.loads(blob(archive, manifest["config"]["digest"]).read(LARGEST_JSON))
        return ArchivedImage(
            descriptor=Descriptor(
                row["digest"], row["size"], row["mediaType"], config["os"], config["architecture"]
            ),
            config=manifest["config"]["digest"],
            layers=tuple(layer["digest"] for layer in manifest["layers"]),
            labels=config["config"].get("Labels") or {},
        )
    except (tarfile.TarError, KeyError, TypeError, ValueError, OSError) as error:
        fail(f"{file} is not an archive of an OCI image: {error!r}")


def extract(file: Path, blobs: Path) -> ArchivedImage:
    """Write the blobs of the image in *file* to the directory *blobs*, by their SHA-256.

    Raises `Unavailable` if there is no image, or if a blob does not have its digest.
    """
    image = read(file)
    with opened(file) as archive:
        for digest in image.blobs:
            _extract(archive, digest, blobs / digest.removeprefix("sha256:"))
    return image


@contextmanager
def opened(file: Path) -> Iterator[tarfile.TarFile]:
    """Open *file* for `blob`. Raises `Unavailable` if it cannot be read."""
    if not file.is_file():
        fail(f"There is no file {file}.")
    try:
        with tarfile.open(file) as archive:
            yield archive
    # Not OSError: a full disk is no damage.
    except (tarfile.TarError, EOFError, KeyError) as error:
        fail(f"{file} is a damaged archive of an OCI image: {error!r}")


def blob(archive: tarfile.TarFile, digest: str) -> IO[bytes]:
    """Return the content of a blob of *archive*. Raises KeyError if it has no such blob."""
    return _open(archive, f"blobs/{digest.replace(':', '/')}")


def _extract(archive: tarfile.TarFile, digest: str, target: Path) -> None:
    with target.open("wb") as file:
        shutil.copyfileobj(blob(archive, digest), file)
    with target.open("rb") as file:
        actual = hashlib.file_digest(file, "sha256").hexdigest()
    if f"sha256:{actual}" != digest:
        fail(f"The blob {digest} has the content of sha256:{actual}: the archive is damaged.")


def _open(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    # pack writes absolute names.
    names = set(archive.getnames())
    stream = archive.extractfile(name if name in names else f"/{name}")
    if stream is None:
        raise KeyError(name)
    return stream
