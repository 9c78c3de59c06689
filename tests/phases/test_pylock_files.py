"""Apps with a standard lock file, `pylock.toml`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import index, lock_files
from tests.support.builds import Builds, Built
from tests.support.index import Index, Login
from tests.support.lock_updates import Upgrade, assert_runs_nothing, build_upgrade
from tests.support.trees import App, linked_copy, write_files
from tests.support.wheels import wheel

LOGIN = Login("builder", "pa55-of-the-lock")
LOCK = ("pip", "compile", "--format", "pylock.toml", "-o", "pylock.toml", "packages.in")
PROCFILE = "web: python -m http.server $PORT"


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """An index behind a password, with a few wheels."""
    directory = tmp_path_factory.mktemp("packages")
    wheel(directory, "alpha", "1.0", {"alpha.py": "VERSION = '1.0'"}, requires=["beta"])
    wheel(directory, "beta", "1.0", {"beta.py": "VERSION = '1.0'"})
    with index.running(directory, login=LOGIN) as running:
        yield running


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, packages: Index) -> Path:
    """An app and its lock file, which uv compiled from packages.in."""
    files = {"packages.in": "alpha\n", "Procfile": PROCFILE}
    app = write_files(tmp_path_factory.mktemp("app") / "app", files)
    lock_files.run_uv(app, *LOCK, index=packages.url_with(LOGIN))
    assert LOGIN.password not in (app / "pylock.toml").read_text()
    return app


@pytest.fixture(scope="module")
def env(packages: Index) -> dict[str, str]:
    """The index of the build, set up as for pip: the lock file names the files."""
    return {"PIP_INDEX_URL": packages.url_with(LOGIN)}


@pytest.fixture(scope="module")
def built(builds: Builds, flask: Built, source: Path, env: dict[str, str]) -> Built:
    """The image of that app."""
    built = builds.image(source, flask, env=env)
    assert built.code == 0, built.output
    return built


def test_image_has_the_locked_packages(built: Built) -> None:
    code = "import alpha, beta; print(alpha.VERSION, beta.VERSION)"

    assert built.run("python", "-c", code) == "1.0 1.0\n"
    assert "  Reading pylock.toml\n" in built.output
    assert LOGIN.password not in built.output


def test_unchanged_build_runs_nothing(
    builds: Builds, built: Built, source: Path, env: dict[str, str], packages: Index
) -> None:
    packages.requests.clear()

    again = builds.phases(source, built, env=env)

    assert "Nothing changed" in again.output
    assert_runs_nothing(again)
    assert packages.requests == []


def test_upgrade_in_the_lock_changes_one_package(
    builds: Builds,
    built: Built,
    source: Path,
    env: dict[str, str],
    packages: Index,
    tmp_path: Path,
) -> None:
    app = linked_copy(source, tmp_path / "app")
    (app / "pylock.toml").unlink()
    new = wheel(packages.packages, "beta", "1.1", {"beta.py": "VERSION = '1.1'"})
    lock_files.run_uv(app, *LOCK, index=packages.url_with(LOGIN))
    app.chmod(0o755)

    build_upgrade(Upgrade("beta", "1.0", "1.1"), builds, built, app, packages, env=env)
    new.unlink()


def test_named_lock_gives_the_same_environment(
    builds: Builds, built: Built, source: Path, env: dict[str, str], app: App
) -> None:
    lock = (source / "pylock.toml").read_text()

    again = builds.phases(app({"pylock.web.toml": lock, "Procfile": PROCFILE}), built, env=env)

    assert again.code == 0, again.output
    assert "Changed" not in again.output


def test_file_with_another_hash_is_refused(
    builds: Builds, flask: Built, source: Path, env: dict[str, str], app: App
) -> None:
    lock = (source / "pylock.toml").read_text()
    digest = lock.partition('sha256 = "')[2][:64]

    other = app({"pylock.toml": lock.replace(digest, "0" * 64)}, source)
    stopped = builds.phases(other, flask, env=env)

    assert stopped.code
    assert "hash" in stopped.error.lower()


def test_second_manager_is_refused(builds: Builds, source: Path, app: App) -> None:
    both = app({"requirements.txt": "alpha\n"}, source)

    stopped = builds.phases(both)

    assert stopped.error.startswith("The app has the files of more than one package manager\n")
    assert "- pylock.toml (pylock)" in stopped.error


def test_setting_chooses_between_two_managers(
    builds: Builds, built: Built, source: Path, env: dict[str, str], app: App
) -> None:
    both = app({"requirements.txt": "alpha\n"}, source)

    again = builds.phases(both, built, env={**env, "BP_PYTHON_MANAGER": "pylock"})

    assert "Nothing changed" in again.output
