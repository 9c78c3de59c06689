"""A second build of an app: what is re-used, what is made anew, and what is said about it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.builds import Builds, Built
from tests.support.trees import Files, write_files

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
    assert "Reusing layer 'cnb-python/python:python'" in again.output


def test_a_build_without_cache_gives_the_same_image(
    builds: Builds, first: Built, directory: Path
) -> None:
    # Nor do umask, locale and time zone of the platform, or the order of hashes, matter.
    odd = {"LC_ALL": "tr_TR.UTF-8", "TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "42"}
    clean = builds.image(write_files(directory / "clean", APP), umask=0o077, env=odd)
    assert clean.code == 0, clean.output
    assert _diff_ids(clean) == _diff_ids(first)


def test_a_removed_requirement_vanishes(builds: Builds, first: Built, directory: Path) -> None:
    less = {**APP, "requirements.txt": "six==1.17.0\n"}
    built = builds.image(write_files(directory / "less", less), after=first)
    assert any("/markupsafe/" in name for name in first.names("venv"))
    assert [name for name in built.names("venv") if "markupsafe" in name.lower()] == []
    assert any(name.endswith("/six.py") for name in built.names("venv"))


def test_another_python_replaces_everything_and_says_why(
    builds: Builds, first: Built, directory: Path
) -> None:
    older = {**APP, ".python-version": "3.13\n"}
    built = builds.image(write_files(directory / "older", older), after=first)
    assert built.code == 0, built.output
    assert "3.14.6" in built.output
    assert "3.13.13" in built.output
    assert [name for name in built.names("venv") + built.names("python") if "3.14" in name] == []


def test_damaged_metadata_is_dropped(builds: Builds, first: Built, directory: Path) -> None:
    damaged = builds.image(
        write_files(directory / "damaged", APP), after=first, change=_damage_metadata
    )
    assert damaged.code == 0, damaged.output
    assert _diff_ids(damaged) == _diff_ids(first)


def _damage_metadata(work: Path) -> None:
    for archive in _cached_layers(work):
        archive.write_bytes(archive.read_bytes())


def _cached_layers(work: Path) -> Iterator[Path]:
    return (work / "cache/committed").glob("*.tar")


def _diff_ids(built: Built) -> dict[str, str]:
    return {layer.title: layer.diff_id for layer in built.image.layers}
