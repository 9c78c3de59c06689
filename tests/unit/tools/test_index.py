"""The images of all architectures are in one index."""

import hashlib
import json
from pathlib import Path

import pytest

from tests.support import oci_archives
from tools.package import index
from tools.platforms import oci
from tools.platforms.oci_archive import Descriptor
from tools.processes import Unavailable

DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
AMD64 = Descriptor(f"sha256:{'a' * 64}", 429, DOCKER, "linux", "amd64")
ARM64 = Descriptor(f"sha256:{'b' * 64}", 430, DOCKER, "linux", "arm64")


def archive(directory: Path, arch: str, layer: bytes = b"layer") -> Path:
    """Write an archive of an image."""
    path = directory / f"{arch}.cnb"
    oci_archives.write(path, arch, layer)
    return path


def test_index_lists_both_architectures_in_one_order() -> None:
    made = index.of([ARM64, AMD64])

    assert made == index.of([AMD64, ARM64])
    assert made.digest == f"sha256:{hashlib.sha256(made.content).hexdigest()}"
    assert json.loads(made.content)["manifests"] == [
        {
            "mediaType": DOCKER,
            "digest": each.digest,
            "size": each.size,
            "platform": {"os": "linux", "architecture": each.arch},
        }
        for each in (AMD64, ARM64)
    ]


def test_index_has_the_media_type_of_its_images() -> None:
    of_oci = ARM64._replace(media_type=oci.MANIFEST)

    for images, media_type in (
        ([AMD64, ARM64], index.DOCKER_LIST),
        ([AMD64, of_oci], oci.INDEX),
        ([of_oci], oci.INDEX),
    ):
        made = index.of(images)
        assert made.media_type == media_type
        assert json.loads(made.content)["mediaType"] == media_type


def test_layout_has_the_image_of_each_architecture(tmp_path: Path) -> None:
    archives = [archive(tmp_path, arch) for arch in ("arm64", "amd64")]

    made = index.write(archives, tmp_path / "index")

    (entry,) = json.loads((tmp_path / "index/index.json").read_text())["manifests"]
    blobs = tmp_path / "index/blobs/sha256"
    assert entry["digest"] == made.digest
    assert (blobs / made.digest.removeprefix("sha256:")).read_bytes() == made.content
    rows = json.loads(made.content)["manifests"]
    assert [row["platform"]["architecture"] for row in rows] == ["amd64", "arm64"]
    for path in blobs.iterdir():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    for row in rows:
        manifest = json.loads((blobs / row["digest"].removeprefix("sha256:")).read_text())
        for part in (manifest["config"], *manifest["layers"]):
            assert (blobs / part["digest"].removeprefix("sha256:")).stat().st_size == part["size"]


def test_index_does_not_depend_on_the_order_or_on_what_was_there(tmp_path: Path) -> None:
    archives = [archive(tmp_path, arch) for arch in ("amd64", "arm64")]
    (tmp_path / "index").mkdir()
    (tmp_path / "index/old").touch()

    digests = {index.write(each, tmp_path / "index").digest for each in (archives, archives[::-1])}

    assert len(digests) == 1
    assert not (tmp_path / "index/old").exists()


def test_two_images_of_one_architecture_are_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    archives = [archive(tmp_path, "amd64"), archive(tmp_path / "other", "amd64", b"other")]

    with pytest.raises(Unavailable, match="for the same architecture: amd64, amd64"):
        index.write(archives, tmp_path / "index")


@pytest.mark.parametrize("content", [b"", b"no archive"])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "other.cnb"
    file.write_bytes(content)

    with pytest.raises(Unavailable, match=r"other\.cnb is not an archive of an OCI image"):
        index.write([file], tmp_path / "index")


def test_damaged_blob_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path, "amd64", b"the layer")
    path.write_bytes(path.read_bytes().replace(b"the layer", b"THE layer"))

    with pytest.raises(Unavailable, match="has the content of sha256:"):
        index.write([path], tmp_path / "index")
