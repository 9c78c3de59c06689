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


def test_certificates_of_the_host_are_not_in_the_run_image() -> None:
    dockerfile = (ROOT / "builder/Dockerfile").read_text()
    before, _, build = dockerfile.partition("FROM base AS build")

    assert "FROM base AS run" in before
    assert "certificates/" not in before
    assert "COPY certificates/" in build


CERTIFICATES = [
    f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n" for text in ("one", "two")
]


def test_certificates_of_the_host_are_added_to_those_of_debian_once() -> None:
    debian, host = CERTIFICATES[0], "".join(CERTIFICATES)

    assert rootfs.trusted(debian, host) == host
    assert rootfs.trusted(debian, "") == debian


@pytest.mark.parametrize("role", ["build", "run"])
def test_packages_of_a_base_image_are_unique(role: Role) -> None:
    packages = rootfs.base(role).packages

    assert len(packages) == len(set(packages))


def test_dockerfile_uses_every_build_argument() -> None:
    dockerfile = (ROOT / "builder/Dockerfile").read_text()

    declared = set(re.findall(r"^ARG (\w+)$", dockerfile, re.MULTILINE))
    assert declared == {"IMAGE", "PACKAGES", "USER_ID", "GROUP_ID", "DOCKER_API_VERSION"}
    assert all(f"${{{name}}}" in dockerfile for name in declared)
