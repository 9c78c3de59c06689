"""Plain projects: resolved in each build, with a warning."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import index
from tests.support.builds import Builds, Built
from tests.support.index import Index
from tests.support.sdists import checkout
from tests.support.trees import App, Files, write_files
from tests.support.wheels import wheel

PYPROJECT = """
[project]
name = "shop"
version = "1.0"
dependencies = ["alpha"]

[project.optional-dependencies]
more = ["beta"]

[dependency-groups]
dev = ["shop[more]"]
"""
BACKEND = """
[build-system]
requires = ["helper"]
build-backend = "backend"
backend-path = ["."]
"""


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """An index with a few wheels."""
    directory = tmp_path_factory.mktemp("packages")
    for name in ("alpha", "beta", "helper"):
        wheel(directory, name, "1.0", {f"{name}.py": "VERSION = '1.0'"})
    with index.running(directory) as running:
        yield running


@pytest.fixture(scope="module")
def files() -> Files:
    own = checkout("shop", "1.0", {"shop.py": "import alpha"}, requires=["alpha"])
    return {**own, "pyproject.toml": PYPROJECT + BACKEND, "Procfile": "web: python -m http.server"}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, files: Files) -> Path:
    """An app that is a package."""
    return write_files(tmp_path_factory.mktemp("app") / "app", files)


@pytest.fixture(scope="module")
def built(builds: Builds, flask: Built, source: Path, packages: Index) -> Built:
    """The image of that app."""
    built = builds.image(source, flask, env={"UV_DEFAULT_INDEX": packages.url})
    assert built.code == 0, built.output
    return built


def test_app_is_installed_in_place_with_its_dependencies(built: Built) -> None:
    code = "import shop; print(shop.alpha.VERSION, shop.__file__)"

    assert built.run("python", "-c", code) == "1.0 /workspace/files/shop.py\n"


def test_warning_names_the_lock_command(built: Built) -> None:
    assert "  Resolving pyproject.toml with uv: it pins nothing\n" in built.output
    assert "[Warning: pyproject.toml" in built.output
    assert "uv lock" in built.output


def test_next_build_installs_a_newer_release(
    builds: Builds, built: Built, source: Path, packages: Index
) -> None:
    new = wheel(packages.packages, "alpha", "1.1", {"alpha.py": "VERSION = '1.1'"})

    again = builds.phases(source, built, env={"UV_DEFAULT_INDEX": packages.url})
    new.unlink()

    assert again.code == 0, again.output
    assert "alpha 1.0 → 1.1" in again.output


def test_project_that_is_not_a_package_installs_its_dependencies_alone(
    builds: Builds, built: Built, packages: Index, app: App
) -> None:
    """Its group names the project: a package of that name in the index is not meant."""
    plain = app({"pyproject.toml": PYPROJECT, "shop.py": ""})
    env = {"UV_DEFAULT_INDEX": packages.url, "BP_PYTHON_GROUPS": "dev"}
    stranger = wheel(packages.packages, "shop", "9.9", {"stranger.py": ""})

    again = builds.phases(plain, built, env=env)
    stranger.unlink()

    assert again.code == 0, again.output
    assert "shop 9.9" not in again.output
    assert "→ 9.9" not in again.output
    assert "beta 1.0" in again.output
    assert "removed shop" in again.output or "shop" in again.output.partition("Changed: ")[2]


def test_backend_missing_in_find_links_is_named(
    builds: Builds, built: Built, packages: Index, files: Files, app: App
) -> None:
    vendored = {
        f"vendor/{path.name}": path.read_bytes() for path in packages.packages.glob("alpha*")
    }
    table = PYPROJECT + BACKEND + '\n[tool.uv]\nno-index = true\nfind-links = ["vendor"]\n'

    stopped = builds.phases(app({**files, **vendored, "pyproject.toml": table}), built)

    assert stopped.code
    assert "helper" in stopped.error
