"""Pins of a resolution, installed in parts, give the same as one installation by pip or uv."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cnb_python.config.settings import DEFAULTS, UV
from cnb_python.managers.base import InstallContext, Pin, Resolution
from cnb_python.managers.pip.manager import Pip
from cnb_python.system.process import run
from tests.support import index, resolving
from tests.support.index import Index
from tests.support.resolving import site_packages
from tests.support.sdists import checkout, sdist
from tests.support.trees import write_files
from tests.support.wheels import wheel

# They differ between two runs of pip; collecting distributions writes its own.
VOLATILE = frozenset({"RECORD", "REQUESTED", "uv_cache.json", "uv_build.json"})
GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
type Make = Callable[..., InstallContext]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Index]:
    packages = tmp_path / "packages"
    packages.mkdir()
    wheel(packages, "on-index", "1.0", {"on_index.py": ""}, requires=["needed"])
    wheel(packages, "needed", "1.0", {"needed.py": "old"})
    wheel(packages, "needed", "2.0", {"needed.py": "new"})
    wheel(packages, "both", "1.0", {"both.py": "wheel"})
    sdist(packages, "both", "1.0", {"both.py": "source"})
    sdist(packages, "source", "1.0", {"source.py": ""})
    wheel(packages, "by-address", "1.0", {"by_address.py": ""})
    with index.running(packages) as served_index:
        yield served_index


@pytest.fixture
def make_context(tmp_path: Path, served: Index) -> Make:
    """Make an empty environment for an app with requirements of every kind."""
    app = tmp_path / "app"
    repository = tmp_path / "repository"
    write_files(app / "lib", checkout("in-directory", "1.0", {"in_directory.py": ""}))
    write_files(repository, checkout("in-git", "1.0", {"in_git.py": ""}))
    for command in (("init", "-q", "-b", "main"), ("add", "."), ("commit", "-qm", "first")):
        subprocess.run([*GIT, *command], cwd=repository, check=True)
    (app / "vendor").mkdir()
    wheel(app / "vendor", "vendored", "1.0", {"vendored.py": ""})
    lines = (
        f"--index-url {served.url}",
        "--no-binary both",
        "on-index>=1",
        "both",
        "source",
        "in-git @ git+${REPOSITORY}@main",
        "./vendor/vendored-1.0-py3-none-any.whl",
        f"by-address @ {served.url.replace('simple', 'packages')}by_address-1.0-py3-none-any.whl",
        "./lib",
    )
    (app / "requirements.txt").write_text("\n".join(lines) + "\n")
    numbers = iter(range(99))

    def make(**environ: str) -> InstallContext:
        given = {name: resolving.settings()[name] for name in ("PATH",)}
        given |= {"REPOSITORY": repository.as_uri(), **environ}
        work = tmp_path / f"work-{next(numbers)}"
        return resolving.install_context(app, work, given, tmp_path.parent)

    return make


NAMES = [
    *("both", "by-address", "in-directory", "in-git", "needed", "on-index", "source", "vendored"),
]


def contents(context: InstallContext) -> dict[str, bytes]:
    root = site_packages(context)
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name not in VOLATILE and "__pycache__" not in path.parts
    }


def test_pins_installed_in_parts_equal_one_installation(make_context: Make) -> None:
    at_once = make_context()
    resolution = Pip().resolve(at_once, run)
    resolving.install(resolution, at_once, Pip())

    assert [pin.name for pin in resolution.pins] == NAMES
    pieces: dict[str, bytes] = {}
    for pins in (resolution.pins[::2], resolution.pins[1::2]):
        some = make_context()
        resolving.install(resolution, some, Pip(), pins)
        pieces |= contents(some)
    assert pieces == contents(at_once)
    assert (pieces["needed.py"], pieces["both.py"]) == (b"new", b"source")


def test_local_directory_is_not_cacheable(make_context: Make) -> None:
    resolution = Pip().resolve(make_context(), run)

    assert [pin.name for pin in resolution.pins if not pin.is_cacheable] == ["in-directory"]


def by_name(resolution: Resolution) -> dict[str, Pin]:
    return {pin.name: pin for pin in resolution.pins}


def test_new_commit_of_a_branch_changes_the_pin(make_context: Make, tmp_path: Path) -> None:
    before = by_name(Pip().resolve(make_context(), run))
    (tmp_path / "repository/files/in_git.py").write_text("changed")
    subprocess.run([*GIT, "commit", "-qam", "second"], cwd=tmp_path / "repository", check=True)

    after = by_name(Pip().resolve(make_context(), run))

    assert {name for name in NAMES if before[name] != after[name]} == {"in-git"}


# uv closes connections early, and pypiserver then leaves files open.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_uv_installs_the_same_pins(make_context: Make) -> None:
    at_once, again = make_context(), make_context()
    manager = Pip(DEFAULTS._replace(installer=UV))

    resolution = manager.resolve(at_once, run)
    for context in (at_once, again):
        resolving.install(resolution, context, manager)

    assert [pin.name for pin in resolution.pins] == NAMES
    assert resolution.by == "uv"
    assert contents(again) == contents(at_once)
    assert contents(again)["both.py"] == b"source"
