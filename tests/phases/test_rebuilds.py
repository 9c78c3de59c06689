"""A second build of an app: what is re-used, what is made anew, and what is said about it."""

import tomllib
from pathlib import Path

import pytest
import tomli_w

from tests.support.builds import BUILDPACK, Builds, Built
from tests.support.trees import Files, write_files
from tools import oci

APP: Files = {
    "requirements.txt": "six==1.17.0\nmarkupsafe==3.0.3\n",
    ".python-version": "3.14\n",
    "Procfile": "web: python -m http.server $PORT",
}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rebuilds")


@pytest.fixture(scope="module")
def first(builds: Builds, directory: Path) -> Built:
    built = builds.image(write_files(directory / "first", APP))
    assert built.code == 0, built.output
    return built


def test_the_first_build_has_nothing_to_start_from(first: Built) -> None:
    assert "Restoring metadata" not in first.output


def test_an_unchanged_app_gives_the_same_image(
    builds: Builds, first: Built, directory: Path
) -> None:
    again = builds.image(write_files(directory / "same", APP), after=first)
    assert again.code == 0, again.output
    assert _diff_ids(again) == _diff_ids(first)
    assert "  Using Python 3.14.6 of the previous build\n" in again.output
    assert "Reusing layer 'cnb-python/python:python'" in again.output


def test_a_build_without_cache_gives_the_same_layers(
    builds: Builds, first: Built, directory: Path
) -> None:
    # Nor do the platform's umask, locale and time zone matter. The lifecycle's own layers differ.
    odd = {"LC_ALL": "tr_TR.UTF-8", "TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "42"}
    clean = builds.image(write_files(directory / "clean", APP), umask=0o077, env=odd)
    assert clean.code == 0, clean.output
    for name in ("python", "venv"):
        assert clean.layer(name).diff_id == first.layer(name).diff_id


def test_a_removed_requirement_vanishes(builds: Builds, first: Built, directory: Path) -> None:
    less = {**APP, "requirements.txt": "six==1.17.0\n"}
    built = builds.image(write_files(directory / "less", less), after=first)
    assert any("/markupsafe/" in name for name in first.names("venv"))
    assert [name for name in built.names("venv") if "markupsafe" in name.lower()] == []
    assert any(name.endswith("/six.py") for name in built.names("venv"))


def test_another_python_replaces_everything_and_every_reason_is_said(
    builds: Builds, first: Built, directory: Path
) -> None:
    older = {**APP, ".python-version": "3.13\n"}
    built = builds.image(write_files(directory / "older", older), first)
    assert built.code == 0, built.output
    old, new = (_metadata(build, "python")["sha256"] for build in (first, built))
    assert _reasons(built) == [
        "the Python release has changed from 3.14.6 to 3.13.13",
        f"the sha256 of Python's archive has changed from {old} to {new}",
    ]
    assert "downloads: the Python line has changed from 3.14 to 3.13\n" in built.output
    assert [name for name in built.names("venv") + built.names("python") if "3.14" in name] == []


def test_a_foreign_or_damaged_cache_is_dropped_and_every_reason_is_said(
    builds: Builds, first: Built, directory: Path
) -> None:
    layers = builds.restored(first)
    _edit(layers / BUILDPACK / "python.toml", arch="riscv64", distro="alpine 3", colour="blue")
    (layers / BUILDPACK / "deps.toml").write_text("metadata = [not toml")
    built = builds.phases(write_files(directory / "foreign", APP), layers=layers)
    assert built.code == 0, built.output
    assert _reasons(built) == [
        f"the processor has changed from riscv64 to {oci.arch()}",
        "the distribution of the image has changed from alpine 3 to debian 12",
        "it was made by another release of this buildpack",
    ]


def _metadata(built: Built, layer: str) -> dict[str, str]:
    metadata: dict[str, str] = built.documents()[f"{layer}.toml"]["metadata"]
    return metadata


def _edit(toml: Path, **values: str) -> None:
    document = tomllib.loads(toml.read_text())
    document["metadata"] |= values
    toml.write_text(tomli_w.dumps(document))


def _reasons(built: Built) -> list[str]:
    mark = "  Not using the previous build's Python: "
    lines = built.output.splitlines()
    return [line.removeprefix(mark) for line in lines if line.startswith(mark)]


def _diff_ids(built: Built) -> dict[str, str]:
    return {layer.title: layer.diff_id for layer in built.image.layers}
