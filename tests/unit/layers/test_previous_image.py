"""Layers of the environment in the previous image are found, reused and dropped."""

from pathlib import Path

import pytest

from cnb_python.cnb import toml
from cnb_python.layers import previous_image

DIGESTS = {"deps-00": "1" * 64, "deps-numpy": "2" * 64, "venv": "3" * 64}


@pytest.fixture
def layers(tmp_path: Path) -> Path:
    previous_image.reuse(tmp_path, DIGESTS)
    (tmp_path / "python.toml").write_text("[metadata]\ndigest = '4'\n")
    (tmp_path / "deps.toml").write_text("[metadata]\ndigest = '5'\n")
    (tmp_path / "deps").mkdir()
    return tmp_path


def test_digests_of_reused_layers_are_read_back(layers: Path) -> None:
    assert previous_image.digests(layers) == DIGESTS


def test_first_build_has_no_digests(tmp_path: Path) -> None:
    assert previous_image.digests(tmp_path) == {}


@pytest.mark.parametrize(
    "text", ["nonsense", "", "[metadata]\n", "[metadata]\ndigest = true\n", "metadata = 1\n"]
)
def test_layer_without_digest_is_skipped(layers: Path, text: str) -> None:
    (layers / "deps-00.toml").write_text(text, encoding="utf-8")

    assert previous_image.digests(layers).keys() == {"deps-numpy", "venv"}
    assert "deps-00" in previous_image.names(layers)


def test_reused_layer_has_no_contents(layers: Path) -> None:
    (layers / "venv").mkdir()

    previous_image.reuse(layers, DIGESTS)

    assert not (layers / "venv").exists()
    assert toml.read(layers / "venv.toml") == {
        "types": {"build": False, "launch": True, "cache": False},
        "metadata": {"digest": DIGESTS["venv"]},
    }


def test_dropped_layers_leave_no_trace(layers: Path) -> None:
    (layers / "deps-01").mkdir()
    (layers / "deps-02").mkdir()
    (layers / "deps-02.toml").write_text("nonsense")

    previous_image.drop_all_but(layers, ["venv", "deps-numpy"])

    assert {path.name for path in layers.iterdir()} == {
        *("deps", "deps.toml", "python.toml"),
        *("venv.toml", "deps-numpy.toml"),
    }


def test_venv_is_dropped_if_not_listed(layers: Path) -> None:
    previous_image.drop_all_but(layers, [])

    assert {path.name for path in layers.iterdir()} == {"deps", "deps.toml", "python.toml"}
