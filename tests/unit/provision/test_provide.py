"""An unchanged build makes no layer; another makes those that changed, and logs why."""

import sys
from collections.abc import Callable
from copy import replace
from pathlib import Path

import pytest

from cnb_python.cnb import toml
from cnb_python.config.settings import Settings
from cnb_python.layers.store import BuildRecord
from cnb_python.managers.base import InstallContext, NeedsResolving
from tests.support.fake_build import FakeBuild, contents, fake_build, release
from tests.support.fake_manager import FakeManager, package, resolution_of

INDEX = {
    "a==1.0": package("a"),
    "a==2.0": package("a", "# newer"),
    "b==1.0": package("b"),
    "gunicorn==26.0": package("gunicorn"),
    "picky==1.0": package("picky", "", "b; python_full_version > '3.14.2'"),
}
ALL = {"python", "venv", "deps-00", "deps"}


@pytest.fixture
def app(tmp_path: Path) -> FakeBuild:
    from_files = resolution_of("a==1.0", "b==1.0")
    return fake_build(tmp_path, FakeManager(dict(INDEX), from_files=from_files))


@pytest.fixture
def built(app: FakeBuild) -> FakeBuild:
    """An app after its first build, with layers as the restorer leaves them."""
    app.build()
    return app.restore()


def unchanged(app: FakeBuild) -> bool:
    return "Nothing changed" in "\n".join(app.log.lines)


def test_first_build_makes_every_layer(app: FakeBuild) -> None:
    record = app.build()

    assert app.layers_on_disk() == app.declared_layers() == ALL
    assert record.distributions == {"a": "1.0", "b": "1.0"}
    assert TWO in app.log.lines
    site = app.layers / "venv/lib/python3.14/site-packages"
    assert (site / "a.py").read_text(encoding="utf-8") == "# a"
    assert (site / "a.py").is_symlink()


def test_unchanged_build_makes_no_layer(built: FakeBuild) -> None:
    store = contents(built.layers / "deps")

    record = built.build()

    assert built.layers_on_disk() == {"deps"}
    assert built.declared_layers() == ALL
    assert contents(built.layers / "deps") == store
    assert (built.manager.calls, built.programs.ran) == ([], [])
    assert built.log.lines == ["Nothing changed: reusing 2 packages from the previous image"]
    assert record.distributions == {"a": "1.0", "b": "1.0"}


def test_reused_layers_are_launch_layers_only(built: FakeBuild) -> None:
    built.build()

    for name in ALL - {"deps"}:
        types = toml.read(built.layers / f"{name}.toml")["types"]
        assert types == {"build": False, "launch": True, "cache": False}


def test_unchanged_build_leaves_metadata_unchanged(built: FakeBuild) -> None:
    notes = ("deps.toml", "store.toml", "venv.toml", "deps-00.toml", "python.toml")
    before = {name: toml.read(built.layers / name)["metadata"] for name in notes}

    built.build()

    assert {name: toml.read(built.layers / name)["metadata"] for name in notes} == before


def test_repeated_unchanged_builds_make_no_layer(built: FakeBuild) -> None:
    for _ in range(3):
        built.build()
        assert unchanged(built)
        built.restore()


def test_unchanged_build_needs_no_cache(built: FakeBuild) -> None:
    built.lose_cache().build()

    assert unchanged(built)
    assert built.layers_on_disk() == set()
    assert built.declared_layers() == ALL - {"deps"}


def test_build_without_previous_image_uses_the_cache(built: FakeBuild) -> None:
    built.lose_image().build()

    assert built.manager.calls == []
    assert "Using cached Python 3.14.6" in built.log.lines
    assert built.layers_on_disk() == ALL


def other_layer(name: str, text: str) -> Callable[[FakeBuild], None]:
    def change(app: FakeBuild) -> None:
        (app.layers / name).write_text(text, encoding="utf-8")

    return change


def without(name: str) -> Callable[[FakeBuild], None]:
    return lambda app: (app.layers / name).unlink()


def undecided(app: FakeBuild) -> None:
    app.manager.from_files = NeedsResolving("line 1 of requirements.txt asks for a range")
    app.manager.resolved = resolution_of("a==1.0", "b==1.0", from_files_alone=False)


def test_same_fingerprint_does_not_run_the_manager(app: FakeBuild) -> None:
    app.manager.from_files = NeedsResolving("uv.lock holds more", "1" * 64)
    app.manager.resolved = resolution_of("a==1.0", "b==1.0", from_files_alone=False)
    app.build()

    app.restore().build()

    assert unchanged(app)
    assert app.manager.calls == []
    assert app.layers_on_disk() == {"deps"}


def test_install_that_writes_into_the_app_runs_in_every_build(app: FakeBuild) -> None:
    app.manager.from_files = NeedsResolving("uv.lock holds more", "1" * 64)
    app.manager.resolved = resolution_of("a==1.0", "b==1.0", from_files_alone=False)
    version = app.context.app_dir / "_version.py"

    def build_it(_: InstallContext) -> None:
        version.write_text("1.0", "utf-8")

    app.manager.before_install = build_it
    app.build()
    assert (
        "Installing again in every build, since it writes into the app: _version.py"
        in app.log.lines
    )
    version.unlink()  # the next build starts from the repository

    app.restore().build()

    assert app.manager.calls == ["resolve"]
    assert version.read_text("utf-8") == "1.0"
    assert app.layers_on_disk() == {"deps"}


def test_new_python_patch_does_not_run_the_manager(app: FakeBuild, tmp_path: Path) -> None:
    app.manager.from_files = NeedsResolving("uv.lock holds more", "1" * 64)
    app.manager.resolved = resolution_of("a==1.0", "b==1.0", from_files_alone=False)
    app.build()
    app.release = release(tmp_path, "3.14.7")

    app.restore().build()

    assert app.manager.calls == []
    assert app.layers_on_disk() == {"python", "deps"}


def test_incomplete_pins_are_installed_only_once(app: FakeBuild) -> None:
    app.manager.from_files = resolution_of("picky==1.0")
    app.manager.resolved = resolution_of("b==1.0", "picky==1.0", from_files_alone=False)
    app.build()
    message = next(
        line for line in app.log.lines if line.startswith("Resolving with pip: picky requires b")
    )

    for _ in range(2):
        app.restore().build()

        assert app.manager.calls == ["resolve"]
        assert message in app.log.lines
        assert app.layers_on_disk() == {"deps"}


@pytest.mark.parametrize("change", ["lines", "patch", "cache and image"])
def test_changed_pins_python_or_lost_record_tries_pins_again(
    app: FakeBuild, tmp_path: Path, change: str
) -> None:
    app.manager.from_files = resolution_of("picky==1.0")
    app.manager.resolved = resolution_of("b==1.0", "picky==1.0", from_files_alone=False)
    app.build()
    app.restore()
    if change == "lines":
        app.manager.from_files = resolution_of("b==1.0", "picky==1.0")
    elif change == "patch":
        app.release = release(tmp_path, "3.14.1")
    else:
        app.lose_cache().lose_image()

    app.build()

    assert app.manager.calls[:1] != ["resolve"]


@pytest.mark.parametrize("inputs", ["2" * 64, ""])
def test_other_or_missing_fingerprint_runs_the_manager(app: FakeBuild, inputs: str) -> None:
    app.manager.from_files = NeedsResolving("uv.lock holds more", inputs and "1" * 64)
    app.manager.resolved = resolution_of("a==1.0", "b==1.0", from_files_alone=False)
    app.build()
    app.manager.from_files = NeedsResolving("uv.lock holds more", inputs)

    app.restore().build()

    assert app.manager.calls == ["resolve"]
    assert "Resolving with pip: uv.lock holds more" in app.log.lines


def other_variables(app: FakeBuild) -> None:
    app.context = replace(app.context, exec_env="test")


def merged(app: FakeBuild) -> None:
    app.settings = Settings(layout="merged")


def demanded(app: FakeBuild) -> None:
    app.build_consumers = "another buildpack"


def other_pin(app: FakeBuild) -> None:
    app.manager.from_files = resolution_of("a==2.0", "b==1.0")


def fewer(app: FakeBuild) -> None:
    app.manager.from_files = resolution_of("a==1.0")


def other_distribution(app: FakeBuild) -> None:
    target = replace(app.context.target, distro_version="13")
    app.context = replace(app.context, target=target)


ONE, TWO = "Installed packages: 1", "Installed packages: 2"
REASONS = {
    "a pin": (other_pin, TWO),
    "a removed pin": (fewer, ONE),
    "a range": (
        undecided,
        "Resolving with pip: line 1 of requirements.txt asks for a range",
    ),
    "an execution environment": (
        other_variables,
        (
            "Rebuilding the environment's layers: the execution environment has changed from "
            "production to test"
        ),
    ),
    "a layout": (
        merged,
        ("Rebuilding the environment's layers: the layout has changed from linked to merged"),
    ),
    "a build consumer": (
        demanded,
        "Writing all packages to disk for another buildpack",
    ),
    "a distribution of Linux": (
        other_distribution,
        (
            "Not using the previous build's packages: "
            "the Linux distribution of the image has changed from debian 12 to debian 13"
        ),
    ),
    "a lost layer": (without("venv.toml"), TWO),
    "a lost shard": (without("deps-00.toml"), TWO),
    "another shard": (
        other_layer("deps-00.toml", '[metadata]\ndigest = "00"'),
        TWO,
    ),
    "an extra shard": (
        other_layer("deps-01.toml", '[metadata]\ndigest = "00"'),
        TWO,
    ),
    "a broken layer": (other_layer("venv.toml", "nonsense"), TWO),
    "a broken cache": (
        other_layer("deps.toml", "nonsense"),
        "Not using the previous build's packages: deps.toml cannot be read",
    ),
}


@pytest.mark.parametrize(("change", "reason"), REASONS.values(), ids=REASONS)
def test_every_change_rebuilds_and_logs_its_reason(
    built: FakeBuild, change: Callable[[FakeBuild], None], reason: str
) -> None:
    change(built)

    record = built.build()

    assert not unchanged(built)
    assert any(message.startswith(reason) for message in built.log.lines), built.log.lines
    assert built.declared_layers() == {"python", "deps", *record.layers}
    assert built.layers_on_disk() >= {"deps"}


@pytest.mark.parametrize("name", ["venv.toml", "deps-00.toml"])
def test_lost_layer_alone_is_made_again(built: FakeBuild, name: str) -> None:
    before = {
        path.name: toml.read(path)["metadata"]
        for path in built.layers.glob("*.toml")
        if path.stem not in {"deps", "store"}
    }
    without(name)(built)

    built.build()

    assert built.layers_on_disk() == {name.removesuffix(".toml"), "deps"}
    assert built.manager.calls == []
    assert before == {name: toml.read(built.layers / name)["metadata"] for name in before}


def test_unused_shard_is_removed(built: FakeBuild) -> None:
    other_layer("deps-01.toml", '[metadata]\ndigest = "00"')(built)

    built.build()

    assert built.declared_layers() == ALL


def test_changed_process_variables_rebuild_venv(app: FakeBuild) -> None:
    app.manager.from_files = resolution_of("gunicorn==26.0")
    app.build()
    app.restore()
    (app.context.app_dir / "gunicorn.conf.py").write_text("worker_tmp_dir = '/x'\n")

    app.build()

    assert app.layers_on_disk() == {"venv", "deps"}
    assert app.manager.calls == []


def test_new_python_patch_makes_only_python(built: FakeBuild, tmp_path: Path) -> None:
    built.release = release(tmp_path, "3.14.7")

    built.build()

    assert built.layers_on_disk() == {"python", "deps"}
    assert built.declared_layers() == ALL
    assert built.manager.calls == []
    assert "Nothing else changed: reusing 2 packages from the previous image" in built.log.lines
    built.restore().build()
    assert unchanged(built)


def test_resolution_that_depends_on_python_patch_is_repeated(
    app: FakeBuild, tmp_path: Path
) -> None:
    app.manager.from_files = resolution_of("b==1.0", "picky==1.0")
    assert app.build().python_patch == "3.14.6"
    app.restore()
    app.release = release(tmp_path, "3.14.7")

    record = app.build()

    assert "Nothing else changed" not in "\n".join(app.log.lines)
    assert record.python_patch == "3.14.7"
    assert app.layers_on_disk() == {"python", "deps"}


def test_repeated_resolution_makes_only_changed_layers(
    app: FakeBuild,
) -> None:
    undecided(app)
    app.build()
    app.restore()

    record = app.build()

    assert app.manager.calls == ["resolve"]
    assert app.layers_on_disk() == {"deps"}
    assert not record.from_files_alone


def test_resolution_of_the_manager_is_not_reused_for_pinned_files(app: FakeBuild) -> None:
    """The pins stay incomplete, so every build runs the manager."""
    app.manager.index["lonely==1.0"] = package("lonely", "", "b")
    app.manager.from_files = resolution_of("lonely==1.0")
    app.manager.resolved = resolution_of("b==1.0", "lonely==1.0", from_files_alone=False)
    app.build()
    app.restore()

    app.build()

    assert app.manager.calls == ["resolve"]
    assert not unchanged(app)


def test_build_consumer_gets_every_layer_on_disk(built: FakeBuild) -> None:
    built.build_consumers = "another buildpack"

    built.build()

    assert built.layers_on_disk() == built.declared_layers() == ALL
    for name in ALL - {"deps"}:
        types = toml.read(built.layers / f"{name}.toml")["types"]
        assert types == {"build": True, "launch": True, "cache": False}


def test_build_consumer_in_some_builds_keeps_layers_equal(built: FakeBuild) -> None:
    built.build_consumers = "another buildpack"
    built.build()
    built.restore().build()
    assert built.layers_on_disk() == ALL
    assert built.manager.calls == []

    built.restore().build_consumers = ""
    built.build()

    assert built.layers_on_disk() == ALL
    assert built.restore().build() is not None
    assert unchanged(built)


def test_unchanged_build_does_not_import_the_installer(built: FakeBuild) -> None:
    """Importing the modules of a rebuild takes longer than an unchanged build."""
    heavy = {"cnb_python.provision.rebuild"}
    loaded = {name: sys.modules.pop(name) for name in heavy if name in sys.modules}
    try:
        built.build()
        assert heavy.isdisjoint(sys.modules)
    finally:
        sys.modules.update(loaded)


def test_store_toml_has_the_record_without_store_fields(app: FakeBuild) -> None:
    record = app.build()

    assert isinstance(record, BuildRecord)
    assert record.from_files_alone
    assert record.layers.keys() == {"venv", "deps-00"}
    assert record.layer_sizes.keys() >= record.layers.keys()
    assert record.largest.keys() == {"a", "b"}
