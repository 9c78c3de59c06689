"""Every form of the buildpack builds an app, with a builder that lacks the buildpack."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.images.containers import started
from tests.images.pack_builds import PackBuilds, Packed
from tests.support.builds import fixture
from tests.support.trees import write_files
from tools.package import assemble
from tools.platforms import oci, real_tools
from tools.processes import run

# A buildpack that never passes detection, since pack makes no builder without buildpacks.
IDLE = {
    "idle/buildpack.toml": (
        'api = "0.10"\n[buildpack]\nid = "test/idle"\nversion = "1.0.0"\n'
        f'[[targets]]\nos = "linux"\narch = "{oci.arch()}"\n'
    ),
    "idle/bin/detect": "#!/bin/sh\nexit 100\n",
    "idle/bin/build": "#!/bin/sh\nexit 1\n",
}
BUILDER = """\
[[buildpacks]]
id = "{id}"
uri = "{uri}"
[[order]]
[[order.group]]
id = "{id}"
[build]
image = "cnb-python/build-base"
[run]
[[run.images]]
image = "cnb-python/run-base"
[lifecycle]
uri = "{lifecycle}"
"""
# The Python in the offline package, for which the fixture is pinned.
PYTHON = "3.14.6"
ADDED = ("--trust-extra-buildpacks", "--buildpack")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source checkout as after `git clone` and `make venv`, with local changes."""
    copy = tmp_path_factory.mktemp("checkout") / "cnb-python"
    listed = run(
        "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=assemble.ROOT
    )
    for name in filter(None, listed.split("\0")):
        source = assemble.ROOT / name
        if source.is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy / name)
    shutil.copytree(assemble.ROOT / ".venv", copy / ".venv", symlinks=True)
    return copy


@pytest.fixture(scope="module")
def bare(
    pack_builds: PackBuilds, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PackBuilds]:
    """The builds with a builder that lacks the buildpack."""
    folder = write_files(tmp_path_factory.mktemp("bare"), IDLE)
    for name in ("detect", "build"):
        (folder / "idle/bin" / name).chmod(0o755)
    name = _create_builder(pack_builds, "bare", "test/idle", folder / "idle", folder)
    yield replace(pack_builds, builder=name)
    pack_builds.engine.docker("image", "rm", name)


def _create_builder(
    pack_builds: PackBuilds, name: str, buildpack: str, tree: Path, folder: Path
) -> str:
    config = folder / "builder.toml"
    lifecycle = real_tools.lifecycle_archive()
    config.write_text(BUILDER.format(id=buildpack, uri=tree, lifecycle=lifecycle))
    image = pack_builds.name(name)
    target = ("--pull-policy", "never", "--target", f"linux/{oci.arch()}")
    packed = pack_builds.pack("builder", "create", image, "--config", config, *target)
    assert packed.code == 0, packed.output
    return image


def _serves(pack_builds: PackBuilds, name: str, packed: Packed) -> None:
    assert packed.code == 0, packed.output
    built = pack_builds.built(pack_builds.name(name), packed.output)
    with started(pack_builds.engine, built.name) as container:
        assert "Hello" in container.fetch("/")


def test_source_checkout_with_its_environment_builds(bare: PackBuilds, checkout: Path) -> None:
    _serves(bare, "checkout", _build_flask(bare, "checkout", *ADDED, checkout))


def test_source_checkout_without_venv_is_an_error_with_the_command(
    bare: PackBuilds, checkout: Path, tmp_path: Path
) -> None:
    ignore = shutil.ignore_patterns(".venv")
    copy = shutil.copytree(checkout, tmp_path / "checkout", symlinks=True, ignore=ignore)
    packed = _build_flask(bare, "unprepared", *ADDED, copy)
    assert packed.code != 0
    assert "make venv" in packed.output


def test_offline_package_builds_a_vendored_app_without_network(
    bare: PackBuilds, checkout: Path, tmp_path: Path
) -> None:
    _make(checkout, "--offline", PYTHON)
    product = f"dist/cnb-python-offline-linux-{oci.arch()}.cnb"
    app = shutil.copytree(fixture("pip_flask"), tmp_path / "app")
    _vendor(app)
    flags = ("--network", "none", *ADDED, checkout / product)
    isolated = replace(bare, settings={})
    _serves(bare, "offline", isolated.pack_build(app, bare.name("offline"), *flags))


def _vendor(app: Path) -> None:
    """Copy the wheels of the requirements into the app, and make them its only source."""
    wheels, requirements = app / "wheels", app / "requirements.txt"
    minor = PYTHON.rpartition(".")[0]
    subprocess.run(
        [
            *(sys.executable, "-I", "-m", "pip", "download", "--quiet", "--no-deps"),
            *("--only-binary=:all:", f"--python-version={minor}", f"--dest={wheels}"),
            f"--requirement={requirements}",
        ],
        check=True,
    )
    text = requirements.read_text()
    requirements.write_text(f"--no-index\n--find-links wheels\n{text}")


def test_package_for_newer_lifecycles_builds_and_goes_into_a_builder(
    bare: PackBuilds, checkout: Path, tmp_path: Path
) -> None:
    _make(checkout, "--api", "0.12")
    tree = checkout / "dist/buildpack/linux" / oci.arch()
    assert 'api = "0.12"' in (tree / "buildpack.toml").read_text()
    file = checkout / f"dist/cnb-python-api-0.12-linux-{oci.arch()}.cnb"
    _serves(bare, "file", _build_flask(bare, "file", *ADDED, file))
    image = _create_builder(bare, "newer", "cnb-python/python", tree, tmp_path)
    bare.engine.docker("image", "rm", image)


def _build_flask(pack_builds: PackBuilds, name: str, *flags: str | Path) -> Packed:
    return pack_builds.pack_build(fixture("pip_flask"), pack_builds.name(name), *flags)


def _make(where: Path, *flags: str) -> None:
    """Run `make package GO_MODULES=1` for this machine in the checkout *where*."""
    run(
        where / ".venv/bin/python3",
        where / "tools/package/assemble.py",
        "--arch",
        oci.arch(),
        "--go-modules",
        *flags,
    )
