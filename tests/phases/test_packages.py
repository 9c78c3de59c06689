"""The ways in which the buildpack itself comes: packages for two APIs, offline, and a checkout."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from cnb_python.errors.base import DOCS
from cnb_python.layers import carried_bytecode
from tests.support.builds import INSIDE, Builds, Built, fixture
from tests.support.fake_build import contents
from tests.support.trees import App, linked_copy
from tools.package import assemble
from tools.platforms import oci
from tools.pythons import interpreters, runtimes

EXPLAINED, BUG = 1, 70
EMPTY = {"requirements.txt": "", "Procfile": "web: python -m http.server $PORT"}


def test_a_package_for_newer_lifecycles_builds(
    builds: Builds, flask: Built, app: App, tmp_path: Path
) -> None:
    newer = {"buildpack.toml": assemble.descriptor("0.12")}
    tree = linked_copy(builds.buildpack, tmp_path / "tree", newer)
    built = builds.phases(app(EMPTY), flask, buildpack=tree)
    assert built.code == 0, built.output
    assert built.documents()["launch.toml"]["processes"][0]["default"] is True


@pytest.mark.parametrize("phase", ["detect", "build"])
def test_another_api_is_refused_in_words(builds: Builds, tmp_path: Path, phase: str) -> None:
    newer = {"buildpack.toml": assemble.descriptor("0.13")}
    tree = linked_copy(builds.buildpack, tmp_path / "tree", newer)
    ended = builds.phase(phase, fixture("pip_flask"), tree=tree)
    assert ended.code == EXPLAINED
    assert ended.output == (
        "\n[Error: Buildpack API 0.13 is not supported]\n\n"
        "Found:    Buildpack API 0.13 in buildpack.toml.\n"
        "Expected: one of 0.10, 0.11, 0.12.\n\n"
        "To fix this:\n"
        "  - Use the buildpack.toml of this release of the buildpack.\n"
        "  - Or if you assemble it yourself, use the default, which every lifecycle reads:"
        " make package\n\n"
        f"More: {DOCS}#unsupported-api\n"
    )


@pytest.mark.parametrize(("phase", "module"), [("detect", "detect"), ("build", "build")])
def test_a_bug_of_ours_is_shown_as_ours(
    builds: Builds, tmp_path: Path, phase: str, module: str
) -> None:
    broken = {f"src/cnb_python/{module}.py": f"def {phase}(*_):\n    return {{}}['oops']\n"}
    tree = linked_copy(builds.buildpack, tmp_path / "tree", broken)
    for compiled in tree.glob(f"src/cnb_python/__pycache__/{module}.*.pyc"):
        compiled.unlink()
    ended = builds.phase(phase, fixture("pip_flask"), tree=tree)
    assert ended.code == BUG
    title, traceback = ended.output.strip().split("\n\n", 1)
    assert title == (
        "[Error: This is a bug in the Python buildpack, not in your app."
        " Please report what follows]"
    )
    assert traceback.startswith("Traceback (most recent call last):")
    assert traceback.endswith("KeyError: 'oops'")


def test_an_offline_package_needs_no_network_and_keeps_a_patch_release(
    builds: Builds, app: App, tmp_path: Path
) -> None:
    tree = linked_copy(builds.buildpack, tmp_path / "tree")
    runtimes.bundle(("3.13.1", "3.13.13"), oci.arch(), tree / "runtimes")
    asked = app({**EMPTY, ".python-version": "# as in production\n\n3.13.1\n"})
    built = builds.phases(asked, buildpack=tree, network=False, env={"BP_PYTHON_MIRROR": ""})
    assert built.code == 0, built.output
    assert "  Using Python 3.13.1 (.python-version, line 3)\n" in built.output
    assert "[Warning: Python 3.13.1 is not the newest 3.13]\n3.13.13 fixes more" in built.output
    version = subprocess.check_output([built.layers / "python/bin/python3.13", "-V"], text=True)
    assert version == "Python 3.13.1\n"


def test_a_package_without_bytecode_for_apps_makes_the_same_python(
    builds: Builds, flask: Built, app: App, tmp_path: Path
) -> None:
    archive = interpreters.archive("3.14.6", oci.arch())
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    home = Path("/layers", flask.layers.name, "python")
    assert carried_bytecode.find(builds.buildpack, sha256, home)
    tree = linked_copy(builds.buildpack, tmp_path / "tree")
    shutil.rmtree(tree / carried_bytecode.FOLDER)

    built = builds.phases(app(EMPTY), buildpack=tree)

    assert built.code == 0, built.output
    assert "Downloading Python 3.14.6" in built.output
    compiled, carried = (contents(each.layers / "python") for each in (built, flask))
    assert compiled == carried
    assert sum(path.endswith(".pyc") for path in compiled) > 500


def test_a_checkout_with_its_environment_builds(
    builds: Builds, flask: Built, app: App, checkout: Path
) -> None:
    linked_copy(assemble.ROOT / ".venv", checkout / ".venv")
    built = builds.phases(app(EMPTY), flask, buildpack=checkout)
    assert built.code == 0, built.output


@pytest.mark.parametrize("phase", ["detect", "build"])
def test_a_checkout_without_its_environment_says_how_to_make_it(
    builds: Builds, checkout: Path, phase: str
) -> None:
    ended = builds.phase(phase, fixture("pip_flask"), tree=checkout)
    assert ended.code == EXPLAINED
    assert ended.output == (
        "This is a source checkout of the Python buildpack without its .venv:"
        " run 'make venv' in it,\n"
        f"or use a package made with 'make package'. (Looked in: {INSIDE}/bin/..)\n"
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files of the repository that a build from a checkout needs, without `.venv`."""
    copy = tmp_path / "checkout"
    copy.mkdir()
    for name in ("bin", "src"):
        linked_copy(assemble.ROOT / name, copy / name)
    (copy / "buildpack.toml").write_text(assemble.descriptor())
    return copy
