"""What the builds of several directories of tests share, and the order of the long tests."""

import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePath

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling, Scheduling
from xdist.workermanage import WorkerController

from tests.support.builds import Builds
from tests.support.leftovers import mounts_below, processes_of
from tests.support.trees import App, Files, linked_copy, write_files
from tools import cache
from tools.package import assemble
from tools.platforms import lifecycle, oci, this_machine
from tools.pythons import mirror

HERE = Path(__file__).parent
# The directories and modules of which all tests are thorough; of `tests/phases`, its conftest.py
# says which.
LONG = (
    *("docs", "images", "lifecycles", "package/test_execd.py"),
    *("unit/system/test_progress_limit.py", "unit/system/test_hostile_servers.py"),
    *("unit/errors/test_long_errors.py", "unit/managers/test_hostile_output.py"),
    "unit/layers/test_venv_and_shards_broken.py",
)
# Their tests share a fixture that is slow to make, such as an engine or a browser.
TOGETHER = ("docs", "images")
# One of these that starts late would leave the other workers without work at the end.
LONGEST = (
    *("phases/test_collectstatic_reads", "images", "phases/test_attacks_each"),
    *("phases/test_local_projects", "lifecycles/test_lifecycles"),
)


class GroupScheduling(LoadFileScheduling):
    """Give each worker whole groups of tests, the longest first: `--dist loadfile`.

    Not `loadgroup`, which does nothing with pytest 9.2: pytest-xdist 3.8 writes the name of the
    group to `_nodeid`, which that pytest no longer reads.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = PurePath(super()._split_scope(nodeid)).relative_to("tests")
        return path.parts[0] if path.parts[0] in TOGETHER else str(path.with_suffix(""))

    def _assign_work_unit(self, node: WorkerController) -> None:
        waiting = [group for group in LONGEST if group in self.workqueue]
        if waiting:
            self.workqueue.move_to_end(waiting[0], last=False)
        super()._assign_work_unit(node)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    """Return the scheduler of `--dist loadfile`; None leaves the choice to pytest-xdist."""
    return GroupScheduling(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of LONG as thorough."""
    paths = tuple(HERE / each for each in LONG)
    for item in items:
        if any(map(item.path.is_relative_to, paths)):
            item.add_marker("thorough")


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
