"""An app that is a member of a uv workspace: only its part of the lock file counts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import index, lock_files
from tests.support.builds import Builds, Built
from tests.support.index import Index
from tests.support.lock_updates import Upgrade, assert_runs_nothing, build_upgrade
from tests.support.trees import linked_copy, write_files
from tests.support.wheels import wheel

# Two of them spread the environment over several shards.
BULKY = 17 * 1024 * 1024
BULKS = ("bulk-one", "bulk-two")
MEMBER = '[project]\nname = "{}"\nversion = "1.0"\nrequires-python = ">=3.10"\ndependencies = {}\n'


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """An index with a few wheels."""
    directory = tmp_path_factory.mktemp("packages")
    for name in ("alpha", "beta", "gamma"):
        wheel(directory, name, "1.0", {f"{name}.py": "VERSION = '1.0'"})
    for name in BULKS:
        wheel(directory, name, "1.0", {f"{name}/data.bin": b"." * BULKY})
    with index.running(directory) as running:
        yield running


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, packages: Index) -> Path:
    """A workspace of two members, with releases newer than its lock file."""
    app = write_files(
        tmp_path_factory.mktemp("app") / "app",
        {
            "pyproject.toml": '[tool.uv.workspace]\nmembers = ["services/*"]\n',
            "services/api/pyproject.toml": MEMBER.format("api", ["alpha", "beta", *BULKS]),
            "services/api/Procfile": "web: python -m http.server $PORT",
            "services/worker/pyproject.toml": MEMBER.format("worker", ["beta", "gamma"]),
        },
    )
    app.chmod(0o755)
    lock_files.run_uv(app, "lock", index=packages.url)
    for name in ("alpha", "gamma"):
        wheel(packages.packages, name, "1.1", {f"{name}.py": "VERSION = '1.1'"})
    return app


@pytest.fixture(scope="module")
def env(packages: Index) -> dict[str, str]:
    return {"UV_DEFAULT_INDEX": packages.url, "BP_PYTHON_PROJECT": "services/api"}


@pytest.fixture(scope="module")
def built(builds: Builds, flask: Built, source: Path, env: dict[str, str]) -> Built:
    """The build of one of the two members."""
    built = builds.phases(source, flask, env=env)
    assert built.code == 0, built.output
    assert "gamma" not in built.output
    return built


def with_upgrade(source: Path, into: Path, name: str, packages: Index) -> Path:
    """Return a copy of *source* whose lock file has the newest release of *name*."""
    app = linked_copy(source, into / "app")
    lock = (app / "uv.lock").read_text()
    write_files(app, {"uv.lock": lock})  # not a hard link, since uv rewrites it
    lock_files.run_uv(app, "lock", "--upgrade-package", name, index=packages.url)
    assert f'name = "{name}"\nversion = "1.1"' in (app / "uv.lock").read_text()
    app.chmod(0o755)
    return app


def test_upgrade_of_another_member_changes_nothing(
    builds: Builds,
    built: Built,
    source: Path,
    env: dict[str, str],
    packages: Index,
    tmp_path: Path,
) -> None:
    app = with_upgrade(source, tmp_path, "gamma", packages)
    packages.requests.clear()

    again = builds.phases(app, built, env=env)

    assert "  Nothing changed: reusing 4 packages from the previous image\n" in again.output
    assert_runs_nothing(again)
    assert packages.requests == []


def test_upgrade_of_the_member_changes_one_package(
    builds: Builds,
    built: Built,
    source: Path,
    env: dict[str, str],
    packages: Index,
    tmp_path: Path,
) -> None:
    app = with_upgrade(source, tmp_path, "alpha", packages)

    build_upgrade(Upgrade("alpha", "1.0", "1.1"), builds, built, app, packages, env=env)


def test_hook_gets_the_environment_without_an_export(
    builds: Builds,
    built: Built,
    source: Path,
    env: dict[str, str],
    packages: Index,
    tmp_path: Path,
) -> None:
    script = "#!/bin/sh\nexec python -c 'import alpha; print(\"Version\", alpha.VERSION)'\n"
    app = linked_copy(source, tmp_path / "app", {"services/api/bin/post_compile": script})
    (app / "services/api/bin/post_compile").chmod(0o755)
    app.chmod(0o755)
    packages.requests.clear()

    again = builds.phases(app, built, env=env)

    assert again.code == 0, again.output
    assert "  Writing all packages to disk for bin/post_compile\n" in again.output
    assert "Version 1.0" in again.output
    assert "Exporting" not in again.output
    assert "`uv " not in again.output
    assert packages.requests == []
