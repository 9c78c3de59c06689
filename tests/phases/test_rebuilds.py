"""A second build of an app: which layers it reuses or makes, and what it logs.

More of it in test_lost_state.py, test_cached_equals_clean.py and test_build_consumers.py.
"""

import tomllib
from pathlib import Path

import tomli_w

from tests.support.builds import BUILDPACK, Builds, Built, fixture
from tools.package import tree
from tools.platforms import oci

FLASK = fixture("pip_flask")
LAUNCHED = ("python", "venv", "deps-00", "defaults")


def test_unchanged_app_gives_the_same_image(builds: Builds, flask: Built) -> None:
    again = builds.image(FLASK, flask)
    assert again.code == 0, again.output
    assert _diff_ids(again) == _diff_ids(flask)
    assert "  Nothing changed: reusing 8 packages from the previous image\n" in again.output
    for name in LAUNCHED:
        assert f"Reusing layer 'cnb-python/python:{name}'" in again.output
    assert _directories(again) == ["deps"]


def test_foreign_python_layer_is_replaced_with_every_reason(builds: Builds, flask: Built) -> None:
    layers = builds.restored(flask)
    _edit(layers / BUILDPACK / "python.toml", arch="riscv64", distro="alpine 3", colour="blue")
    built = builds.phases(FLASK, layers=layers)
    assert built.code == 0, built.output
    assert _reasons(built, "Python") == [
        f"the architecture has changed from riscv64 to {oci.arch()}",
        "the Linux distribution of the image has changed from alpine 3 to debian 12",
        "it was made by another release of this buildpack",
    ]
    # The packages do not depend on it.
    assert "  Nothing else changed: reusing 8 packages from the previous image\n" in built.output
    assert _directories(built) == ["deps", "python"]
    assert tree.digest(built.layers / "python") == tree.digest(flask.layers / "python")


def _edit(toml: Path, **values: str) -> None:
    document = tomllib.loads(toml.read_text())
    document["metadata"] |= values
    toml.write_text(tomli_w.dumps(document))


def _reasons(built: Built, what: str) -> list[str]:
    mark = f"  Not using the previous build's {what}: "
    lines = built.output.splitlines()
    return [line.removeprefix(mark) for line in lines if line.startswith(mark)]


def _directories(built: Built) -> list[str]:
    return sorted(path.name for path in built.layers.iterdir() if path.is_dir())


def _diff_ids(built: Built) -> dict[str, str]:
    return {layer.title: layer.diff_id for layer in built.image.layers}
