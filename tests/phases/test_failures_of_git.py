"""Repositories that Git cannot fetch: pip's words and uv's end in the same message."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import broken_index
from tests.support.failing_installs import Failing, Tool
from tests.support.trees import write_files

TOOLS = pytest.mark.parametrize("tool", [pytest.param("pip", marks=pytest.mark.thorough), "uv"])
TITLE = "A Git repository could not be fetched"
IDENTITY = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")


@pytest.fixture(scope="module")
def unkindly(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with broken_index.running(tmp_path_factory.mktemp("nothing")) as url:
        yield url


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> str:
    directory = write_files(tmp_path_factory.mktemp("repository"), {"README": "no project"})
    for command in (("init", "-q"), ("add", "."), (*IDENTITY, "commit", "-qm", "Begin")):
        subprocess.run(["git", "-C", directory, *command], check=True)
    return directory.as_uri()


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory, base: Path) -> Failing:
    return Failing(tmp_path_factory.mktemp("failing"), base)


@TOOLS
def test_a_build_image_without_git(failing: Failing, tool: Tool, repository: str) -> None:
    env = {"PATH": failing.programs()}
    told = failing.failure(tool, f"git+{repository}\n", env=env)

    assert told.title == "The build image has no git"
    assert "with git (Debian and Ubuntu: git)" in told.message


@TOOLS
def test_a_server_that_is_not_there(failing: Failing, tool: Tool) -> None:
    told = failing.failure(tool, "git+https://127.0.0.1:1/team/tools.git\n")

    assert told.title == TITLE
    assert "Requirement: git+https://127.0.0.1:1/team/tools.git" in told.message
    assert "set HTTPS_PROXY" in told.message


@TOOLS
@pytest.mark.parametrize("status", ["401", "403"])
def test_a_repository_that_wants_a_login(
    failing: Failing, tool: Tool, unkindly: str, status: str
) -> None:
    told = failing.failure(tool, f"git+{unkindly}/{status}/tools.git\n")

    assert told.title == TITLE
    assert "git+https://${TOKEN}@HOST/" in told.message
    assert "has not expired" in told.message


@TOOLS
def test_a_repository_that_does_not_exist(failing: Failing, tool: Tool, unkindly: str) -> None:
    told = failing.failure(tool, f"git+{unkindly}/404/tools.git\n")

    assert told.title == TITLE
    assert "If it is private, give the build access." in told.message


@TOOLS
@pytest.mark.parametrize("revision", ["v9.9", "ab" * 20])
def test_a_revision_that_does_not_exist(
    failing: Failing, tool: Tool, repository: str, revision: str
) -> None:
    told = failing.failure(tool, f"tools @ git+{repository}@{revision}\n")

    assert told.title == TITLE
    assert "Correct the branch, tag or commit behind the @." in told.message
    assert revision in told.message


@TOOLS
def test_a_repository_without_a_project(failing: Failing, tool: Tool, repository: str) -> None:
    told = failing.failure(tool, f"tools @ git+{repository}\n")

    assert told.title.endswith(" is not a Python project")
    assert "tools" in told.message
