"""The lifecycles of other platforms build, and reuse, what the pinned lifecycle builds.

The pinned one is that of Cloud Foundry, and the newest that the proxy of Go modules serves with
all its dependencies. All other tests use it, with the newest Platform API, an engine or an image
layout.
"""

from copy import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.lifecycles.conftest import (
    ADDED,
    APP,
    KPACK,
    NEWEST,
    OLDEST_21,
    OTHER_USER,
    PINNED,
    REUSED,
    TEKTON,
    platform_of,
    push_run_image,
)
from tests.lifecycles.registry_builds import RegistryPlatform
from tests.support.build_variants import layers_of
from tests.support.builds import Builds


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
    Case(PINNED, "0.14", cache_image=True),
    # Each of these lifecycles has to be built first, which takes a minute.
    pytest.param(Case(OLDEST_21, "0.14", cache_image=True), marks=pytest.mark.matrix),
    pytest.param(Case(NEWEST, "0.15"), marks=pytest.mark.matrix),
)
HINT = "use a stable name with --tag, or --previous-image"
# An image layout can be exported since Platform API 0.12.
CREATORS = (
    *((TEKTON, "0.13"), (KPACK, "0.12")),
    pytest.param(NEWEST, "0.15", marks=pytest.mark.matrix),
)


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


def test_name_for_each_commit_needs_a_previous_image(
    builds: Builds, images: str, tmp_path: Path
) -> None:
    commits = RegistryPlatform(builds, builds.platform, tmp_path, images, "0.15", tag="one")
    first = commits.build(APP)

    second = replace(commits, tag="two", previous="one").build(APP)
    third = replace(commits, tag="three").build(APP)

    assert second.layers == third.layers == first.layers
    assert ADDED not in second.output
    assert HINT not in second.output
    assert ADDED in third.output
    assert HINT in third.output


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
