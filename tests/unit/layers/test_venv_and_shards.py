"""An environment becomes layers, and only changed ones are made."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from cnb_python.cnb import toml
from cnb_python.cnb.layer import LAUNCH, EnvDelta
from cnb_python.distributions.model import Distribution
from cnb_python.install.installer import FilesNeeded
from cnb_python.install.request import InstallResult
from cnb_python.layers import venv_and_shards
from cnb_python.layers.venv_and_shards import LayerPlan, Layers
from cnb_python.managers.base import Resolution
from tests.support.installed import MEGABYTE, SITE, distribution, file, install, module

INTERPRETER = Path("/layers/python/bin/python3.14")


def unset(_: Mapping[str, str]) -> tuple[EnvDelta, ...]:
    return ()


def counted(versions: Mapping[str, str]) -> tuple[EnvDelta, ...]:
    return (EnvDelta(LAUNCH, "PACKAGES", "default", " ".join(sorted(versions))),)


@pytest.fixture
def plan(tmp_path: Path) -> LayerPlan:
    (tmp_path / "layers").mkdir()
    return LayerPlan(
        layers_dir=tmp_path / "layers",
        interpreter=INTERPRETER,
        line="3.14",
        scope="debian 12",
        layout="linked",
        build=False,
        env=unset,
        restored={},
    )


A, B = module("a", "more.py"), module("b")
# Small enough for a copy in `venv`, and a small part in the store.
WITH_SCRIPT = distribution("s", [f"{SITE}/s.py", file("bin/s", "#!/bin/sh\n", program=True)])
# Large enough for own layers, so that the others are spread over shards.
LARGE = module("large", size=40 * MEGABYTE)


def layers_of(plan: LayerPlan, *distributions: Distribution) -> Layers:
    return venv_and_shards.layers_of(plan, distributions)


def restored(plan: LayerPlan, *distributions: Distribution) -> LayerPlan:
    return replace(plan, restored=layers_of(plan, *distributions).digests)


def install_result(directory: Path, distributions: Sequence[Distribution]) -> InstallResult:
    contents = {"bin/s": "#!/bin/sh\n"}
    roots = {item.name: install(item, directory / item.name, contents) for item in distributions}
    return InstallResult(
        Resolution((), from_files_alone=True, by="uv"),
        tuple(distributions),
        roots,
        frozenset(),
        {},
        "",
    )


def assembled(plan: LayerPlan, stage: Path, *distributions: Distribution) -> Layers:
    layers = layers_of(plan, *distributions)
    venv_and_shards.begin_shards(plan, layers)
    venv_and_shards.assemble(plan, layers, install_result(stage, distributions))
    return layers


def files(directory: Path) -> set[str]:
    return {
        str(path.relative_to(directory))
        for path in directory.rglob("*")
        if path.is_symlink() or not path.is_dir()
    }


def test_first_build_changes_every_layer(plan: LayerPlan) -> None:
    layers = layers_of(plan, A, B)

    assert layers.changed == layers.digests.keys() == {"venv", "deps-00"}


def test_layers_in_the_image_are_not_changed(plan: LayerPlan) -> None:
    layers = layers_of(restored(plan, A, B), A, B)

    assert layers.changed == frozenset()


def test_empty_environment_has_venv(plan: LayerPlan) -> None:
    assert layers_of(plan).digests.keys() == {"venv"}


def test_changed_file_changes_its_shard_only(plan: LayerPlan) -> None:
    other = distribution("a", [file(f"{SITE}/a/__init__.py", "newer"), f"{SITE}/a/more.py"])

    assert layers_of(restored(plan, A, B), other, B).changed == {"deps-00"}


def test_new_distribution_changes_venv_too(plan: LayerPlan) -> None:
    assert layers_of(restored(plan, A), A, B).changed == {"venv", "deps-00"}


def test_change_leaves_own_layers_unchanged(plan: LayerPlan) -> None:
    before = restored(plan, A, LARGE)

    changed = layers_of(before, A, B, LARGE).changed

    assert "deps-large" in before.restored
    assert "deps-large" not in changed
    assert "venv" in changed


def test_other_variables_change_venv_only(plan: LayerPlan) -> None:
    assert layers_of(replace(restored(plan, A), env=counted), A).changed == {"venv"}


@pytest.mark.parametrize("change", [{"scope": "debian 13"}, {"build": True}])
def test_other_key_or_build_consumer_changes_every_layer(
    plan: LayerPlan, change: dict[str, str | bool]
) -> None:
    other = replace(restored(plan, A), **change)  # type: ignore[arg-type]  # each is right

    assert layers_of(other, A).changed == {"venv", "deps-00"}


def test_order_of_distributions_does_not_change_digests(plan: LayerPlan) -> None:
    assert layers_of(plan, A, B).digests == layers_of(plan, B, A).digests


def test_needs_lists_distributions_of_changed_shards(plan: LayerPlan) -> None:
    everything = (A, B, LARGE)

    assert venv_and_shards.needs(layers_of(plan, *everything)).all == {"a", "b", "large"}
    assert (
        venv_and_shards.needs(layers_of(restored(plan, *everything), *everything)).all
        == frozenset()
    )
    needs = venv_and_shards.needs(layers_of(restored(plan, A, LARGE), *everything))
    assert "large" not in needs.all
    assert "b" in needs.all


def test_needs_only_small_parts_for_copies_in_venv(plan: LayerPlan) -> None:
    before = restored(plan, A, WITH_SCRIPT)
    without_links = {name: it for name, it in before.restored.items() if name != "venv"}

    needs = venv_and_shards.needs(
        layers_of(replace(before, restored=without_links), A, WITH_SCRIPT)
    )

    assert needs.all == frozenset()
    assert needs.metadata_only == {"s"}


def test_needs_nothing_for_an_unchanged_venv(plan: LayerPlan) -> None:
    before = restored(plan, A, WITH_SCRIPT)

    assert venv_and_shards.needs(layers_of(before, A, WITH_SCRIPT)) == FilesNeeded(
        frozenset(), frozenset()
    )


def test_shards_hold_files_and_venv_links_to_them(plan: LayerPlan, tmp_path: Path) -> None:
    assembled(plan, tmp_path / "stage", A, WITH_SCRIPT)

    venv = plan.layers_dir / "venv"
    package = venv / SITE / "a"
    assert package.is_symlink()
    assert package.resolve() == plan.layers_dir / "deps-00/tree" / SITE / "a"
    assert (package / "__init__.py").is_file()
    script = venv / "bin/s"
    assert not script.is_symlink()
    assert script.stat().st_mode & 0o777 == 0o755
    assert (venv / "bin/python").readlink() == INTERPRETER


def test_layers_are_launch_layers_with_a_digest(plan: LayerPlan, tmp_path: Path) -> None:
    layers = assembled(plan, tmp_path / "stage", A)

    for name, digest in layers.digests.items():
        assert toml.read(plan.layers_dir / f"{name}.toml") == {
            "types": {"build": False, "launch": True, "cache": False},
            "metadata": {"digest": digest},
        }


def test_layers_for_build_consumers_are_build_layers(plan: LayerPlan, tmp_path: Path) -> None:
    assembled(replace(plan, build=True), tmp_path / "stage", A)

    for name in ("venv", "deps-00"):
        assert toml.read(plan.layers_dir / f"{name}.toml")["types"] == {
            "build": True,
            "launch": True,
            "cache": False,
        }


def test_layer_in_the_image_is_not_written(plan: LayerPlan, tmp_path: Path) -> None:
    assembled(restored(plan, A, B), tmp_path / "stage", A, B)

    assert {path.name for path in plan.layers_dir.iterdir()} == {"venv.toml", "deps-00.toml"}


def test_unused_shard_is_removed(plan: LayerPlan, tmp_path: Path) -> None:
    (plan.layers_dir / "deps-07.toml").write_text("[metadata]\ndigest = '1'\n")

    assembled(plan, tmp_path / "stage", A)

    assert not (plan.layers_dir / "deps-07.toml").exists()


def test_process_variables_are_in_venv(plan: LayerPlan, tmp_path: Path) -> None:
    assembled(replace(plan, env=counted), tmp_path / "stage", A, B)

    variable = plan.layers_dir / "venv/env.launch/PACKAGES.default"
    assert variable.read_text(encoding="utf-8") == "a b"


def test_merged_layout_is_one_layer_of_files(plan: LayerPlan, tmp_path: Path) -> None:
    merged = replace(plan, layout="merged")

    layers = assembled(merged, tmp_path / "stage", A, WITH_SCRIPT)

    assert layers.digests.keys() == {"venv"}
    assert {path.name for path in plan.layers_dir.iterdir()} == {"venv", "venv.toml"}
    assert not (plan.layers_dir / "venv" / SITE / "a").is_symlink()
    paths = {item.path for each in (A, WITH_SCRIPT) for item in each.files}
    assert paths <= files(plan.layers_dir / "venv")


def test_merged_and_linked_layouts_have_different_digests(plan: LayerPlan) -> None:
    merged = replace(plan, layout="merged")

    assert layers_of(plan, A).digests["venv"] != layers_of(merged, A).digests["venv"]


def test_change_in_merged_layout_needs_all_files(plan: LayerPlan) -> None:
    merged = replace(plan, layout="merged")

    needs = venv_and_shards.needs(layers_of(restored(merged, A), A, B))

    assert needs.all == {"a", "b"}
