"""A second build of an app: what is re-used, what is made anew, and what is said about it."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomli_w

from tests.support.builds import BUILDPACK, Builds, Built, fixture
from tests.support.trees import write_files
from tools import interpreters, mirror, oci, runtimes, tree

FLASK = fixture("pip_flask")
NEWEST = mirror.VERSIONS[-1]
LAUNCHED = ("python", "venv", "deps-00")


def test_an_unchanged_app_gives_the_same_image(builds: Builds, flask: Built) -> None:
    again = builds.image(FLASK, flask)
    assert again.code == 0, again.output
    assert _diff_ids(again) == _diff_ids(flask)
    assert "  Nothing changed: 8 packages as they were\n" in again.output
    for name in LAUNCHED:
        assert f"Reusing layer 'cnb-python/python:{name}'" in again.output
    assert _directories(again) == ["deps"]


def test_a_foreign_python_is_not_used_and_every_reason_is_said(
    builds: Builds, flask: Built
) -> None:
    layers = builds.restored(flask)
    _edit(layers / BUILDPACK / "python.toml", arch="riscv64", distro="alpine 3", colour="blue")
    built = builds.phases(FLASK, layers=layers)
    assert built.code == 0, built.output
    assert _reasons(built, "Python") == [
        f"the processor has changed from riscv64 to {oci.arch()}",
        "the distribution of the image has changed from alpine 3 to debian 12",
        "it was made by another release of this buildpack",
    ]
    # Nothing of the packages depends on it.
    assert "  Nothing else changed: 8 packages as they were\n" in built.output
    assert _directories(built) == ["deps", "python"]
    assert tree.digest(built.layers / "python") == tree.digest(flask.layers / "python")


def test_nothing_of_a_foreign_cache_is_used_and_every_reason_is_said(
    builds: Builds, flask: Built, empty_mirror: str
) -> None:
    layers = builds.restored(flask)
    _edit(layers / BUILDPACK / "deps.toml", arch="riscv64", distro="alpine 3", tools="pip 1.0")
    built = builds.phases(FLASK, layers=layers, env={"BP_PYTHON_MIRROR": empty_mirror})
    # Python is in the store, too.
    assert built.error.startswith("Python 3.14.6 could not be fetched\n")
    own = flask.documents()["deps.toml"]["metadata"]["tools"]
    assert _reasons(built, "packages") == [
        f"the processor has changed from riscv64 to {oci.arch()}",
        "the distribution of the image has changed from alpine 3 to debian 12",
        f"the version of the installing tools has changed from pip 1.0 to {own}",
    ]


@pytest.fixture
def empty_mirror(tmp_path: Path) -> Iterator[str]:
    """A table of releases without their archives: a build that needs one ends there."""
    table = runtimes.table([(NEWEST, oci.arch(), interpreters.archive(NEWEST, oci.arch()))])
    with mirror.serving(write_files(tmp_path / "mirror", {"python.toml": table})) as url:
        yield f"{url}/python.toml"


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
