"""Packages of a `uv.lock` that come from a Git repository."""

import subprocess
from pathlib import Path

import pytest

from tests.support import file_server, lock_files
from tests.support.builds import Builds, Built
from tests.support.sdists import checkout
from tests.support.trees import write_files

PYPROJECT = """
[project]
name = "app"
version = "1.0"
requires-python = ">=3.10"
dependencies = ["tools"]

[tool.uv.sources]
tools = {{ git = "{}", branch = "main" }}
"""
GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")


def git(directory: Path, *words: str) -> str:
    command = [*GIT, "-C", str(directory), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def commit(repository: Path, name: str) -> str:
    """Commit a package whose NAME is *name*; return the commit's hash."""
    write_files(repository, checkout("tools", "1.0", {"tools.py": f"NAME = '{name}'"}))
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", name)
    # For a server of plain files: https://git-scm.com/docs/git-update-server-info
    git(repository, "update-server-info")
    return git(repository, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    directory = tmp_path / "tools"
    directory.mkdir()
    git(directory, "init", "--quiet", "--initial-branch", "main")
    return directory


def test_locked_commit_is_installed_though_its_branch_moved(
    builds: Builds, flask: Built, repository: Path, tmp_path: Path
) -> None:
    locked = commit(repository, "locked")
    with file_server.running(repository) as server:
        files = {"pyproject.toml": PYPROJECT.format(f"{server.url}/.git"), "Procfile": "web: true"}
        app = write_files(tmp_path / "app", files)
        lock_files.run_uv(app, "lock", index=f"{server.url}/simple")
        app.chmod(0o755)
        commit(repository, "newer")

        first = builds.phases(app, flask)
        count = len(server.requests)
        again = builds.phases(app, first)

    assert first.code == 0, first.output
    shard = first.layers / "deps-00"
    assert [path.read_text() for path in shard.rglob("tools.py")] == ["NAME = 'locked'"]
    (origin,) = shard.rglob("tools-1.0.dist-info/direct_url.json")
    assert locked in origin.read_text()
    assert "  Nothing changed: reusing 1 packages from the previous image\n" in again.output
    assert len(server.requests) == count
