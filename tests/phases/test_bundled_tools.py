"""An offline package contains Poetry, Pipenv and PDM, so no index is needed for them."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support import lock_files
from tests.support.builds import Builds, Built
from tests.support.trees import App, linked_copy
from tools.package import tool_wheels
from tools.platforms import oci
from tools.pythons import runtimes

PROJECT = '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.14"\n'
APPS: Mapping[str, Mapping[str, str]] = {
    "poetry": {"pyproject.toml": f"{PROJECT}[tool.poetry]\npackage-mode = false\n"},
    "pdm": {"pyproject.toml": f"{PROJECT}[tool.pdm]\ndistribution = false\n"},
    "pipenv": {"Pipfile": "[packages]\n"},
}
PYTHON = "3.14.6"


@pytest.fixture(scope="module")
def offline(builds: Builds, tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = linked_copy(builds.buildpack, tmp_path_factory.mktemp("offline") / "tree")
    tree.parent.chmod(0o755)
    runtimes.bundle((PYTHON,), oci.arch(), tree / "runtimes")
    tool_wheels.bundle(oci.arch(), tree / "tools/programs")
    return tree


@pytest.mark.parametrize("tool", APPS)
def test_offline_package_has_the_tool(
    builds: Builds, flask: Built, app: App, offline: Path, tool: str
) -> None:
    directory = app({**APPS[tool], "Procfile": "web: python -m http.server $PORT\n"})
    if tool != "pipenv":
        lock_files.lock(tool, directory, {})
    env = {"BP_PYTHON_MIRROR": ""}
    built = builds.phases(directory, flask, buildpack=offline, network=False, env=env)
    assert built.code == 0, built.output
    assert f"  Downloading {tool} " in built.output
