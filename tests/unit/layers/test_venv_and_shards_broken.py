"""After an interruption every layer is complete or missing."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from cnb_python.cnb.layer import layer_of
from cnb_python.errors.base import ContractBroken
from cnb_python.install.request import InstallResult
from cnb_python.layers import previous_image, venv_and_shards
from cnb_python.layers.venv_and_shards import LayerPlan
from cnb_python.managers.base import Resolution
from tests.support.installed import SITE, distribution, file, install, module
from tests.support.kill_simulation import killed_after
from tools.package import tree

SCRIPT = "#!/bin/sh\n"
FOUND = (
    module("a", "more.py"),
    distribution("s", [f"{SITE}/s.py", file("bin/s", SCRIPT, program=True)]),
)
# Far more writes than a build needs.
ENOUGH = 500


def plan_in(directory: Path) -> LayerPlan:
    """Return the plan of a build whose previous image has other contents, and an extra shard."""
    layers_dir = directory / "layers"
    layers_dir.mkdir(parents=True)
    for name in ("venv", "deps-00", "deps-07"):
        layer_of(layers_dir, name).reuse_from_image(previous_image.metadata("of the image"))
    return LayerPlan(
        layers_dir=layers_dir,
        interpreter=Path("/layers/python/bin/python3.14"),
        line="3.14",
        scope="debian 12",
        layout="linked",
        build=False,
        env=lambda _: (),
        restored=previous_image.digests(layers_dir),
    )


def staged(directory: Path) -> InstallResult:
    roots = {item.name: install(item, directory / item.name, {"bin/s": SCRIPT}) for item in FOUND}
    return InstallResult(
        Resolution((), from_files_alone=True, by="uv"), FOUND, roots, frozenset(), {}, ""
    )


def assemble(plan: LayerPlan, install_result: InstallResult) -> None:
    layers = venv_and_shards.layers_of(plan, FOUND)
    venv_and_shards.begin_shards(plan, layers)
    venv_and_shards.assemble(plan, layers, install_result)


def outcome(layers_dir: Path) -> Mapping[str, str]:
    return {
        path.name: tree.digest(path) if path.is_dir() else path.read_text()
        for path in layers_dir.iterdir()
    }


@pytest.fixture
def right(tmp_path: Path) -> Mapping[str, str]:
    """The layers of a build without interruption."""
    plan = plan_in(tmp_path / "right")
    assemble(plan, staged(tmp_path / "right-stage"))
    layers = outcome(plan.layers_dir)
    assert layers.keys() == {"venv", "venv.toml", "deps-00", "deps-00.toml"}
    return layers


def check(layers_dir: Path, right: Mapping[str, str]) -> None:
    """Assert that each layer with contents and metadata is correct."""
    left = outcome(layers_dir)
    for name in ("venv", "deps-00"):
        if {name, f"{name}.toml"} <= left.keys():
            assert left[name] == right[name]
            assert left[f"{name}.toml"] == right[f"{name}.toml"]


def test_build_after_a_kill_at_any_write_is_correct(
    tmp_path: Path, right: Mapping[str, str]
) -> None:
    for changes in range(ENOUGH):
        directory = tmp_path / str(changes)
        plan, install_result = plan_in(directory), staged(directory / "stage")
        was_killed = killed_after(changes, partial(assemble, plan, install_result))
        check(plan.layers_dir, right)
        previous_image.remove_leftovers(plan.layers_dir)
        assemble(plan, staged(directory / "again"))
        assert outcome(plan.layers_dir) == right
        if not was_killed:
            assert changes > len(right)
            return
    pytest.fail("it was killed each time")


@pytest.mark.parametrize("lost", [f"{SITE}/a/more.py", f"{SITE}/s.py", "bin/s"])
def test_exception_leaves_no_finished_layer(
    tmp_path: Path, right: Mapping[str, str], lost: str
) -> None:
    plan, install_result = plan_in(tmp_path), staged(tmp_path / "stage")
    (root,) = (root for root in install_result.roots.values() if (root / lost).exists())
    (root / lost).unlink()

    with pytest.raises((ContractBroken, FileNotFoundError)):
        assemble(plan, install_result)

    check(plan.layers_dir, right)
    assert "deps-00" not in outcome(plan.layers_dir)
    previous_image.remove_leftovers(plan.layers_dir)
    assemble(plan, staged(tmp_path / "again"))
    assert outcome(plan.layers_dir) == right
