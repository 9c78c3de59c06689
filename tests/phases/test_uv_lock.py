"""An app with a `uv.lock`: a workspace whose packages are installed as uv would."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import index, lock_files
from tests.support.build_variants import digest_of, layers_of
from tests.support.builds import Builds, Built
from tests.support.index import Index
from tests.support.lock_updates import assert_runs_nothing
from tests.support.sdists import PYPROJECT as PYPROJECT_OF_SDISTS
from tests.support.sdists import checkout
from tests.support.trees import App, Files, linked_copy, write_files
from tests.support.wheels import wheel

PYPROJECT = """
[project]
name = "shop"
version = "1.0"
requires-python = ">=3.10"
dependencies = ["alpha==1.0", "core", "far; sys_platform == 'win32'"]

[project.optional-dependencies]
more = ["beta"]

[dependency-groups]
dev = ["gamma"]

[tool.uv.workspace]
members = ["libs/*"]

[tool.uv.sources]
core = { workspace = true }

[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""


# As setuptools does.
LEAVING_BACKEND = """

def _leaving(build):
    def build_and_leave(*args):
        for name in ("{0}.egg-info/PKG-INFO", "build/lib/{0}.py"):
            Path(HERE, name).parent.mkdir(parents=True, exist_ok=True)
            Path(HERE, name).write_text("left")
        return build(*args)
    return build_and_leave

build_editable, build_wheel = _leaving(build_editable), _leaving(build_wheel)
"""


def with_leftovers(files: Files) -> Files:
    """Return the source tree *files* with a backend that leaves files in it."""
    backend = files["backend.py"]
    assert isinstance(backend, bytes)
    return {**files, "backend.py": backend.decode() + LEAVING_BACKEND.format("shop")}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """An index with a few wheels."""
    directory = tmp_path_factory.mktemp("packages")
    for name in ("alpha", "beta", "gamma", "far"):
        wheel(directory, name, "1.0", {f"{name}.py": "VERSION = '1.0'"})
    wheel(directory, "alpha", "2.0", {"alpha.py": "VERSION = '2.0'"}, requires=["beta"])
    with index.running(directory) as running:
        yield running


@pytest.fixture(scope="module")
def env(packages: Index) -> dict[str, str]:
    return {"UV_DEFAULT_INDEX": packages.url}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, packages: Index) -> Path:
    """A workspace: the app is a package, and has a member."""
    own = with_leftovers(checkout("shop", "1.0", {"shop.py": "import alpha, core"}))
    core = with_leftovers(checkout("core", "1.0", {"core.py": "NAME = 'core'"}))
    table = f"[project]\nname = 'core'\nversion = '1.0'\n{PYPROJECT_OF_SDISTS}"
    app = write_files(
        tmp_path_factory.mktemp("app") / "app",
        {
            **own,
            "pyproject.toml": PYPROJECT,
            **{f"libs/core/{name}": text for name, text in core.items()},
            "libs/core/pyproject.toml": table,
            "Procfile": "web: python -m http.server $PORT",
        },
    )
    lock_files.run_uv(app, "lock", index=packages.url)
    return app


@pytest.fixture(scope="module")
def built(builds: Builds, flask: Built, source: Path, env: dict[str, str]) -> Built:
    """The image of that app, built after another app."""
    built = builds.image(source, flask, env=env)
    assert built.code == 0, built.output
    return built


def test_log_shows_the_export(built: Built) -> None:
    assert "  Exporting uv.lock with uv\n" in built.output
    assert "  Running `uv export --locked --no-default-groups`\n" in built.output


def test_materials_are_the_files_that_were_downloaded(built: Built, packages: Index) -> None:
    wheel_of_alpha = next(packages.packages.glob("alpha-1.0-*.whl"))
    sha256 = hashlib.sha256(wheel_of_alpha.read_bytes()).hexdigest()

    assert built.materials() == {wheel_of_alpha.name: f"sha256:{sha256}"}


def test_app_and_members_are_installed_in_place(built: Built) -> None:
    code = "import shop; print(shop.alpha.VERSION, shop.core.NAME, shop.__file__)"

    assert built.run("python", "-c", code) == "1.0 core /workspace/files/shop.py\n"


@pytest.mark.parametrize("name", ["beta", "gamma", "far", "uv"])
def test_image_has_no_other_packages_and_no_uv(built: Built, name: str) -> None:
    """Extras, development groups, packages of other platforms."""
    names = [path for layer in built.image.layers if layer.title for path in built.names("venv")]

    assert not any(f"/{name}.py" in path or f"/{name}-" in path for path in names)
    assert "/bin/uv" not in built.run("env")


def test_unchanged_build_runs_nothing_and_makes_the_same_image(
    builds: Builds, built: Built, source: Path, env: dict[str, str], packages: Index
) -> None:
    packages.requests.clear()

    again = builds.image(source, built, env=env)

    assert "Nothing changed" in again.output
    assert_runs_nothing(again)
    assert packages.requests == []
    assert layers_of(again) == layers_of(built)
    assert digest_of(again) == digest_of(built)


def test_files_that_backends_leave_are_not_in_the_image(built: Built, source: Path) -> None:
    assert files_of(built.workspace) == files_of(source)


def files_of(app: Path) -> list[str]:
    return sorted(path.relative_to(app).as_posix() for path in app.rglob("*"))


def test_undone_edits_give_the_same_image(
    builds: Builds, built: Built, source: Path, env: dict[str, str], app: App
) -> None:
    edits = {
        "files/shop.py": "import alpha, core\nNEW = 1",
        "libs/core/files/core.py": "NAME = 'other'",
        "libs/core/files/more.py": "",
    }
    edited = builds.image(app(edits, source), built, env=env)
    assert edited.code == 0, edited.output
    assert edited.run("python", "-c", "import shop; print(shop.core.NAME)") == "other\n"

    back = builds.image(source, edited, env=env)

    assert layers_of(back) == layers_of(built)
    assert digest_of(back) == digest_of(built)


def test_file_that_a_backend_writes_is_in_the_app_after_every_build(
    builds: Builds, built: Built, source: Path, env: dict[str, str], app: App
) -> None:
    backend = (source / "backend.py").read_text()
    writing = f"{backend}\nPath(HERE, 'files/_version.py').write_text('1.0')\n"
    changed = app({"backend.py": writing}, source)

    first = builds.phases(changed, built, env=env)
    again = builds.phases(changed, first, env=env)

    line = "Installing again in every build, since it writes into the app: files/_version.py\n"
    for build in (first, again):
        assert build.code == 0, build.output
        assert line in build.output
        assert (build.workspace / "files/_version.py").read_text() == "1.0"


def test_changed_code_of_the_app_reinstalls_the_app_alone(
    builds: Builds, built: Built, source: Path, env: dict[str, str], packages: Index, app: App
) -> None:
    packages.requests.clear()
    changed = app({"files/shop.py": "import alpha, core\nNEW = 1"}, source)

    again = builds.phases(changed, built, env=env)

    assert again.code == 0, again.output
    assert "Building shop" in again.output
    assert not any(".whl" in path for path in packages.requests)


def test_updated_lock_installs_the_new_releases(
    builds: Builds,
    built: Built,
    source: Path,
    env: dict[str, str],
    packages: Index,
    tmp_path: Path,
) -> None:
    text = PYPROJECT.replace("alpha==1.0", "alpha==2.0")
    changed = linked_copy(source, tmp_path / "app", {"pyproject.toml": text})
    (changed / "uv.lock").unlink()
    lock_files.run_uv(changed, "lock", index=packages.url)
    changed.chmod(0o755)

    again = builds.phases(changed, built, env=env)

    assert again.code == 0, again.output
    assert "alpha 1.0 → 2.0" in again.output
    assert "beta" in again.output


def test_stale_lock_is_refused_with_the_command(
    builds: Builds, built: Built, source: Path, env: dict[str, str], app: App
) -> None:
    text = PYPROJECT.replace("alpha==1.0", "alpha==2.0")

    stopped = builds.phases(app({"pyproject.toml": text}, source), built, env=env)

    assert stopped.code
    assert stopped.error.startswith("uv.lock is out of date\n")
    assert "Run uv lock on your machine" in stopped.error


def test_chosen_groups_and_extras_are_installed(
    builds: Builds, built: Built, source: Path, env: dict[str, str]
) -> None:
    chosen = {**env, "BP_PYTHON_GROUPS": "dev", "BP_PYTHON_EXTRAS": "more"}

    again = builds.phases(source, built, env=chosen)

    assert again.code == 0, again.output
    assert "beta" in again.output
    assert "gamma" in again.output


def test_unknown_group_is_refused_with_the_declared(
    builds: Builds, built: Built, source: Path, env: dict[str, str]
) -> None:
    stopped = builds.phases(source, built, env={**env, "BP_PYTHON_GROUPS": "prod"})

    assert stopped.error.startswith("There is no group prod in pyproject.toml\n")
    assert "Expected: a group of pyproject.toml: dev" in stopped.error


def test_member_for_another_python_is_named(
    builds: Builds, built: Built, source: Path, env: dict[str, str], app: App, packages: Index
) -> None:
    table = (source / "libs/core/pyproject.toml").read_text()
    newer = table.replace("[project]", "[project]\nrequires-python = '>=3.14'")
    other = app({"libs/core/pyproject.toml": newer, ".python-version": "3.13\n"}, source)
    (other / "uv.lock").unlink()
    lock_files.run_uv(other, "lock", index=packages.url)

    stopped = builds.phases(other, built, env=env)

    assert stopped.error.startswith("The app is not for Python 3.13.")
    assert "requires-python = '>=3.14' (workspace member `core`" in stopped.error
