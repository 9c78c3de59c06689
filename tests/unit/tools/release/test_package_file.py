"""Reading the packages that pack writes."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from tools.processes import Unavailable
from tools.release import package_file

LABEL = {"cnb-python/python": {"0.1.0": {"api": "0.10"}}}
FILES = {"buildpack.toml": (0o644, b"api"), "bin/build": (0o755, b"#!/bin/sh")}


def archive(files: dict[str, tuple[int, bytes]]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as packed:
        for name, (mode, content) in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), mode
            packed.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def package(directory: Path, files: dict[str, tuple[int, bytes]]) -> tuple[Path, str]:
    """Write a package of a buildpack with *files*; return it and the digest of its manifest."""
    blobs: dict[str, tuple[int, bytes]] = {}

    def blob(content: bytes) -> str:
        sha256 = hashlib.sha256(content).hexdigest()
        blobs[f"/blobs/sha256/{sha256}"] = (0o644, content)
        return f"sha256:{sha256}"

    layer = blob(archive({f"/cnb/buildpacks/a_b/1/{name}": each for name, each in files.items()}))
    label = {"io.buildpacks.buildpack.layers": json.dumps(LABEL)}
    config = blob(json.dumps({"config": {"Labels": label}}).encode())
    content = json.dumps({"config": {"digest": config}, "layers": [{"digest": layer}]}).encode()
    manifest = blob(content)
    entry = {"digest": manifest, "size": len(content)}
    index = json.dumps({"manifests": [entry]}).encode()
    file = directory / "package.cnb"
    file.write_bytes(archive({"/index.json": (0o644, index), **blobs}))
    return file, manifest


def test_package_has_the_digest_of_its_manifest_and_its_buildpacks(tmp_path: Path) -> None:
    file, digest = package(tmp_path, FILES)

    assert package_file.read(file).digest == digest
    assert package_file.read(file).buildpacks == LABEL


def test_unpacked_package_is_the_tree(tmp_path: Path) -> None:
    file, _ = package(tmp_path, FILES)

    package_file.unpack(file, tmp_path / "tree")

    for name, (mode, content) in FILES.items():
        path = tmp_path / "tree" / name
        assert (path.stat().st_mode & 0o777, path.read_bytes()) == (mode, content)


def test_path_out_of_the_tree_is_left_out(tmp_path: Path) -> None:
    file, _ = package(tmp_path, {"../../../../../evil": (0o644, b""), **FILES})

    package_file.unpack(file, tmp_path / "tree")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["package.cnb", "tree"]


@pytest.mark.parametrize("content", [b"", b"no archive", archive({"/index.json": (0o644, b"{}")})])
def test_other_file_is_no_package(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)

    with pytest.raises(Unavailable, match="is not a package"):
        package_file.read(tmp_path / "file")
