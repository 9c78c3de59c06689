"""Reading the packages that pack writes."""

import json
from pathlib import Path

import pytest

from tests.support import oci_archives
from tools.processes import Unavailable
from tools.release import package_file

LABEL = {"cnb-python/python": {"0.1.0": {"api": "0.10"}}}
LABELS = {"io.buildpacks.buildpack.layers": json.dumps(LABEL)}
FILES = {"buildpack.toml": (0o644, b"api"), "bin/build": (0o755, b"#!/bin/sh")}


def package(directory: Path, files: dict[str, tuple[int, bytes]]) -> tuple[Path, str]:
    """Write a package of a buildpack with *files*; return it and the digest of its manifest."""
    layer = oci_archives.tar(
        {f"/cnb/buildpacks/a_b/1/{name}": each for name, each in files.items()}
    )
    file = directory / "package.cnb"
    return file, oci_archives.write(file, layer=layer, labels=LABELS)


def test_package_has_the_digest_of_its_manifest_and_its_buildpacks(tmp_path: Path) -> None:
    file, digest = package(tmp_path, FILES)

    found = package_file.read(file)

    assert (found.image.digest, found.image.arch) == (digest, "amd64")
    assert found.buildpacks == LABEL


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


@pytest.mark.parametrize(
    "content", [b"", b"no archive", oci_archives.tar({"/index.json": (0o644, b"{}")})]
)
def test_other_file_is_no_package(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)

    with pytest.raises(Unavailable, match="is not an archive of an OCI image"):
        package_file.read(tmp_path / "file")


def test_image_of_something_else_is_no_package(tmp_path: Path) -> None:
    oci_archives.write(tmp_path / "file")

    with pytest.raises(Unavailable, match="has no label"):
        package_file.read(tmp_path / "file")
