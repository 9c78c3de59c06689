"""Temporary layers are on disk for app steps, and removed afterwards."""

from collections.abc import Callable
from copy import replace
from pathlib import Path

import pytest

from cnb_python.cnb import toml
from cnb_python.config.settings import Settings
from cnb_python.errors.frameworks import PackagesAdded, PackagesChanged
from cnb_python.managers.base import NeedsResolving
from cnb_python.provision.request import ProvidedEnvironment
from tests.support.fake_build import FakeBuild, contents, fake_build
from tests.support.fake_manager import FakeManager, package, resolution_of
from tests.support.trees import Files, write_files

INDEX = {"a==1.0": package("a"), "a==2.0": package("a", "# newer"), "b==1.0": package("b")}
ALL = {"python", "venv", "deps-00", "deps"}


def a_step(environment: ProvidedEnvironment) -> str:
    assert environment.distributions
    return "a step"


@pytest.fixture
def app(tmp_path: Path) -> FakeBuild:
    from_files = resolution_of("a==1.0", "b==1.0")
    return fake_build(tmp_path, FakeManager(dict(INDEX), from_files=from_files))


def layers_on_disk(app: FakeBuild) -> dict[str, object]:
    return {name: contents(app.layers / name) for name in ("python", "venv", "deps-00")}


def test_temporary_layers_equal_the_image_and_are_removed(app: FakeBuild) -> None:
    app.build()
    first, seen = layers_on_disk(app), list[dict[str, object]]()
    app.restore()
    app.steps_needing_environment, app.use = a_step, lambda _: seen.append(layers_on_disk(app))

    app.build()

    assert seen == [first]
    assert app.layers_on_disk() == {"deps"}
    assert app.declared_layers() == ALL
    assert app.manager.calls == []
    assert "Writing all packages to disk for a step" in app.log.lines


def test_build_after_temporary_layers_is_unchanged(app: FakeBuild) -> None:
    app.build()
    app.restore().steps_needing_environment = a_step
    app.build()
    app.restore().steps_needing_environment = lambda _: ""

    app.build()

    assert "Nothing changed: reusing 2 packages from the previous image" in app.log.lines
    assert app.layers_on_disk() == {"deps"}


def test_changed_layers_stay_and_temporary_layers_are_removed(app: FakeBuild) -> None:
    app.steps_needing_environment = a_step
    app.build()
    app.restore()
    app.manager.from_files = resolution_of("a==2.0", "b==1.0")

    app.build()

    assert app.layers_on_disk() == ALL - {"python"}
    assert app.declared_layers() == ALL


@pytest.fixture
def locked(app: FakeBuild) -> FakeBuild:
    """An app whose lock file was resolved by its manager; package a is a local directory."""
    seen = resolution_of("a==1.0", "b==1.0")
    pins = tuple(pin._replace(is_cacheable=pin.name != "a") for pin in seen.pins)
    app.manager.from_files = NeedsResolving("uv.lock holds more", "1" * 64)
    app.manager.resolved = seen._replace(pins=pins)
    app.build()
    return app.restore()


def test_temporary_layers_with_same_fingerprint_do_not_run_the_manager(locked: FakeBuild) -> None:
    notes = ("store.toml", "venv.toml", "deps-00.toml")
    before = {name: toml.read(locked.layers / name)["metadata"] for name in notes}
    locked.steps_needing_environment = a_step

    locked.build()

    assert locked.manager.calls == []
    assert "Writing all packages to disk for a step" in locked.log.lines
    assert not any("Resolving with" in line for line in locked.log.lines)
    assert locked.layers_on_disk() == {"deps"}
    assert {name: toml.read(locked.layers / name)["metadata"] for name in notes} == before


def test_other_layout_with_same_fingerprint_does_not_run_the_manager(locked: FakeBuild) -> None:
    locked.settings = Settings(layout="merged")

    locked.build()

    assert locked.manager.calls == []
    assert locked.declared_layers() == {"python", "venv", "deps"}
    locked.restore().build()
    assert "Nothing changed: reusing 2 packages from the previous image" in locked.log.lines


def other_inputs(app: FakeBuild) -> None:
    app.manager.from_files = NeedsResolving("uv.lock holds more", "2" * 64)


def no_inputs(app: FakeBuild) -> None:
    app.manager.from_files = NeedsResolving("a range")


def another_app_directory(app: FakeBuild) -> None:
    moved = app.context.app_dir.rename(app.context.app_dir.with_name("elsewhere"))
    app.context = replace(app.context, app_dir=moved)


def lost_cache(app: FakeBuild) -> None:
    app.lose_cache()


def damaged_store(app: FakeBuild) -> None:
    for path in (app.layers / "deps").glob("*.tar.zst"):
        path.write_bytes(b"x")


@pytest.mark.parametrize(
    "change", [other_inputs, no_inputs, another_app_directory, lost_cache, damaged_store]
)
def test_uncertain_resolution_runs_the_manager(
    locked: FakeBuild, change: Callable[[FakeBuild], None]
) -> None:
    locked.steps_needing_environment = a_step
    change(locked)

    locked.build()

    assert locked.manager.calls[0] in {"resolve", "resolve and install a b"}
    assert any(line.startswith("Resolving with pip") for line in locked.log.lines)


def test_temporary_layers_after_resolving_equal_the_image(app: FakeBuild) -> None:
    app.manager.from_files = NeedsResolving("a range")
    app.manager.resolved = resolution_of("a==1.0", "b==1.0", from_files_alone=False)
    app.build()
    first, seen = layers_on_disk(app), list[dict[str, object]]()
    app.restore()
    app.steps_needing_environment, app.use = a_step, lambda _: seen.append(layers_on_disk(app))

    app.build()

    assert seen == [first]
    assert app.layers_on_disk() == {"deps"}


def test_cache_file_written_by_a_step_is_removed(app: FakeBuild) -> None:
    app.build()
    clean = layers_on_disk(app)
    app.restore().lose_image().lose_cache()
    app.steps_needing_environment = a_step
    app.use = lambda _: (app.layers / "deps-00/tree/dropin.cache").touch()

    app.build()

    assert layers_on_disk(app) == clean


def test_step_that_changes_a_package_fails_the_build(app: FakeBuild) -> None:
    def change(_: ProvidedEnvironment) -> None:
        (app.layers / "deps-00/tree/lib/python3.14/site-packages/a.py").unlink()

    app.steps_needing_environment, app.use = a_step, change

    with pytest.raises(PackagesChanged):
        app.build()


@pytest.mark.parametrize("file", ["venv/pyvenv.cfg", "python/lib/python3.14/os.py"])
def test_step_that_changes_a_temporary_layer_fails_the_build(app: FakeBuild, file: str) -> None:
    app.build()
    app.restore()
    app.steps_needing_environment = a_step
    app.use = lambda _: (app.layers / file).unlink()

    with pytest.raises(PackagesChanged):
        app.build()


@pytest.mark.parametrize("is_in_image", [False, True])
def test_step_that_installs_a_package_fails_the_build(
    app: FakeBuild, *, is_in_image: bool
) -> None:
    if is_in_image:
        app.build()
        app.restore()
    packages = "venv/lib/python3.14/site-packages"
    files = {"six.py": "", "six-1.17.0.dist-info/METADATA": ""}
    app.steps_needing_environment = a_step
    app.use = lambda _: _write(app.layers / packages, files)

    with pytest.raises(PackagesAdded) as caught:
        app.build()

    assert (caught.value.by, caught.value.names) == ("a step", ("six-1.17.0",))


@pytest.mark.parametrize("is_in_image", [False, True])
def test_file_written_by_a_step_is_reported_unless_a_cache(
    app: FakeBuild, *, is_in_image: bool
) -> None:
    if is_in_image:
        app.build()
        app.restore()
    files = {"a/__pycache__/x.nbi": "", "a/dropin.cache": "", "a.pyc": "", "browsers/one": ""}
    app.steps_needing_environment = a_step
    app.use = lambda _: _write(app.layers / "deps-00/tree", files)

    app.build()

    log = "\n".join(app.log.lines)
    assert "Files that were written beside the packages are not in the image" in log
    assert f"a step wrote {app.layers}/deps-00/tree/browsers/one.\n" in log
    assert not is_in_image or app.layers_on_disk() == {"deps"}


def _write(directory: Path, files: Files) -> None:
    write_files(directory, files)


def test_step_without_store_installs_everything_again(app: FakeBuild) -> None:
    app.build()
    app.restore().lose_cache()
    app.steps_needing_environment = a_step

    app.build()

    assert app.manager.calls == ["fetch a b"]
    assert app.layers_on_disk() == {"deps"}
    assert app.declared_layers() == ALL
