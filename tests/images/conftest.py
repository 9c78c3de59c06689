"""One engine, one builder and one image of each sample app for all tests here.

The last test (`test_leftovers.py`) removes what was made, and looks at what is left.
"""

import uuid
from collections.abc import Callable, Iterator
from functools import cache

import pytest

from tests.images.inventory import sweep, take
from tests.images.pack_builds import Built, PackBuilds
from tests.support.builds import fixture
from tools.package import builder
from tools.platforms import engine, this_machine
from tools.platforms.engine import Engine
from tools.pythons import mirror

# What the images of sample apps are built with.
SETTINGS = {"pip_c_extension": {"BP_PYTHON_HEALTH": "/health"}}
LAST = "test_nothing_is_left_behind"
PREFIX = "cnb-python-test-"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the test of leftovers last."""
    items.sort(key=lambda item: item.name == LAST)


@pytest.fixture(scope="session")
def docker() -> Iterator[Engine]:
    """Yield a Docker engine: a running one, or one that is started for the session."""
    with engine.running() as running:
        yield running


@pytest.fixture(scope="session")
def pack_builds(docker: Engine) -> Iterator[PackBuilds]:
    """Yield the builds of the session; remove its images and volumes afterwards."""
    if docker.env:
        # Started by this session: remove what a killed session left in it.
        sweep(docker, PREFIX)
    before = take(docker)
    environment = this_machine.of_this_machine().items()
    indexes = {name: value for name, value in environment if not name.startswith("BP_")}
    with mirror.running() as url:
        settings = {"BP_PYTHON_MIRROR": f"{url}/python.toml", **indexes}
        token = f"{PREFIX}{uuid.uuid4().hex[:8]}"
        builder_name = builder.ensure(docker, builder.buildpack())
        pack_builds = PackBuilds(docker, builder_name, settings, token, before)
        try:
            yield pack_builds
        finally:
            pack_builds.close()


@pytest.fixture(scope="session")
def built(pack_builds: PackBuilds) -> Callable[[str], Built]:
    """Return a function that builds the image of a sample app, once per session."""

    @cache
    def build(name: str) -> Built:
        return pack_builds.build(fixture(name), name, env=SETTINGS.get(name))

    return build
