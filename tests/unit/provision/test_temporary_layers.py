"""What the previous image has is laid out for whom wants to run something, and taken back."""

from collections.abc import Callable
from copy import replace
from pathlib import Path

import pytest

from cnb_python.cnb import toml
from cnb_python.config.settings import Settings
from cnb_python.errors.frameworks import PackagesAdded, PackagesChanged
from cnb_python.managers.base import NeedsResolving
from cnb_python.provision.environment import ProvidedEnvironment
from tests.support.fake_build import Engine, contents, engine
from tests.support.fake_manager import Shop, decision, package
from tests.support.trees import Files, write_files

INDEX = {"a==1.0": package("a"), "a==2.0": package("a", "# newer"), "b==1.0": package("b")}
ALL = {"python", "venv", "deps-00", "deps"}


def somebody(environment: ProvidedEnvironment) -> str:
    assert environment.distributions
    return "somebody"


@pytest.fixture
def app(tmp_path: Path) -> Engine:
    return engine(tmp_path, Shop(dict(INDEX), known=decision("a==1.0", "b==1.0")))


def laid_out(app: Engine) -> dict[str, object]:
    return {name: contents(app.layers / name) for name in ("python", "venv", "deps-00")}


def test_temporary_layers_equal_the_image_and_are_removed(app: Engine) -> None:
    app.build()
    first, found = laid_out(app), list[dict[str, object]]()
    app.restore()
    app.steps_needing_environment, app.use = somebody, lambda _: found.append(laid_out(app))

    app.build()

    assert found == [first]
    assert app.made() == {"deps"}
    assert app.declared() == ALL
    assert app.shop.asked == []
    assert "Writing all packages to disk for somebody" in app.log.said


def test_build_after_temporary_layers_is_unchanged(app: Engine) -> None:
    app.build()
    app.restore().steps_needing_environment = somebody
    app.build()
    app.restore().steps_needing_environment = lambda _: ""

    app.build()

    assert "Nothing changed: reusing 2 packages from the previous image" in app.log.said
    assert app.made() == {"deps"}


def test_changed_layers_stay_and_temporary_layers_are_removed(app: Engine) -> None:
    app.steps_needing_environment = somebody
    app.build()
    app.restore()
    app.shop.known = decision("a==2.0", "b==1.0")

    app.build()

    assert app.made() == ALL - {"python"}
    assert app.declared() == ALL


@pytest.fixture
def locked(app: Engine) -> Engine:
    """An app with a lock that its manager was asked about; one package is a directory's."""
    found = decision("a==1.0", "b==1.0")
    pins = tuple(pin._replace(is_cacheable=pin.name != "a") for pin in found.pins)
    app.shop.known = NeedsResolving("uv.lock holds more", "1" * 64)
    app.shop.answer = found._replace(pins=pins)
    app.build()
    return app.restore()


def test_temporary_layers_with_same_fingerprint_do_not_run_the_manager(locked: Engine) -> None:
    notes = ("store.toml", "venv.toml", "deps-00.toml")
    before = {name: toml.read(locked.layers / name)["metadata"] for name in notes}
    locked.steps_needing_environment = somebody

    locked.build()

    assert locked.shop.asked == []
    assert "Writing all packages to disk for somebody" in locked.log.said
    assert not any("Asking" in line for line in locked.log.said)
    assert locked.made() == {"deps"}
    assert {name: toml.read(locked.layers / name)["metadata"] for name in notes} == before


def test_other_layout_with_same_fingerprint_does_not_run_the_manager(locked: Engine) -> None:
    locked.settings = Settings(layout="merged")

    locked.build()

    assert locked.shop.asked == []
    assert locked.declared() == {"python", "venv", "deps"}
    locked.restore().build()
    assert "Nothing changed: reusing 2 packages from the previous image" in locked.log.said


def other_inputs(app: Engine) -> None:
    app.shop.known = NeedsResolving("uv.lock holds more", "2" * 64)


def no_inputs(app: Engine) -> None:
    app.shop.known = NeedsResolving("a range")


def another_app_directory(app: Engine) -> None:
    moved = app.context.app_dir.rename(app.context.app_dir.with_name("elsewhere"))
    app.context = replace(app.context, app_dir=moved)


def lost_cache(app: Engine) -> None:
    app.lose_cache()


def damaged_store(app: Engine) -> None:
    for path in (app.layers / "deps").glob("*.tar.zst"):
        path.write_bytes(b"x")


@pytest.mark.parametrize(
    "change", [other_inputs, no_inputs, another_app_directory, lost_cache, damaged_store]
)
def test_uncertain_resolution_runs_the_manager(
    locked: Engine, change: Callable[[Engine], None]
) -> None:
    locked.steps_needing_environment = somebody
    change(locked)

    locked.build()

    assert locked.shop.asked[0] in {"decide", "all a b"}
    assert any(line.startswith("Resolving with pip") for line in locked.log.said)


def test_temporary_layers_after_resolving_equal_the_image(app: Engine) -> None:
    app.shop.known = NeedsResolving("a range")
    app.shop.answer = decision("a==1.0", "b==1.0", from_files_alone=False)
    app.build()
    first, found = laid_out(app), list[dict[str, object]]()
    app.restore()
    app.steps_needing_environment, app.use = somebody, lambda _: found.append(laid_out(app))

    app.build()

    assert found == [first]
    assert app.made() == {"deps"}


def test_cache_file_written_by_a_step_is_removed(app: Engine) -> None:
    app.build()
    clean = laid_out(app)
    app.restore().lose_image().lose_cache()
    app.steps_needing_environment = somebody
    app.use = lambda _: (app.layers / "deps-00/tree/dropin.cache").touch()

    app.build()

    assert laid_out(app) == clean


def test_step_that_changes_a_package_fails_the_build(app: Engine) -> None:
    def change(_: ProvidedEnvironment) -> None:
        (app.layers / "deps-00/tree/lib/python3.14/site-packages/a.py").unlink()

    app.steps_needing_environment, app.use = somebody, change

    with pytest.raises(PackagesChanged):
        app.build()


@pytest.mark.parametrize("file", ["venv/pyvenv.cfg", "python/lib/python3.14/os.py"])
def test_step_that_changes_a_temporary_layer_fails_the_build(app: Engine, file: str) -> None:
    app.build()
    app.restore()
    app.steps_needing_environment = somebody
    app.use = lambda _: (app.layers / file).unlink()

    with pytest.raises(PackagesChanged):
        app.build()


@pytest.mark.parametrize("is_in_image", [False, True])
def test_step_that_installs_a_package_fails_the_build(app: Engine, *, is_in_image: bool) -> None:
    if is_in_image:
        app.build()
        app.restore()
    packages = "venv/lib/python3.14/site-packages"
    files = {"six.py": "", "six-1.17.0.dist-info/METADATA": ""}
    app.steps_needing_environment = somebody
    app.use = lambda _: _write(app.layers / packages, files)

    with pytest.raises(PackagesAdded) as caught:
        app.build()

    assert (caught.value.by, caught.value.names) == ("somebody", ("six-1.17.0",))


@pytest.mark.parametrize("is_in_image", [False, True])
def test_file_written_by_a_step_is_reported_unless_a_cache(
    app: Engine, *, is_in_image: bool
) -> None:
    if is_in_image:
        app.build()
        app.restore()
    files = {"a/__pycache__/x.nbi": "", "a/dropin.cache": "", "a.pyc": "", "browsers/one": ""}
    app.steps_needing_environment = somebody
    app.use = lambda _: _write(app.layers / "deps-00/tree", files)

    app.build()

    said = "\n".join(app.log.said)
    assert "Files that were written beside the packages are not in the image" in said
    assert f"somebody wrote {app.layers}/deps-00/tree/browsers/one.\n" in said
    assert not is_in_image or app.made() == {"deps"}


def _write(directory: Path, files: Files) -> None:
    write_files(directory, files)


def test_step_without_store_installs_everything_again(app: Engine) -> None:
    app.build()
    app.restore().lose_cache()
    app.steps_needing_environment = somebody

    app.build()

    assert app.shop.asked == ["try a b"]
    assert app.made() == {"deps"}
    assert app.declared() == ALL
