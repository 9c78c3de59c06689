"""Python and the packages are on disk for build consumers only."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.build_variants import layers_of
from tests.support.builds import Builds, Built, fixture
from tests.support.later_buildpack import neighbour
from tests.support.trees import App
from tools.pythons import mirror

FLASK = fixture("pip_flask")
SITE = "venv/lib/python3.14/site-packages"
PATCHES = ("3.13.1", "3.13.13")
GROUP = '[[io.buildpacks.post.group]]\nid = "tests/neighbour"\n'


@pytest.fixture(scope="module")
def with_consumer(builds: Builds, flask: Built, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Build the Flask app again with a later buildpack that requires Python."""
    asks = neighbour(tmp_path_factory.mktemp("neighbour") / "asks", asks=True)
    built = builds.image(FLASK, flask, beside=(asks,))
    assert built.code == 0, built.output
    return built


def test_unchanged_build_without_consumer_writes_no_layer(
    builds: Builds, flask: Built, tmp_path: Path
) -> None:
    quiet = neighbour(tmp_path / "quiet", asks=False)
    built = builds.phases(FLASK, flask, beside=(quiet,))
    assert built.code == 0, built.output
    assert "Nothing changed: reusing 8 packages from the previous image" in built.output
    assert "Neighbour: no python" in built.output
    assert _directories(built) == ["deps"]


def test_later_buildpack_sees_python_and_packages(with_consumer: Built) -> None:
    assert "Writing all packages to disk for another buildpack" in with_consumer.output
    assert _seen(with_consumer) == [
        "/layers/cnb-python_python/venv/bin/python",
        f"/layers/cnb-python_python/{SITE}/flask/__init__.py app",
        "embeds 3.14.6",
    ]
    assert "Keeping libpython for another buildpack" in with_consumer.output


def test_build_consumer_gets_the_layers_of_the_image(with_consumer: Built, flask: Built) -> None:
    for_consumer, in_image = _by_name(with_consumer), _by_name(flask)
    # It may compile C, so this layer has libpython and headers too.
    assert for_consumer.pop("python") != in_image.pop("python")
    assert for_consumer == in_image
    assert "Using cached Python" in with_consumer.output
    assert "Running `" not in with_consumer.output


def test_layers_stay_equal_without_the_consumer(
    builds: Builds, with_consumer: Built, flask: Built
) -> None:
    first = builds.image(FLASK, with_consumer)
    assert first.code == 0, first.output
    assert layers_of(first) == layers_of(flask)
    assert "Running `" not in first.output
    assert "Reusing layer 'cnb-python/python:venv'" in first.output
    again = builds.image(FLASK, first)
    assert "Nothing changed: reusing 8 packages from the previous image" in again.output
    assert _directories(again) == ["deps"]


def test_setting_build_serves_undeclared_consumers(
    builds: Builds, flask: Built, tmp_path: Path
) -> None:
    mute = neighbour(tmp_path / "mute")
    built = builds.phases(FLASK, flask, beside=(mute,), env={"BP_PYTHON_BUILD": "1"})
    assert built.code == 0, built.output
    message = "Writing all packages to disk for the setting BP_PYTHON_BUILD"
    assert message in built.output
    assert len(_seen(built)) == 3, built.output


def test_buildpacks_of_project_toml_are_build_consumers(
    builds: Builds, flask: Built, app: App, tmp_path: Path
) -> None:
    mute = neighbour(tmp_path / "mute")
    built = builds.phases(app({"project.toml": GROUP}, FLASK), flask, beside=(mute,))
    assert built.code == 0, built.output
    message = "Writing all packages to disk for the buildpacks that project.toml adds"
    assert message in built.output
    assert len(_seen(built)) == 3, built.output


def test_merged_layout_is_one_layer_and_can_be_undone(builds: Builds, flask: Built) -> None:
    merged = builds.image(FLASK, flask, env={"BP_PYTHON_LAYOUT": "merged"})
    assert merged.code == 0, merged.output
    assert "the layout has changed from linked to merged" in merged.output
    assert not [title for title in layers_of(merged) if ":deps-" in title]
    assert any(name.endswith(f"{SITE}/flask/app.py") for name in merged.names("venv"))
    with merged.serve() as served:
        assert "Hello" in served.fetch("/")
    back = builds.image(FLASK, merged)
    assert back.code == 0, back.output
    assert "the layout has changed from merged to linked" in back.output
    assert layers_of(back) == layers_of(flask)


def test_installer_does_not_change_the_image(builds: Builds, flask: Built) -> None:
    # With pip instead: test_lost_state.py.
    built = builds.image(FLASK, flask, env={"BP_PYTHON_INSTALLER": "uv"})
    assert built.code == 0, built.output
    assert "the installer has changed from auto to uv" in built.output
    assert layers_of(built) == layers_of(flask)


@pytest.fixture(scope="module")
def patches() -> Iterator[str]:
    """Two patch releases of one release line."""
    with mirror.running(PATCHES) as url:
        yield f"{url}/python.toml"


def test_python_patch_changes_only_layer_python(builds: Builds, app: App, patches: str) -> None:
    images: list[Built] = []
    for version in PATCHES:
        files = {"requirements.txt": "click==8.1.8", "Procfile": "web: python -V"}
        names = app({**files, ".python-version": version})
        env = {"BP_PYTHON_MIRROR": patches}
        images.append(builds.image(names, *images[-1:], env=env))
        assert images[-1].code == 0, images[-1].output
    before, after = (_by_name(image) for image in images)
    assert before["python"] != after["python"]
    assert {"venv", "deps-00"} < before.keys()
    assert before | {"python": ""} == after | {"python": ""}
    assert "Nothing else changed: reusing 1 packages from the previous image" in images[1].output
    assert _directories(images[1]) == ["deps", "python"]
    assert (
        images[1]
        .run("python", "-c", "import click, sys; print(sys.version)")
        .startswith("3.13.13")
    )


def _directories(built: Built) -> list[str]:
    return sorted(path.name for path in built.layers.iterdir() if path.is_dir())


def _seen(built: Built) -> list[str]:
    lines = built.output.splitlines()
    # Without the date and the compiler of the version.
    seen = (line.partition("Neighbour: ")[2] for line in lines if "Neighbour: " in line)
    return [line.partition(" (")[0] for line in seen]


def _by_name(built: Built) -> dict[str, str]:
    ours = "cnb-python/python:"
    layers = layers_of(built).items()
    return {title.removeprefix(ours): sha for title, sha in layers if title.startswith(ours)}
