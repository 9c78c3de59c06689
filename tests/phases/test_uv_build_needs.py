"""Packages whose builds use other packages of the environment: equal in every build."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import index, lock_files
from tests.support.builds import Builds, Built
from tests.support.index import Index
from tests.support.sdists import archive, checkout
from tests.support.trees import Files, write_files
from tests.support.wheels import wheel

PYPROJECT = """
[project]
name = "app"
version = "1.0"
requires-python = ">=3.10"
dependencies = ["neighbour==1.0", "beside", "matching", "packed"]

[tool.uv]
no-build-isolation-package = ["beside", "packed"]
extra-build-dependencies = { matching = [{ requirement = "neighbour", match-runtime = true }] }

[tool.uv.sources]
beside = { path = "beside" }
matching = { path = "matching" }
"""
# What it builds has the version of the neighbour that the build could import.
BACKEND = """
import pathlib
import shutil
import tempfile

import backend
from backend import prepare_metadata_for_build_wheel


def build_wheel(directory, settings=None, metadata=None):
    import neighbour

    with tempfile.TemporaryDirectory() as copy:
        shutil.copytree(backend.HERE, copy, dirs_exist_ok=True)
        backend.HERE = pathlib.Path(copy)
        for module in backend.HERE.glob("files/*.py"):
            module.write_text(module.read_text() + f"BUILT_WITH = {neighbour.VERSION!r}\\n")
        return backend.build_wheel(directory, settings, metadata)
"""


def project(name: str, code: str = "") -> Files:
    files = checkout(name, "1.0", {f"{name}.py": code})
    pyproject = str(files["pyproject.toml"]).replace('"backend"', '"own_backend"')
    # uv matches versions only for projects whose metadata it can read without a build.
    declared = f'[project]\nname = "{name}"\nversion = "1.0"\n'
    return {**files, "pyproject.toml": declared + pyproject, "own_backend.py": BACKEND}


def write(app: Path, code: str = "", neighbour: str = "1.0") -> Path:
    """Write the app; *code* is that of the packages in its directories."""
    local = {
        f"{name}/{path}": content
        for name in ("beside", "matching")
        for path, content in project(name, code).items()
    }
    pyproject = PYPROJECT.replace("neighbour==1.0", f"neighbour=={neighbour}")
    write_files(app, {"pyproject.toml": pyproject, "Procfile": "web: true", **local})
    app.chmod(0o755)
    return app


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    directory = tmp_path_factory.mktemp("packages")
    for version in ("1.0", "1.1"):
        wheel(directory, "neighbour", version, {"neighbour.py": f"VERSION = {version!r}\n"})
    archive(directory, "packed-1.0", project("packed"))
    with index.running(directory) as running:
        yield running


def layers_of(built: Built) -> dict[str, str]:
    """Return the descriptions of the environment's layers, which have digests of the contents."""
    assert built.code == 0, built.output
    return {path.name: path.read_text() for path in sorted(built.layers.glob("[dv]*.toml"))}


def test_first_next_and_clean_builds_are_equal(
    builds: Builds, flask: Built, packages: Index, tmp_path: Path
) -> None:
    env = {"UV_DEFAULT_INDEX": packages.url}
    app = write(tmp_path / "app")
    lock_files.run_uv(app, "lock", index=packages.url)

    first = builds.phases(app, flask, env=env)
    assert versions(first) == {f"{name}.py": "1.0" for name in ("beside", "matching", "packed")}

    edited = builds.phases(write(app, "CHANGED = 1\n"), first, env=env)
    assert layers_of(edited) == layers_of(builds.phases(app, flask, env=env))
    assert layers_of(edited) != layers_of(first)

    # What was built with the old release is built again, though its own files are the same.
    lock_files.run_uv(write(app, "CHANGED = 1\n", "1.1"), "lock", index=packages.url)
    upgraded = builds.phases(app, edited, env=env)
    assert layers_of(upgraded) == layers_of(builds.phases(app, flask, env=env))
    assert versions(upgraded) == {f"{name}.py": "1.1" for name in ("beside", "matching", "packed")}


def versions(built: Built) -> dict[str, str]:
    """Return the release of the neighbour that each module was built with."""
    assert built.code == 0, built.output
    texts = {path.name: path.read_text() for path in built.layers.glob("deps-*/**/*.py")}
    return {
        name: text.rpartition("BUILT_WITH = ")[2].strip("'\n")
        for name, text in texts.items()
        if "BUILT_WITH" in text
    }
