import re
import tomllib
from pathlib import Path

import pytest

from tools.platforms import rootfs
from tools.platforms.rootfs import Role

ROOT = Path(__file__).parents[3]
BUILDER = tomllib.loads((ROOT / "builder/builder.toml").read_text())
BUILDPACK = tomllib.loads((ROOT / "buildpack.toml").read_text())["buildpack"]


def test_builder_names_the_lifecycle_that_is_built_here() -> None:
    pinned = (ROOT / "tools/go/lifecycle/go.mod").read_text()

    assert f"github.com/buildpacks/lifecycle v{BUILDER['lifecycle']['version']}\n" in pinned


def test_builder_holds_this_buildpack() -> None:
    assert [entry["id"] for entry in BUILDER["buildpacks"]] == [BUILDPACK["id"]]
    assert BUILDER["order"] == [{"group": [{"id": BUILDPACK["id"]}]}]


def test_builder_stands_on_the_base_images_that_are_made_here() -> None:
    assert BUILDER["build"]["image"] == "cnb-python/build-base"
    assert [entry["image"] for entry in BUILDER["run"]["images"]] == ["cnb-python/run-base"]


@pytest.mark.parametrize("role", ["build", "run"])
def test_base_image_says_what_a_buildpack_is_told_of_it(role: Role) -> None:
    labels = rootfs.base(role).labels

    assert labels["io.buildpacks.base.distro.name"] == "debian"
    assert labels["io.buildpacks.base.distro.version"] == "12"


def test_build_image_tells_the_lifecycle_whose_files_these_are() -> None:
    environment = rootfs.base("build").environment

    assert (environment["CNB_USER_ID"], environment["CNB_GROUP_ID"]) == ("1001", "1000")


def test_app_does_not_run_as_the_user_who_built_it() -> None:
    assert rootfs.base("run").user != rootfs.base("build").user
    assert rootfs.base("run").group == rootfs.base("build").group


@pytest.mark.parametrize("role", ["build", "run"])
def test_package_of_a_base_image_is_named_once(role: Role) -> None:
    packages = rootfs.base(role).packages

    assert len(packages) == len(set(packages))


def test_dockerfile_uses_every_argument_that_it_is_given() -> None:
    dockerfile = (ROOT / "builder/Dockerfile").read_text()

    declared = set(re.findall(r"^ARG (\w+)$", dockerfile, re.MULTILINE))
    assert declared == {"IMAGE", "PACKAGES", "USER_ID", "GROUP_ID", "DOCKER_API_VERSION"}
    assert all(f"${{{name}}}" in dockerfile for name in declared)
