"""A second build of an app: what is re-used, what is made anew, and what is said about it."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomli_w

from tests.support.builds import BUILDPACK, Builds, Built, fixture
from tests.support.trees import App, write_files
from tools import interpreters, mirror, oci, runtimes

FLASK = fixture("pip_flask")
NEWEST = mirror.VERSIONS[-1]


def test_an_unchanged_app_gives_the_same_image(builds: Builds, flask: Built) -> None:
    again = builds.image(FLASK, flask)
    assert again.code == 0, again.output
    assert _diff_ids(again) == _diff_ids(flask)
    assert "  Using Python 3.14.6 of the previous build\n" in again.output
    assert "Reusing layer 'cnb-python/python:python'" in again.output
    assert "Reusing layer 'cnb-python/python:venv'" in again.output


def test_a_build_without_cache_gives_the_same_layers(builds: Builds, flask: Built) -> None:
    # Nor do the platform's umask, locale and time zone matter. The lifecycle's own layers differ.
    odd = {"LC_ALL": "tr_TR.UTF-8", "TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "42"}
    clean = builds.image(FLASK, umask=0o077, env=odd)
    assert clean.code == 0, clean.output
    for name in ("python", "venv"):
        assert clean.layer(name).diff_id == flask.layer(name).diff_id


def test_a_foreign_or_damaged_cache_is_not_used_and_every_reason_is_said(
    builds: Builds, flask: Built, empty_mirror: str
) -> None:
    layers = builds.restored(flask)
    _edit(layers / BUILDPACK / "python.toml", arch="riscv64", distro="alpine 3", colour="blue")
    built = builds.phases(FLASK, layers=layers, env={"BP_PYTHON_MIRROR": empty_mirror})
    assert built.error.startswith("Python 3.14.6 could not be fetched\n")
    assert _reasons(built, "Python") == [
        f"the processor has changed from riscv64 to {oci.arch()}",
        "the distribution of the image has changed from alpine 3 to debian 12",
        "it was made by another release of this buildpack",
    ]


def test_a_damaged_list_of_downloads_is_dropped(builds: Builds, flask: Built, app: App) -> None:
    layers = builds.restored(flask)
    (layers / BUILDPACK / "deps.toml").write_text("metadata = [not toml")
    built = builds.phases(app({"requirements.txt": ""}), layers=layers)
    assert built.code == 0, built.output
    (reason,) = _reasons(built, "downloads")
    assert reason.startswith("deps.toml cannot be read: ")


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


def _diff_ids(built: Built) -> dict[str, str]:
    return {layer.title: layer.diff_id for layer in built.image.layers}
