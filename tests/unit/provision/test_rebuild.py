"""The result of a rebuild does not depend on earlier builds."""

from collections.abc import Callable
from copy import replace
from pathlib import Path

import pytest

from cnb_python.cnb import toml
from cnb_python.config.settings import Settings
from cnb_python.errors.packages.install import UvRefused
from cnb_python.managers.base import InstallContext
from tests.support.fake_build import FakeBuild, contents, fake_build, release
from tests.support.fake_manager import FakeManager, Package, package, resolution_of
from tests.support.stages import SITE

LARGE = 33 * 1024 * 1024
INDEX = {
    "a==1.0": package("a"),
    "a==2.0": package("a", "# newer"),
    "b==1.0": package("b"),
    "c==1.0": Package({f"{SITE}/c/__init__.py": "# c", f"{SITE}/c/data.txt": "x"}),
    "s==1.0": Package({f"{SITE}/s.py": "# s", "share/s.txt": "small"}),
    "opencv==1.0": package("opencv", cv2__py="# all"),
    "opencv-headless==1.0": package("opencv_headless", cv2__py="# less"),
}
SETS = [
    ("a==1.0", "b==1.0"),
    ("a==2.0", "b==1.0", "c==1.0"),
    ("b==1.0", "opencv==1.0", "opencv-headless==1.0"),
    ("a==2.0", "s==1.0"),
]


@pytest.fixture
def app(tmp_path: Path) -> FakeBuild:
    return fake_build(tmp_path, FakeManager(dict(INDEX)))


def image(app: FakeBuild, names: set[str], before: dict[str, object]) -> dict[str, object]:
    """Return the layers of the image: those on disk, and those reused from *before*."""
    layers = {
        name: contents(app.layers / name) if (app.layers / name).is_dir() else before[name]
        for name in names
    }
    return dict(sorted(layers.items()))


NO_IMAGE = (
    "Making every layer again: the cache was restored, but no previous image (if each build has a "
    "new tag, use a stable name with --tag, or --previous-image)"
)


def test_only_a_cache_without_its_image_is_hinted_at(app: FakeBuild) -> None:
    app.manager.from_files = resolution_of(*SETS[0])
    app.build()
    hinted = {"first": app.log.lines.count(NO_IMAGE)}
    builds: dict[str, Callable[[], FakeBuild]] = {
        "unchanged": app.restore,
        "without image": lambda: app.restore().lose_image(),
        "without cache": lambda: app.restore().lose_cache(),
        "without both": lambda: app.restore().lose_image().lose_cache(),
        "other Python": app.restore,
    }
    for name, prepare in builds.items():
        prepare()
        if name == "other Python":
            app.release = release(app.context.app_dir.parent, "3.14.7")
        app.build()
        hinted[name] = app.log.lines.count(NO_IMAGE)

    assert hinted == {name: int(name == "without image") for name in hinted}


def test_cloud_foundry_which_has_no_image_gets_no_hint(app: FakeBuild) -> None:
    app.manager.from_files = resolution_of(*SETS[0])
    app.build()
    app.restore().lose_image()
    app.context = app.context._replace(environ={**app.context.environ, "VCAP_APPLICATION": "{}"})

    app.build()

    assert NO_IMAGE not in app.log.lines


@pytest.mark.parametrize("layout", ["linked", "merged"])
def test_cached_build_gives_the_same_image_as_a_clean_one(app: FakeBuild, layout: str) -> None:
    app.settings = Settings(layout=layout)
    clean: dict[tuple[str, ...], object] = {}
    for lines in SETS:
        app.manager.from_files = resolution_of(*lines)
        app.build()
        clean[lines] = image(app, app.declared_layers() - {"deps"}, {})
        app.restore().lose_image().lose_cache()

    cached: dict[str, object] = {}
    for lines in (*SETS, *reversed(SETS), SETS[0]):
        app.manager.from_files = resolution_of(*lines)
        app.build()
        cached = image(app, app.declared_layers() - {"deps"}, cached)
        assert cached == clean[lines], lines
        app.restore()


def test_alternating_versions_are_installed_once_each(app: FakeBuild) -> None:
    for lines in (("b==1.0",), ("a==1.0", "b==1.0")):
        app.manager.from_files = resolution_of(*lines)
        app.build()
        app.restore()

    app.manager.from_files = resolution_of("b==1.0")
    app.build()

    assert app.manager.calls == []
    assert app.restore().build().distributions.keys() == {"b"}


def test_changed_package_changes_only_its_shard_and_venv(app: FakeBuild) -> None:
    large = Package({f"{SITE}/large/__init__.py": "", f"{SITE}/large/data.bin": "0" * LARGE})
    app.manager.index["large==1.0"] = large
    app.manager.from_files = resolution_of("a==1.0", "b==1.0", "large==1.0")
    first = app.build()
    app.restore()
    app.manager.from_files = resolution_of("a==2.0", "b==1.0", "large==1.0")

    record = app.build()

    assert app.manager.calls == ["fetch a"]
    changed = {name for name in record.layers if record.layers[name] != first.layers[name]}
    assert app.layers_on_disk() == changed | {"deps"}
    assert "deps-large" in record.layers
    assert "deps-large" not in changed
    assert len(changed - {"venv"}) == 1


def test_large_distribution_with_own_layer_is_not_archived(app: FakeBuild) -> None:
    large = Package({f"{SITE}/large/__init__.py": "", f"{SITE}/large/data.bin": "0" * LARGE})
    app.manager.index["large==1.0"] = large
    app.manager.from_files = resolution_of("a==1.0", "large==1.0")
    app.build()
    app.restore()
    (app.layers / "deps-large.toml").unlink()

    app.build()

    assert app.manager.calls == ["fetch large"]
    assert "deps-large" in app.layers_on_disk()


def test_changed_small_file_does_not_unpack_its_archive(app: FakeBuild) -> None:
    app.manager.from_files = resolution_of("s==1.0")
    app.build()
    app.restore()
    (app.layers / "venv.toml").unlink()

    app.build()

    assert app.layers_on_disk() == {"venv", "deps"}
    assert (app.layers / "venv/share/s.txt").exists()
    assert app.manager.calls == []


def test_failed_build_leaves_no_layer(app: FakeBuild) -> None:
    app.manager.from_files = resolution_of("a==1.0", "b==1.0")
    app.build()
    app.restore()
    app.manager.from_files = resolution_of("a==2.0", "b==1.0")

    def fail(target: InstallContext) -> None:
        (target.environment / "half").touch()
        raise UvRefused("uv", 1, ())

    app.manager.before_install = fail
    with pytest.raises(UvRefused):
        app.build()

    assert not (app.layers / "venv.toml").exists()
    assert not [path for path in app.layers.iterdir() if path.name.startswith(".")]


def test_build_after_a_failed_one_gives_the_same_image(app: FakeBuild) -> None:
    app.manager.from_files = resolution_of("a==2.0", "b==1.0")
    app.build()
    clean = image(app, {"python", "venv", "deps-00"}, {})
    app.restore().lose_image().lose_cache()
    app.manager.from_files = resolution_of("a==1.0", "b==1.0")
    app.build()
    app.restore()
    app.manager.from_files = resolution_of("a==2.0", "b==1.0")

    def fail(_: InstallContext) -> None:
        raise UvRefused("uv", 1, ())

    app.manager.before_install = fail
    with pytest.raises(UvRefused):
        app.build()
    # In the same directory, as some platforms do.
    app.manager.before_install = lambda _: None
    app.build()

    assert {"venv", "deps-00"} <= app.layers_on_disk()
    layers = image(app, {"venv", "deps-00"}, {})
    assert layers == {name: clean[name] for name in layers}


@pytest.mark.parametrize("damage", [b"", b"nonsense", None])
def test_damaged_store_is_reported_and_replaced(app: FakeBuild, damage: bytes | None) -> None:
    app.manager.from_files = resolution_of("a==1.0", "b==1.0")
    app.build()
    app.restore()
    for path in (app.layers / "deps").iterdir():
        path.write_bytes(path.read_bytes()[:-1] if damage is None else damage)
    app.manager.from_files = resolution_of("a==2.0", "b==1.0")

    app.build()

    assert app.manager.calls == ["fetch a b"]
    reasons = [line for line in app.log.lines if line.startswith("Not using the previous build's")]
    assert len(reasons) == 1
    app.restore().build()
    assert app.log.lines == ["Nothing changed: reusing 2 packages from the previous image"]


def test_lost_archives_are_made_again(app: FakeBuild) -> None:
    app.manager.from_files = resolution_of("a==1.0", "b==1.0")
    app.build()
    app.restore()
    for path in (app.layers / "deps").glob("*.tar.zst"):
        path.unlink()
    app.manager.from_files = resolution_of("a==2.0", "b==1.0")

    app.build()

    assert app.manager.calls == ["fetch a b"]
    assert any(line.startswith("Installing b again: ") for line in app.log.lines)


def test_store_keeps_only_what_is_used(app: FakeBuild) -> None:
    app.manager.from_files = resolution_of("a==1.0", "b==1.0")
    app.build()
    first = {path.name for path in (app.layers / "deps").iterdir()}
    app.restore()
    app.manager.from_files = resolution_of("b==1.0")
    app.build()
    fewer = {path.name for path in (app.layers / "deps").iterdir()}
    app.restore().lose_image().lose_cache()
    app.build()

    assert fewer == {path.name for path in (app.layers / "deps").iterdir()}
    assert len(fewer) < len(first)


def test_other_target_rebuilds_everything_and_logs_every_reason(app: FakeBuild) -> None:
    app.manager.from_files = resolution_of("a==1.0", "b==1.0")
    app.build()
    app.restore()
    target = replace(app.context.target, arch="arm64", distro_version="13")
    app.context = replace(app.context, target=target)

    app.build()

    assert app.manager.calls == ["fetch a b"]
    assert app.layers_on_disk() == {"python", "venv", "deps-00", "deps"}
    for what in ("Python", "packages"):
        begin = f"Not using the previous build's {what}: the "
        assert f"{begin}architecture has changed from amd64 to arm64" in app.log.lines
        assert (
            f"{begin}Linux distribution of the image has changed from debian 12 to debian 13"
            in app.log.lines
        )


def test_layers_of_the_other_layout_are_removed(app: FakeBuild) -> None:
    app.manager.from_files = resolution_of("a==1.0", "b==1.0")
    app.build()
    app.restore()
    app.settings = Settings(layout="merged")

    app.build()

    assert app.declared_layers() == {"python", "venv", "deps"}
    assert app.manager.calls == []
    app.restore().build()
    assert app.log.lines == ["Nothing changed: reusing 2 packages from the previous image"]


def test_local_directory_is_installed_in_every_build(app: FakeBuild) -> None:
    local = app.manager.from_files = resolution_of("a==1.0", "b==1.0")
    pins = tuple(pin._replace(is_cacheable=pin.name != "a") for pin in local.pins)
    app.manager.from_files = local._replace(pins=pins, from_files_alone=False)
    app.build()
    app.restore()
    app.manager.index["a==1.0"] = package("a", "# edited")

    record = app.build()

    assert app.manager.calls == ["fetch a"]
    shared = app.layers / "deps-00/tree" / SITE / "a.py"
    assert shared.read_text(encoding="utf-8") == "# edited"
    assert record.distributions == {"a": "1.0", "b": "1.0"}


def test_work_directory_is_removed(app: FakeBuild) -> None:
    app.manager.from_files = resolution_of(*SETS[2])

    app.build()

    allowed = {"python", "venv", "deps-00", "deps", "store"}
    names = {path.name for path in app.layers.iterdir() if ".sbom." not in path.name}
    assert {name.removesuffix(".toml") for name in names} == allowed


def test_layer_metadata_is_a_digest_only(app: FakeBuild) -> None:
    app.manager.from_files = resolution_of("a==1.0", "b==1.0")
    record = app.build()

    for name, digest in record.layers.items():
        assert toml.read(app.layers / f"{name}.toml")["metadata"] == {"digest": digest}


def test_record_names_the_programs_of_packages_also_in_an_unchanged_build(app: FakeBuild) -> None:
    app.manager.index["d==1.0"] = Package({f"{SITE}/d.py": "# d", "bin/zeta": "#!", "bin/d": "#!"})
    app.manager.from_files = resolution_of("a==1.0", "d==1.0")

    assert app.build().programs == ("d", "zeta")
    assert app.restore().build().programs == ("d", "zeta")
    assert app.layers_on_disk() == {"deps"}
