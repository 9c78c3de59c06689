"""Images that several modules here continue from, and the choice of the everyday tests."""

import itertools
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.builds import Builds, Built, fixture
from tests.support.locked_managers import POETRY, Images
from tests.support.shared_results import shared
from tools.processes import run

HERE = Path(__file__).parent

# The tests that `make phases` runs. `make thorough` and `make long` run the others.
EVERYDAY = {
    *("test_commands", "test_detect", "test_environment", "test_flask"),
    *("test_failures_of_builds", "test_failures_of_git", "test_failures_of_indexes"),
    *("test_failures_of_requirements", "test_harness", "test_leftovers"),
    "test_rebuilds",
}

# `make frameworks` runs it, by hand.
BY_HAND = "test_large_frameworks"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that only `make thorough` or `make frameworks` runs."""
    for item in items:
        if item.path.parent == HERE and item.path.stem not in EVERYDAY:
            item.add_marker("frameworks" if item.path.stem == BY_HAND else "thorough")


@pytest.fixture(scope="session")
def lasting(builds: Builds, base: Path) -> Builds:
    """The builds that several modules use: their directories stay until the session ends.

    They are outside of `base`, since other workers may unpack them after this one has ended.
    """
    directory = _run_directory(base) / f"lasting-{base.name}"
    directory.mkdir()
    return replace(builds, directory=directory, numbers=itertools.count())


@pytest.fixture(scope="module", autouse=True)
def _removed_builds(lasting: Builds, base: Path, request: pytest.FixtureRequest) -> Iterator[None]:
    """Remove what a module's tests left, if all passed: together the builds are 50 GB."""
    before = {base / "builds", lasting.directory, *base.iterdir()}
    failed = request.session.testsfailed
    yield
    if request.session.testsfailed == failed:
        left = {*base.iterdir(), *(base / "builds").glob("*")} - before
        run("rm", "-rf", "--", *left)


@pytest.fixture(scope="session")
def flask(lasting: Builds, base: Path) -> Built:
    """The image of the Flask app, built from nothing, to inspect or to continue from.

    Going on from it spares a test to unpack and compile an interpreter, which takes seconds.
    """

    def build() -> Built:
        built = lasting.image(fixture("pip_flask"))
        assert built.code == 0, built.output
        return built

    return shared(_run_directory(base) / "flask.pickle", build)


@pytest.fixture(scope="session")
def images(lasting: Builds, flask: Built, base: Path) -> Images:
    """Return a function that builds the image of a sample app, once per session."""

    def image(name: str) -> Built:
        def build() -> Built:
            # One manager's first build has neither a cache nor a previous image.
            built = lasting.image(fixture(name), None if name == POETRY.app.name else flask)
            assert built.code == 0, built.output
            return built

        return shared(_run_directory(base) / f"{name}.pickle", build)

    return image


def _run_directory(base: Path) -> Path:
    """Return the directory of the run: under pytest-xdist each worker has its own below it."""
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
