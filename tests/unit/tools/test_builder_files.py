import re
import tomllib
from pathlib import Path

import pytest

from tools.platforms import rootfs
from tools.platforms.rootfs import Role

ROOT = Path(__file__).parents[3]
BUILDER = tomllib.loads((ROOT / "builder/builder.toml").read_text())
BUILDPACK = tomllib.loads((ROOT / "buildpack.toml").read_text())["buildpack"]


def test_builder_uses_the_pinned_lifecycle() -> None:
    pinned = (ROOT / "tools/go/lifecycle/go.mod").read_text()

    assert f"github.com/buildpacks/lifecycle v{BUILDER['lifecycle']['version']}\n" in pinned


def test_builder_contains_this_buildpack() -> None:
    assert [entry["id"] for entry in BUILDER["buildpacks"]] == [BUILDPACK["id"]]
    assert BUILDER["order"] == [{"group": [{"id": BUILDPACK["id"]}]}]


def test_builder_uses_this_projects_base_images() -> None:
    assert BUILDER["build"]["image"] == "cnb-python/build-base"
    assert [entry["image"] for entry in BUILDER["run"]["images"]] == ["cnb-python/run-base"]


@pytest.mark.parametrize("role", ["build", "run"])
def test_base_image_labels_match_the_targets(role: Role) -> None:
    labels = rootfs.base(role).labels

    assert labels["io.buildpacks.base.distro.name"] == "debian"
    assert labels["io.buildpacks.base.distro.version"] == "12"


def test_build_image_has_the_user_variables() -> None:
    environment = rootfs.base("build").environment

    assert (environment["CNB_USER_ID"], environment["CNB_GROUP_ID"]) == ("1001", "1000")


def test_run_user_differs_from_build_user() -> None:
    assert rootfs.base("run").user != rootfs.base("build").user
    assert rootfs.base("run").group == rootfs.base("build").group


@pytest.mark.parametrize("role", ["build", "run"])
def test_packages_of_a_base_image_are_unique(role: Role) -> None:
    packages = rootfs.base(role).packages

    assert len(packages) == len(set(packages))


def test_dockerfile_uses_every_build_argument() -> None:
    dockerfile = (ROOT / "builder/Dockerfile").read_text()

    declared = set(re.findall(r"^ARG (\w+)$", dockerfile, re.MULTILINE))
    assert declared == {"IMAGE", "PACKAGES", "USER_ID", "GROUP_ID", "DOCKER_API_VERSION"}
    assert all(f"${{{name}}}" in dockerfile for name in declared)
