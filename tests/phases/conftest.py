"""One packaged buildpack, one platform and one mirror of interpreters for all tests here."""

import itertools
import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.builds import Builds, Built, fixture
from tests.support.leftovers import mounts_below, processes_of
from tests.support.locked_managers import POETRY, Images
from tests.support.shared_results import shared
from tests.support.trees import App, Files, linked_copy, write_files
from tools import cache
from tools.package import assemble
from tools.platforms import lifecycle, oci, this_machine
from tools.processes import run
from tools.pythons import mirror

HERE = Path(__file__).parent

# The tests that `make phases` runs, in a minute. `make thorough` runs the others.
EVERYDAY = {
    *("test_commands", "test_process_defaults", "test_detect", "test_environment", "test_flask"),
    *("test_failures_of_builds", "test_failures_of_git", "test_failures_of_indexes"),
    *("test_failures_of_requirements", "test_harness", "test_interpreter", "test_leftovers"),
    *("test_package_index", "test_packages", "test_python_version", "test_rebuilds"),
    *("test_attacks", "test_exec_env", "test_uv_lock"),
}

# `make frameworks` runs it, by hand.
BY_HAND = "test_large_frameworks"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that only `make thorough` or `make frameworks` runs."""
    for item in items:
        if item.path.parent == HERE and item.path.stem not in EVERYDAY:
            item.add_marker("frameworks" if item.path.stem == BY_HAND else "thorough")


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The directory of all temporary files; no mount or process may be left at the end."""
    directory = tmp_path_factory.getbasetemp()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(directory))
        yield directory
    assert mounts_below(directory) == []
    assert processes_of(directory) == []


@pytest.fixture(scope="session")
def buildpack(base: Path) -> Path:
    """A copy of the packaged tree for this machine; `make package` may renew the original."""
    product = assemble.Product(oci.arch(), assemble.declared_api(), offline=())
    with cache.locked("dist"):
        assemble.assemble(product)
        return linked_copy(product.folder, base / "buildpack")


@pytest.fixture(scope="session")
def builds(base: Path, buildpack: Path) -> Iterator[Builds]:
    """Build apps with the packaged buildpack under the real lifecycle."""
    platform = lifecycle.standard()
    with mirror.running() as url:
        settings = {**this_machine.of_this_machine(), "BP_PYTHON_MIRROR": f"{url}/python.toml"}
        yield Builds(platform, buildpack, settings, base / "builds")


@pytest.fixture(scope="session")
def lasting(builds: Builds, base: Path) -> Builds:
    """The builds that several modules use: their directories stay until the session ends."""
    directory = base / "lasting"
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


@pytest.fixture
def app(tmp_path: Path) -> App:
    """Make an app of the files in a dict."""

    def make(files: Files, based_on: Path | None = None) -> Path:
        directory = tmp_path / "app"
        if based_on:
            linked_copy(based_on, directory)
        write_files(directory, files)
        directory.chmod(0o755)  # pytest's own directories are for one user
        return directory

    return make
