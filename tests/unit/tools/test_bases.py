"""Base images are those of the targets, and layers on them are compared."""

import hashlib
import io
import tarfile
import tomllib
from pathlib import Path

import pytest

from tools.bases import __main__ as bases
from tools.bases import layers, sample_builds
from tools.bases.layers import Layer
from tools.package import builder
from tools.platforms import emulation, keyrings, oci, rootfs
from tools.platforms.keyrings import Archive
from tools.processes import Unavailable

ROOT = Path(__file__).parents[3]
TARGETS = tomllib.loads((ROOT / "buildpack.toml").read_text())["targets"]
PURE = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py2-none-any\nTag: py3-none-any\n"
NATIVE = "Root-Is-Purelib: false\nTag: cp314-cp314-manylinux_2_17_x86_64.manylinux2014_x86_64\n"
COMPILED = "Tag: cp314-cp314-linux_x86_64\n"


def declared(arch: str) -> list[tuple[str, str]]:
    """Return the distributions of the targets for *arch*."""
    rows = (target.get("distros", []) for target in TARGETS if target["arch"] == arch)
    return sorted((distro["name"], distro["version"]) for row in rows for distro in row)


def test_targets_name_the_distributions_of_the_bases() -> None:
    facts = [rootfs.base("run", name) for name in rootfs.names()]

    assert sorted(each.distro for each in facts if not each.arch) == declared("amd64")
    assert sorted(each.distro for each in facts if each.arch == "arm64") == declared("arm64")


def test_each_architecture_has_a_target_without_a_distribution() -> None:
    without = [target["arch"] for target in TARGETS if "distros" not in target]

    assert without == ["amd64", "arm64"]
    assert {target["os"] for target in TARGETS} == {"linux"}


def test_base_has_the_values_of_the_default_one_where_it_has_none() -> None:
    default, newer = rootfs.base("build"), rootfs.base("build", "debian-13")

    assert (newer.suite, newer.distro) == ("trixie", ("debian", "13"))
    assert (newer.packages, newer.user, newer.archive) == (default.packages, default.user, None)
    assert newer.labels["io.buildpacks.base.distro.version"] == "13"
    assert rootfs.base("run", "debian-12-arm64").packages == rootfs.base("run").packages


def test_base_of_another_archive_has_its_keys() -> None:
    archive = rootfs.base("run", "ubuntu-24.04").archive

    assert archive is not None
    assert archive.keys.endswith(".deb")
    assert len(archive.sha256) == 64


def test_unknown_base_is_refused() -> None:
    with pytest.raises(Unavailable, match=r"no base arch: builder/bases.toml has debian-13, "):
        rootfs.base("run", "arch")


@pytest.mark.parametrize("name", rootfs.names())
def test_builder_of_a_base_has_its_images(name: str) -> None:
    config = builder.config_of(ROOT, Path("/lifecycle"), name)

    tag = "" if name == rootfs.DEFAULT else f":{name}"
    assert config["build"] == {"image": f"cnb-python/build-base{tag}"}
    assert config["run"] == {"images": [{"image": f"cnb-python/run-base{tag}"}]}
    assert config["lifecycle"] == {"uri": "/lifecycle"}
    default = tomllib.loads(builder.CONFIG.read_text())
    assert str(config["description"]).endswith(rootfs.base("run", name).distro[1])
    assert config.keys() == default.keys()


def test_keys_with_another_digest_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "keys.deb").write_bytes(b"other keys")
    archive = Archive(f"file://{tmp_path}", "keys.deb", "0" * 64, "keys.gpg")

    with pytest.raises(Unavailable, match=r"not the one in builder/bases\.toml"):
        keyrings.keyring("ubuntu", archive)
    assert list((tmp_path / "cnb-python").glob("keyring-*-*")) == []


def test_rule_of_the_emulator_stays_open_in_other_root_file_systems() -> None:
    rule = emulation.rule("arm64", Path("/usr/bin/qemu"))

    _, name, kind, offset, magic, mask, emulator, flags = rule.split(":")
    assert (name, kind, offset) == ("cnb-python-arm64", "M", "")
    lengths = [len(each.encode().decode("unicode_escape")) for each in (magic, mask)]
    assert lengths == [20, 20]
    assert (emulator, flags) == ("/usr/bin/qemu", "F")


def written(directory: Path, wheels: dict[str, dict[str, str]]) -> oci.Image:
    """Write an image whose layers have the `WHEEL` files of *wheels*."""
    made = []
    for name, files in wheels.items():
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w") as archive:
            for path, text in files.items():
                member = tarfile.TarInfo(f"layers/x/{name}/{path}.dist-info/WHEEL")
                member.size = len(text)
                archive.addfile(member, io.BytesIO(text.encode()))
        digest = hashlib.sha256(stream.getvalue()).hexdigest()
        blob = directory / "blobs/sha256" / digest
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(stream.getvalue())
        title = name if name == oci.RUN_IMAGE else f"cnb-python/python:{name}"
        made.append(oci.Layer(f"sha256:{digest}", f"sha256:{digest}", 1, 1, title))
    return oci.Image(directory, {}, (), "/", "", {}, tuple(made))


def test_layers_name_what_is_native_and_what_was_compiled(tmp_path: Path) -> None:
    wheels = {
        oci.RUN_IMAGE: {},
        "deps-00": {"six-1.17": PURE, "lib/psycopg_binary-3.3": NATIVE},
        "deps-01": {"mark_up-safe-3.0": COMPILED, "flask-3": PURE},
        "deps-django": {"django-5": PURE},
        "defaults": {},
    }

    made = layers.of_buildpack(written(tmp_path, wheels))

    assert [(each.name, each.native, each.compiled) for each in made] == [
        ("deps-00", ("psycopg_binary",), ()),
        ("deps-01", ("mark_up-safe",), ("mark_up-safe",)),
        ("deps-django", (), ()),
        ("defaults", (), ()),
    ]
    assert [each.name for each in layers.for_any_processor(made)] == ["deps-django"]
    assert layers.with_compiled(made) == {"deps-01"}


OLD = (Layer("python", "sha256:a"), Layer("deps-00", "sha256:b"), Layer("deps-01", "sha256:c"))


def test_layers_differ_if_one_is_missing_or_has_another_digest() -> None:
    new = (Layer("python", "sha256:a"), Layer("deps-00", "sha256:x"), Layer("venv", "sha256:d"))

    assert layers.differing(OLD, OLD) == ()
    assert layers.differing(OLD, new) == ("deps-00", "deps-01", "venv")


def test_a_layer_that_differs_is_a_problem_unless_it_was_compiled() -> None:
    app = sample_builds.DJANGO
    compiled = (*OLD[:1], Layer("deps-00", "sha256:x", ("xxhash",)), OLD[2])
    other = (Layer("python", "sha256:z"), *OLD[1:])

    assert bases.problems(app, {"debian-12": OLD, "debian-13": compiled}) == []
    assert bases.problems(app, {"debian-12": OLD, "debian-13": compiled, "ubuntu": other}) == [
        "pip_django: layer python differs on ubuntu and debian-12"
    ]


def test_app_that_was_built_on_no_base_is_not_compared() -> None:
    assert bases.problems(sample_builds.DJANGO, {}) == []


def test_bases_without_an_emulator_are_those_of_this_machine() -> None:
    assert bases.of_this_machine()[0] == rootfs.DEFAULT
    assert "debian-12-arm64" not in bases.of_this_machine()
    assert "debian-12-arm64" in rootfs.names()
