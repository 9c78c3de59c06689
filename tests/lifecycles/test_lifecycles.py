"""The lifecycles of other platforms build, and reuse, what the pinned lifecycle builds.

The pinned one is that of Cloud Foundry, and the newest whose dependencies the proxy of Go modules
serves. All other tests use it, with the newest Platform API, an engine or an image layout.
"""

import json
from collections.abc import Iterator
from copy import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.lifecycles.registry_builds import RUN, RegistryPlatform, push
from tests.support.bindings import certificates
from tests.support.build_variants import layers_of
from tests.support.builds import Builds, fixture
from tools.bench import registry
from tools.platforms import real_tools
from tools.platforms.build_request import Platform

# Tekton's catalog has 0.20.9, which the proxy of Go modules does not serve.
TEKTON, KPACK, OLDEST_21, PINNED = "0.20.8", "0.20.12", "0.21.0", ""
# An id that the build image has no account for.
OTHER_USER = 2345
# The user of Cloud Foundry's containers, and a password that no output may contain.
VCAP, PASSWORD = 2000, "sw0rdf1sh-of-the-database"


class Case(NamedTuple):
    """A platform: with all cases, each lifecycle and each Platform API is there."""

    lifecycle: str
    api: str
    cache_image: bool = False
    """Whether the cache is an image in the registry, not a volume."""
    user: int = 0
    """0: the build image's own user."""


CASES = (
    Case(KPACK, "0.7"),
    Case(KPACK, "0.8", cache_image=True),
    Case(KPACK, "0.9", user=OTHER_USER),
    Case(PINNED, "0.10"),
    Case(TEKTON, "0.11", cache_image=True),
    Case(TEKTON, "0.12"),
    Case(TEKTON, "0.13", user=OTHER_USER),
    Case(OLDEST_21, "0.14", cache_image=True),
)
# An image layout can be exported since Platform API 0.12.
CREATORS = ((TEKTON, "0.13"), (KPACK, "0.12"), (OLDEST_21, "0.15"))
APP = fixture("pip_flask")
ADDED, REUSED = "Adding layer 'cnb-python/python:", "Reusing layer 'cnb-python/python:venv'"


def platform_of(builds: Builds, version: str, user: int = 0) -> Platform:
    platform = builds.platform
    if version:
        platform = replace(platform, lifecycle=real_tools.older_lifecycle(version))
    return replace(platform, user=user, group=user) if user else platform


@pytest.fixture(scope="module")
def images(builds: Builds, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with registry.listening(tmp_path_factory.mktemp("registry")) as port:
        address = f"127.0.0.1:{port}"
        push_run_image(builds, address)
        yield address


def push_run_image(builds: Builds, address: str, added: str = "") -> None:
    run_image = builds.platform.run_image
    push(run_image / "layout", run_image / "layer", address, RUN, added)


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case.lifecycle or 'pinned'}-{case.api}"
)
def test_five_phases_build_and_reuse(
    builds: Builds, images: str, case: Case, tmp_path: Path
) -> None:
    own = platform_of(builds, case.lifecycle, case.user)
    platform = RegistryPlatform(builds, own, tmp_path, images, case.api, case.cache_image)

    first = platform.build(APP)
    second = platform.build(APP)

    assert first.layers.keys() >= {"python", "venv", "defaults"}
    assert second.layers == first.layers
    assert REUSED in second.output
    assert ADDED not in second.output
    assert (platform.work / "cache/committed").exists() is not case.cache_image


def test_new_run_image_moves_no_layer_of_the_app(
    builds: Builds, images: str, tmp_path: Path
) -> None:
    platform = RegistryPlatform(
        builds, builds.platform, tmp_path, images, "0.15", cache_image=True
    )
    first = platform.build(APP)
    old_base, old = platform.diff_ids(platform.run_image), platform.diff_ids(platform.image)

    push_run_image(builds, images, added="patched")
    platform.rebase(APP)
    new_base = platform.diff_ids(platform.run_image)

    assert new_base == [*old_base, new_base[-1]]
    assert platform.diff_ids(platform.image) == [*new_base, *old[len(old_base) :]]
    assert platform.layers() == first.layers

    push_run_image(builds, images)
    again = platform.build(APP)

    assert platform.diff_ids(platform.image) == old
    assert again.layers == first.layers
    assert ADDED not in again.output


def test_cloud_foundry_stages_with_services_and_no_image(
    builds: Builds, images: str, tmp_path: Path
) -> None:
    """Its lifecycle is a program with the library of the pinned one, and has other directories.

    A droplet is no image, so each build finds the cache alone. The first image here has another
    name than the second.
    """
    credentials = {"type": "ca-certificates", "company.pem": certificates(2)}
    database = {"uri": f"postgres://app:{PASSWORD}@db.example.org/app", "password": PASSWORD}
    services = {
        "user-provided": [{"name": "company", "credentials": credentials}],
        "postgresql": [{"name": "db", "credentials": database}],
    }
    env = {"VCAP_SERVICES": json.dumps(services), "VCAP_APPLICATION": "{}"}
    own = platform_of(builds, PINNED, VCAP)
    staging = RegistryPlatform(
        builds, own, tmp_path, images, "0.14", home="/home/vcap", env=env, tag="staged"
    )

    first = staging.build(APP)
    second = replace(staging, tag="again").build(APP)

    for output in (first.output, second.output):
        assert "company: 2 CA certificates" in output
        assert "Making every layer again" not in output
        assert PASSWORD not in output
    assert second.layers == first.layers
    assert ADDED in second.output
    assert "Using cached Python" in second.output
    assert "Running `" not in second.output


@pytest.mark.parametrize(("version", "api"), CREATORS)
def test_creator_builds_reuses_and_starts(builds: Builds, version: str, api: str) -> None:
    other = replace(builds, platform=platform_of(builds, version))
    env = {"CNB_PLATFORM_API": api}

    first = other.image(APP, lifecycle_env=env)
    second = other.image(APP, first, lifecycle_env=env)

    assert (first.code, second.code) == (0, 0), first.output + second.output
    assert layers_of(second) == layers_of(first)
    assert ADDED not in second.output
    with second.serve() as served:
        assert "Hello" in served.fetch()
        assert served.stop() == 0
