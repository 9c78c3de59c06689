"""Layers have their SBOMs in each build, the same ones whatever was built before."""

from pathlib import Path

import pytest

from cnb_python.cnb.layer import SbomFormat
from cnb_python.config.settings import Settings
from cnb_python.layers import sbom_files
from cnb_python.provision.sboms import of_tools
from tests.support.fake_build import FakeBuild, fake_build, release
from tests.support.fake_manager import FakeManager, Package, package, resolution_of
from tests.support.sbom_schemas import check_cyclonedx, check_spdx
from tests.support.stages import SITE

INDEX = {
    "a==1.0": package("a", "", "b"),
    "a==2.0": package("a", "# newer"),
    "b==1.0": package("b"),
    "large==1.0": Package({f"{SITE}/large/data.bin": "0" * 33 * 1024 * 1024}, ("a",)),
}
SETS = [
    ("a==1.0", "b==1.0"),
    ("a==2.0", "b==1.0", "large==1.0"),
    ("b==1.0",),
    (),
]
NOTHING = "Nothing changed: reusing 2 packages from the previous image"


@pytest.fixture
def app(tmp_path: Path) -> FakeBuild:
    app = fake_build(tmp_path, FakeManager(dict(INDEX)))
    app.manager.from_files = resolution_of("a==1.0", "b==1.0")
    return app


def sboms(app: FakeBuild) -> dict[str, bytes]:
    """Return the SBOMs of the layers by their file names."""
    names = {path.name: path for path in app.layers.glob("*.sbom.*")}
    return {name: path.read_bytes() for name, path in names.items() if name[:6] != "build."}


def test_each_layer_has_its_distributions_in_both_formats(app: FakeBuild) -> None:
    app.manager.from_files = resolution_of("a==1.0", "b==1.0", "large==1.0")
    app.build()

    written = sboms(app)
    layers = {name.partition(".")[0] for name in written}
    assert layers == app.declared_layers() - {"venv", "deps"}
    listed = dict[str, list[str]]()
    for layer in layers:
        document = check_cyclonedx(written.pop(f"{layer}.sbom.cdx.json"))
        packages = check_spdx(written.pop(f"{layer}.sbom.spdx.json"))["packages"]
        names = [each["name"] for each in document["components"]]
        assert sorted(each["name"] for each in packages) == sorted(names)
        listed[layer] = names
    assert written == {}
    assert listed["deps-large"] == ["large"]
    assert sorted(name for names in listed.values() for name in names) == [
        *("a", "b", "large", "python")
    ]


@pytest.mark.parametrize("layout", ["linked", "merged"])
def test_cached_build_has_the_sboms_of_a_clean_one(app: FakeBuild, layout: str) -> None:
    app.settings = Settings(layout=layout)
    clean = {}
    for lines in SETS:
        app.manager.from_files = resolution_of(*lines)
        app.build()
        clean[lines] = sboms(app)
        app.restore().lose_image().lose_cache()

    for lines in (*SETS, *reversed(SETS), SETS[0]):
        app.manager.from_files = resolution_of(*lines)
        app.build()
        assert sboms(app) == clean[lines], lines
        app.restore()


def test_sboms_of_a_wheel_are_read_up_to_a_limit(app: FakeBuild) -> None:
    """Each is smaller than the largest file that is read, and both together are not."""
    sbom = '{"bomFormat": "CycloneDX", "components": [{"name": "zlib"}]}' + (17 << 20) * " "
    files = {f"{SITE}/wide-1.0.dist-info/sboms/{name}.json": sbom for name in ("a", "b")}
    app.manager.index["wide==1.0"] = Package({f"{SITE}/wide.py": "", **files})
    app.manager.from_files = resolution_of("wide==1.0")

    app.build()

    (name,) = (name for name in sboms(app) if name.startswith("deps-") and "cdx" in name)
    wide, zlib = check_cyclonedx(sboms(app)[name])["components"]
    assert {"name": "cnb-python:unreadable-sbom", "value": "b.json"} in wide["properties"]
    assert zlib["name"] == "zlib"


def test_sbom_of_the_build_has_the_installers(app: FakeBuild) -> None:
    app.build()

    tools = check_cyclonedx((app.layers / "build.sbom.cdx.json").read_bytes())["components"]
    assert [each["purl"] for each in tools] == ["pkg:pypi/pip@26.3", "pkg:pypi/uv@0.13.8"]
    check_spdx((app.layers / "build.sbom.spdx.json").read_bytes())


def test_sbom_of_the_build_has_the_programs_of_package_managers() -> None:
    programs = {"poetry": [("poetry", "2.1"), ("pip", "25.0"), ("rich", "14.0+a")]}

    (sbom,) = sbom_files.rendered([of_tools("pip 26.3, uv 0.13.8", programs)]).values()

    content = check_cyclonedx(sbom[SbomFormat.CYCLONEDX])
    check_spdx(sbom[SbomFormat.SPDX])
    needed = {each["ref"]: each.get("dependsOn", []) for each in content["dependencies"]}
    purls = {each["bom-ref"]: each["purl"] for each in content["components"]}
    assert sorted(purls.values()) == [
        *("pkg:pypi/pip@25.0", "pkg:pypi/pip@26.3", "pkg:pypi/poetry@2.1"),
        *("pkg:pypi/rich@14.0%2Ba", "pkg:pypi/uv@0.13.8"),
    ]
    assert [purls[ref] for ref in needed["pkg:pypi/poetry@2.1"]] == [
        *("pkg:pypi/pip@25.0", "pkg:pypi/rich@14.0%2Ba")
    ]


def test_unchanged_build_keeps_the_restored_sboms(app: FakeBuild) -> None:
    app.build()
    first = sboms(app)

    app.restore().lose_cache().build()

    assert sboms(app) == first
    assert NOTHING in app.log.lines


@pytest.mark.parametrize("name", ["deps-00.sbom.cdx.json", "python.sbom.spdx.json"])
@pytest.mark.parametrize("content", [b"{}", None], ids=["other", "missing"])
def test_sbom_that_is_not_the_one_written_is_written_again(
    app: FakeBuild, name: str, content: bytes | None
) -> None:
    app.build()
    first = sboms(app)
    app.restore()
    (app.layers / name).unlink()
    if content is not None:
        (app.layers / name).write_bytes(content)

    app.build()

    assert sboms(app) == first
    assert app.layers_on_disk() == {"deps"}
    assert app.manager.calls == []
    assert (NOTHING in app.restore().build() and NOTHING) or app.log.lines


def lose_sboms(app: FakeBuild) -> None:
    for path in app.layers.glob("*.sbom.*"):
        path.unlink()


def test_platform_that_restores_no_sbom_does_not_cause_a_rebuild(app: FakeBuild) -> None:
    app.context = app.context._replace(environ={"CNB_STACK_ID": "io.buildpacks.stacks.jammy"})
    app.build()
    lose_sboms(app.restore())

    app.build()

    assert NOTHING in app.log.lines
    assert sboms(app) == {}


def test_lost_sboms_are_written_again_and_no_layer_is_made(app: FakeBuild) -> None:
    app.build()
    first = sboms(app)
    lose_sboms(app.restore())

    app.build()

    assert sboms(app) == first
    assert app.layers_on_disk() == {"deps"}
    assert app.manager.calls == []
    app.restore().build()
    assert NOTHING in app.log.lines
    assert sboms(app) == first


@pytest.mark.parametrize("has_image", [False, True])
def test_build_with_lost_sboms_records_what_a_clean_one_does(
    app: FakeBuild, *, has_image: bool
) -> None:
    first = app.build()
    lose_sboms(app.restore())

    second = (app if has_image else app.lose_image()).build()

    assert second.sboms == first.sboms


def test_new_python_leaves_the_sboms_of_packages(app: FakeBuild, tmp_path: Path) -> None:
    app.build()
    first = sboms(app)
    app.restore()
    app.release = release(tmp_path, "3.14.7")

    app.build()

    second = sboms(app)
    changed = {name for name in first if first[name] != second[name]}
    assert changed == {"python.sbom.cdx.json", "python.sbom.spdx.json"}
    app.restore().build()
    assert NOTHING in app.log.lines


@pytest.mark.parametrize("is_restored", [True, False], ids=["unchanged", "rebuilt"])
def test_sboms_of_nothing_are_removed(app: FakeBuild, is_restored: bool) -> None:  # noqa: FBT001 - pytest passes it
    app.build()
    app.restore()
    names = ["launch.sbom.cdx.json", "build.sbom.spdx.json", "evil.sbom.json", "python.sbom.x"]
    for name in names:
        (app.layers / name).write_text("{}")
    if not is_restored:
        app.manager.from_files = resolution_of("b==1.0")

    app.build()

    present = {path.name for path in app.layers.glob("*.sbom.*") if path.read_bytes() == b"{}"}
    assert present == set()


def test_layers_of_a_release_without_sboms_are_reused(app: FakeBuild) -> None:
    """The previous image's record has no SBOMs: they are written, and no layer is made."""
    app.build()
    first = sboms(app)
    for path in app.layers.glob("*.sbom.*"):
        path.unlink()
    for path in (app.layers / "deps.toml", app.layers / "store.toml"):
        lines = path.read_text().splitlines(keepends=True)
        start = lines.index("sboms = [\n")
        path.write_text("".join(lines[:start] + lines[lines.index("]\n", start) + 1 :]))
    app.restore()

    app.build()

    assert sboms(app) == first
    assert app.layers_on_disk() == {"deps"}
    assert app.manager.calls == []
