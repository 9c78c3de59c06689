"""Shards for any processor are compared between architectures; packages are in one index."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from tools.bases import arm64, sample_builds
from tools.bases.layers import Layer
from tools.package import index
from tools.platforms import rootfs
from tools.processes import Unavailable


def test_only_shards_for_any_processor_have_to_be_the_same() -> None:
    here = (
        Layer("python", "sha256:a"),
        Layer("deps-00", "sha256:b", native=("psycopg_binary",)),
        Layer("deps-01", "sha256:c"),
        Layer("deps-django", "sha256:d"),
    )
    emulated = (
        Layer("python", "sha256:x"),
        Layer("deps-00", "sha256:y", native=("psycopg_binary",)),
        Layer("deps-01", "sha256:z"),
        Layer("deps-django", "sha256:d"),
    )

    compared = arm64.compare(here, emulated)

    assert [each.name for each in compared.same] == ["deps-django"]
    assert arm64.problems(sample_builds.DJANGO, compared) == [
        "pip_django: shard deps-01 differs on arm64"
    ]


def test_shard_with_native_code_on_one_of_them_is_not_compared() -> None:
    here = (Layer("deps-00", "sha256:a"),)
    emulated = (Layer("deps-00", "sha256:b", native=("x",)),)

    assert arm64.compare(here, emulated) == arm64.Comparison((), ())


def test_base_for_arm64_has_its_architecture() -> None:
    assert rootfs.base("run", arm64.BASE).arch == arm64.ARCH


def package(directory: Path, arch: str, content: bytes = b"layer") -> Path:
    """Write a package as pack does, with one layer."""
    blobs = {}

    def added(value: bytes, media_type: str) -> dict[str, object]:
        digest = hashlib.sha256(value).hexdigest()
        blobs[f"/blobs/sha256/{digest}"] = value
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(value)}

    config = json.dumps({"os": "linux", "architecture": arch}).encode()
    manifest = {"config": added(config, "config"), "layers": [added(content, "layer")]}
    row = added(json.dumps(manifest).encode(), "manifest")
    files = {"/index.json": json.dumps({"manifests": [row]}).encode(), **blobs}
    path = directory / f"{arch}.cnb"
    with tarfile.open(path, "w") as archive:
        for name, value in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(value)
            archive.addfile(member, io.BytesIO(value))
    return path


def test_index_has_the_image_of_each_architecture(tmp_path: Path) -> None:
    packages = [package(tmp_path, arch) for arch in ("arm64", "amd64")]

    digest = index.write(packages, tmp_path / "index")

    (entry,) = json.loads((tmp_path / "index/index.json").read_text())["manifests"]
    blobs = tmp_path / "index/blobs/sha256"
    rows = json.loads((blobs / digest.removeprefix("sha256:")).read_text())["manifests"]
    assert entry["digest"] == digest
    assert [row["platform"] for row in rows] == [
        {"architecture": "amd64", "os": "linux"},
        {"architecture": "arm64", "os": "linux"},
    ]
    for path in blobs.iterdir():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    for row in rows:
        manifest = json.loads((blobs / row["digest"].removeprefix("sha256:")).read_text())
        for part in (manifest["config"], *manifest["layers"]):
            assert (blobs / part["digest"].removeprefix("sha256:")).stat().st_size == part["size"]


def test_index_does_not_depend_on_the_order_or_on_what_was_there(tmp_path: Path) -> None:
    packages = [package(tmp_path, arch) for arch in ("amd64", "arm64")]
    (tmp_path / "index").mkdir()
    (tmp_path / "index/old").touch()

    digests = {index.write(each, tmp_path / "index") for each in (packages, packages[::-1])}

    assert len(digests) == 1
    assert not (tmp_path / "index/old").exists()


def test_two_packages_of_one_architecture_are_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    packages = [package(tmp_path, "amd64"), package(tmp_path / "other", "amd64", b"other")]

    with pytest.raises(Unavailable, match="for one architecture: amd64, amd64"):
        index.write(packages, tmp_path / "index")


@pytest.mark.parametrize("content", [b"", b"no archive"])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "other.cnb"
    file.write_bytes(content)

    with pytest.raises(Unavailable, match="is not a package of a buildpack"):
        index.write([file], tmp_path / "index")


def test_damaged_blob_is_refused(tmp_path: Path) -> None:
    path = package(tmp_path, "amd64", b"the layer")
    path.write_bytes(path.read_bytes().replace(b"the layer", b"THE layer"))

    with pytest.raises(Unavailable, match="is not a package of a buildpack"):
        index.write([path], tmp_path / "index")
