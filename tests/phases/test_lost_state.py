"""Builds with a cache but no image, an image but no cache, and state of other builds."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

import tomli_w

from tests.support.build_variants import digest_of, layers_of, without_cache, without_image
from tests.support.builds import BUILDPACK, Builds, Built, fixture
from tools.platforms import oci

FLASK = fixture("pip_flask")
DAMAGED = {
    "deps": "metadata = [not toml",
    "python": "[metadata]\nformat = {}\n",
    "venv": "[metadata]\ndigest = [1, 2.5, [true]]\n",
    "deps-00": "",
}
CONTENTS = "  Not using the previous build's packages: "


def test_new_image_name_is_built_from_the_cache(
    builds: Builds, flask: Built, tmp_path: Path
) -> None:
    built = builds.image(FLASK, without_image(flask, tmp_path / "work"))
    assert built.code == 0, built.output
    assert layers_of(built) == layers_of(flask)
    assert digest_of(built) == digest_of(flask)
    assert "Using cached Python 3.14.6" in built.output
    # Nothing was downloaded or installed.
    assert "Downloading" not in built.output
    assert "Running `" not in built.output


def test_image_is_reused_without_cache(builds: Builds, flask: Built, tmp_path: Path) -> None:
    built = builds.image(FLASK, without_cache(flask, tmp_path / "work"))
    assert built.code == 0, built.output
    assert "Nothing changed: reusing 8 packages from the previous image" in built.output
    assert [path for path in built.layers.iterdir() if path.is_dir()] == []
    assert digest_of(built) == digest_of(flask)


def test_pip_without_cache_makes_the_layers_of_uv(
    builds: Builds, flask: Built, tmp_path: Path
) -> None:
    # The other installer changes what the image depends on, and without a cache nothing is kept.
    env = {"BP_PYTHON_INSTALLER": "pip"}
    built = builds.image(FLASK, without_cache(flask, tmp_path / "work"), env=env)
    assert built.code == 0, built.output
    assert "the installer has changed from auto to pip" in built.output
    assert "Resolving with pip: BP_PYTHON_INSTALLER is pip" in built.output
    assert layers_of(built) == layers_of(flask)


def test_every_difference_is_logged(builds: Builds, flask: Built) -> None:
    foreign = {
        "format": "999",
        "python": "3.9",
        "flavour": "freethreaded",
        "os": "plan9",
        "arch": "riscv64",
        "distro": "alpine 3",
        "directory": "/elsewhere",
    }
    layers = builds.restored(flask)
    now = _edit(layers / BUILDPACK / "deps.toml", foreign)
    built = builds.phases(FLASK, layers=layers)
    assert built.code == 0, built.output
    assert _reasons(built) == [
        f"the cache format has changed from 999 to {now['format']}",
        "the Python release line has changed from 3.9 to 3.14",
        f"the Python flavor has changed from freethreaded to {now['flavour']}",
        "the operating system has changed from plan9 to linux",
        f"the architecture has changed from riscv64 to {oci.arch()}",
        "the Linux distribution of the image has changed from alpine 3 to debian 12",
        f"the layers directory has changed from /elsewhere to /layers/{BUILDPACK}",
    ]
    # The layers that were installed again equal those of the image.
    _holds(built, "deps")


def test_unreadable_metadata_is_ignored(builds: Builds, flask: Built) -> None:
    layers = builds.restored(flask)
    for name, text in DAMAGED.items():
        (layers / BUILDPACK / f"{name}.toml").write_text(text)
    built = builds.phases(FLASK, layers=layers)
    assert built.code == 0, built.output
    (reason,) = _reasons(built)
    assert reason.startswith("deps.toml cannot be read: ")
    reason = "its metadata has a value of another type: format"
    assert f"  Not using the previous build's Python: {reason}\n" in built.output
    _holds(built, "deps", "deps-00", "python", "venv")


def _holds(built: Built, *layers: str) -> None:
    """Assert that a build declared every layer, and that only *layers* are on disk."""
    documents = built.documents()
    for name in ("python", "venv", "deps-00"):
        types = documents[f"{name}.toml"]["types"]
        assert types == {"build": False, "cache": False, "launch": True}
    assert sorted(path.name for path in built.layers.iterdir() if path.is_dir()) == list(layers)


def _edit(toml: Path, values: Mapping[str, str]) -> dict[str, str]:
    """Change metadata; return the old metadata."""
    document = tomllib.loads(toml.read_text())
    before = dict(document["metadata"])
    document["metadata"] |= values
    toml.write_text(tomli_w.dumps(document))
    return before


def _reasons(built: Built) -> list[str]:
    lines = built.output.splitlines()
    return [line.removeprefix(CONTENTS) for line in lines if line.startswith(CONTENTS)]
