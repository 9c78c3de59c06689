"""Leftovers of a killed build are removed before the next one reads its layers."""

from pathlib import Path

import pytest

from cnb_python.cnb import disk
from cnb_python.cnb.layer import LayerTypes, layer_of
from cnb_python.layers import previous_image
from cnb_python.layers.previous_image import WORK

LAUNCH = LayerTypes(launch=True)


def test_restored_layers_stay(tmp_path: Path) -> None:
    for name in ("python", "venv", "deps-00", "defaults"):
        layer_of(tmp_path, name).reuse_from_image({"digest": name})
    store = layer_of(tmp_path, "deps")
    (store.begin_in_place() / "archive").touch()
    store.finish(LayerTypes(cache=True), {"key": "1"})
    (tmp_path / "store.toml").touch()
    before = sorted(tmp_path.rglob("*"))

    previous_image.remove_leftovers(tmp_path)

    assert sorted(tmp_path.rglob("*")) == before
    assert previous_image.digests(tmp_path) == {"deps-00": "deps-00", "venv": "venv"}


@pytest.mark.parametrize("name", ["python", "venv", "deps-00", "deps-torch", "defaults"])
def test_launch_layer_with_contents_is_removed(tmp_path: Path, name: str) -> None:
    layer = layer_of(tmp_path, name)
    layer.begin()
    layer.finish(LAUNCH, {"digest": "whole"})

    previous_image.remove_leftovers(tmp_path)

    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("name", ["python", "venv", "deps-00", "defaults"])
def test_contents_without_toml_are_removed(tmp_path: Path, name: str) -> None:
    (layer_of(tmp_path, name).begin_in_place() / "half").touch()

    previous_image.remove_leftovers(tmp_path)

    assert [*tmp_path.iterdir()] == []


def test_drafts_and_work_directory_are_removed(tmp_path: Path) -> None:
    (layer_of(tmp_path, "deps-07").begin() / "half").touch()
    disk.draft_of(tmp_path / "launch.toml").touch()
    (tmp_path / WORK / "stage-0").mkdir(parents=True)

    previous_image.remove_leftovers(tmp_path)

    assert [*tmp_path.iterdir()] == []


def test_links_are_not_followed(tmp_path: Path) -> None:
    elsewhere, layers = tmp_path / "elsewhere", tmp_path / "layers"
    for directory in (elsewhere, layers):
        directory.mkdir()
    (elsewhere / "file").touch()
    (layers / "venv").symlink_to(elsewhere)
    (layers / "deps-00").symlink_to(elsewhere / "absent")

    previous_image.remove_leftovers(layers)

    assert [*layers.iterdir()] == []
    assert (elsewhere / "file").exists()


def test_file_of_another_buildpack_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "deps-00.sbom.cdx.json").touch()

    previous_image.remove_leftovers(tmp_path)

    assert previous_image.digests(tmp_path) == {}


@pytest.mark.parametrize("name", ["deps-\n", "deps-a b", "deps-\udcff", "deps-\u00e4"])
def test_shard_with_a_name_that_no_layer_has_is_removed(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.toml").touch()
    (tmp_path / name).mkdir()

    assert previous_image.names(tmp_path) == ("venv",)
    previous_image.remove_leftovers(tmp_path)

    assert [*tmp_path.iterdir()] == []
