"""Builds with other releases of the lifecycle and a registry."""

from collections.abc import Iterator
from copy import replace

import pytest

from tests.lifecycles.registry_builds import RUN, push
from tests.support.builds import Builds, fixture
from tools.bench import registry
from tools.platforms import real_tools
from tools.platforms.build_request import Platform

# Tekton's catalog has 0.20.9, which the proxy of Go modules does not serve.
TEKTON, KPACK, OLDEST_21, PINNED = "0.20.8", "0.20.12", "0.21.0", ""
# With kaniko 1.27.5 instead of 1.28.3, which the proxy refuses. Only image extensions use it.
NEWEST = "0.21.17"
# An id that the build image has no account for.
OTHER_USER = 2345
APP = fixture("pip_flask")
ADDED, REUSED = "Adding layer 'cnb-python/python:", "Reusing layer 'cnb-python/python:venv'"


def platform_of(builds: Builds, version: str, user: int = 0) -> Platform:
    platform = builds.platform
    if version:
        platform = replace(platform, lifecycle=real_tools.other_lifecycle(version))
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
