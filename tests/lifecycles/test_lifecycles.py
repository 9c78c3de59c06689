"""The lifecycles of kpack and Tekton build, and reuse, what the pinned lifecycle builds."""

from collections.abc import Iterator
from copy import replace
from pathlib import Path

import pytest

from tests.lifecycles.registry_builds import RUN, build, push
from tests.support.build_variants import layers_of
from tests.support.builds import Builds, fixture
from tools.bench import registry
from tools.platforms import real_tools
from tools.platforms.build_request import Platform

# kpack has 0.20.12. Tekton's catalog has 0.20.9, which the proxy of Go modules does not serve.
VERSIONS = ("0.20.12", "0.20.8")
APIS = ("0.7", "0.8", "0.9", "0.10", "0.11", "0.12", "0.13", "0.14")
# An image layout can be exported since then.
LAYOUT_APIS = ("0.12", "0.13", "0.14")
APP = fixture("pip_flask")


@pytest.fixture(scope="module", params=VERSIONS)
def platform(request: pytest.FixtureRequest, builds: Builds) -> Platform:
    return replace(builds.platform, lifecycle=real_tools.older_lifecycle(request.param))


@pytest.fixture(scope="module")
def images(builds: Builds, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with registry.listening(tmp_path_factory.mktemp("registry")) as port:
        address = f"127.0.0.1:{port}"
        run_image = builds.platform.run_image
        push(run_image / "layout", run_image / "layer", address, RUN)
        yield address


@pytest.mark.parametrize("api", APIS)
def test_five_phases_build_and_reuse(
    builds: Builds, platform: Platform, images: str, api: str, tmp_path: Path
) -> None:
    first = build(builds, platform, APP, tmp_path, images, api)
    second = build(builds, platform, APP, tmp_path, images, api)

    assert first.layers.keys() >= {"python", "venv", "defaults"}
    assert second.layers == first.layers
    assert "Reusing layer 'cnb-python/python:venv'" in second.output
    assert "Adding layer 'cnb-python/python:" not in second.output


@pytest.mark.parametrize("api", LAYOUT_APIS)
def test_creator_builds_reuses_and_starts(builds: Builds, platform: Platform, api: str) -> None:
    older = replace(builds, platform=platform)
    env = {"CNB_PLATFORM_API": api}

    first = older.image(APP, lifecycle_env=env)
    second = older.image(APP, first, lifecycle_env=env)

    assert (first.code, second.code) == (0, 0), first.output + second.output
    assert layers_of(second) == layers_of(first)
    assert "Adding layer 'cnb-python/python:" not in second.output
    with second.serve() as served:
        assert "Hello" in served.fetch()
        assert served.stop() == 0
