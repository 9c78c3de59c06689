"""A private repository, whose server wants the login of a `netrc` binding."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import git_server
from tests.support.builds import Builds, Built
from tests.support.index import Login
from tests.support.sdists import checkout
from tests.support.secrets import find_secrets, watch_command_lines
from tests.support.trees import App, write_files

LOGIN = Login("deployer", "g1t+of:the/repository")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A package in a repository, without a login and at one commit."""
    directory = tmp_path_factory.mktemp("git")
    tools = checkout("team-tools", "1.0", {"team_tools.py": "NAME = 'team'"})
    commit = git_server.repository(directory / "tools", tools)
    with git_server.running(directory, LOGIN) as url:
        yield f"git+{url}/tools/.git@{commit}"


@pytest.fixture(scope="module")
def bindings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    netrc = f"machine 127.0.0.1 login {LOGIN.user} password {LOGIN.password}\n"
    files = {"logins/type": "netrc\n", "logins/.netrc": netrc}
    return write_files(tmp_path_factory.mktemp("bindings") / "all", files)


@pytest.mark.parametrize("tool", ["pip", pytest.param("uv", marks=pytest.mark.thorough)])
def test_netrc_binding_gives_access_and_its_login_is_stored_nowhere(
    builds: Builds, flask: Built, app: App, address: str, bindings: Path, tool: str
) -> None:
    source = app({"requirements.txt": f"team-tools @ {address}\n", "Procfile": "web: true"})
    env = {"BP_PYTHON_INSTALLER": tool}
    with watch_command_lines([LOGIN]) as lines:
        built = builds.image(source, flask, env=env, bindings=bindings)

    assert built.code == 0, built.output
    assert built.run("python", "-c", "import team_tools as t; print(t.NAME)") == "team\n"
    assert lines == []
    log = built.work / "log.txt"
    log.write_text(built.output + json.dumps(built.labels()))
    blobs = [built.image.blob(layer) for layer in built.image.layers]
    places = (log, built.layers, built.workspace, built.work / "cache", *blobs)
    assert find_secrets([LOGIN], *places) == []


def test_missing_login_is_an_error_that_names_netrc(
    builds: Builds, flask: Built, app: App, address: str
) -> None:
    source = app({"requirements.txt": f"team-tools @ {address}\n"})

    built = builds.phases(source, flask)

    assert built.error.startswith("A Git repository could not be fetched")
    assert "netrc" in built.error
