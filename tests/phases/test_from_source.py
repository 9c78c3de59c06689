"""A package that a setting of its manager has built from source is built, as by the manager."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cnb_python.config.settings import Settings
from cnb_python.managers.pdm.manager import Pdm
from cnb_python.managers.pip.manager import Pip
from cnb_python.managers.pipenv.manager import Pipenv
from cnb_python.managers.poetry.manager import Poetry
from cnb_python.managers.pylock.manager import Pylock
from cnb_python.managers.pyproject.manager import PlainProject
from cnb_python.managers.uv.manager import UvProject
from tests.support import index
from tests.support.index import Index
from tests.support.manager_cases import (
    Case,
    decide_and_install,
    locked_by,
    locked_by_uv,
    modules,
    prepare,
)
from tests.support.sdists import sdist
from tests.support.wheels import wheel

# uv closes connections early, which pypiserver's files do not survive tidily.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
PROJECT = """\
[project]
name = "shop"
version = "1"
requires-python = ">=3.14,<4"
dependencies = ["one-tool", "other-tool"]
"""
BOTH = "one-tool==1.0\nother-tool==1.0\n"
OF_UV = '[[tool.uv.index]]\nname = "ours"\nurl = "{}"\ndefault = true\n'
UV_TABLE = '[tool.uv]\nno-binary-package = ["one-tool"]\n'
OF_POETRY = (
    '[tool.poetry]\npackage-mode = false\n[[tool.poetry.source]]\nname = "ours"\nurl = "{}"\n'
)
OF_PDM = '[tool.pdm]\ndistribution = false\n[[tool.pdm.source]]\nname = "pypi"\nurl = "{}"\n'
PIPFILE = '[[source]]\nname = "ours"\nurl = "{}"\nverify_ssl = true\n[packages]\n'
PIPFILE += 'one-tool = "*"\nother-tool = "*"\n'
BY_UV = Pip(Settings(installer="uv"))
LOCK_UV = locked_by_uv("lock")
TO_PYLOCK = ("pip", "compile", "--format=pylock.toml", "-qo", "pylock.toml", "requirements.in")
PIP, UV = {"PIP_INDEX_URL": "{}"}, {"UV_DEFAULT_INDEX": "{}"}
UV_ONE = {**UV, "UV_NO_BINARY_PACKAGE": "one-tool"}
POETRY = Case("poetry", Poetry(), {"pyproject.toml": PROJECT + OF_POETRY}, {}, locked_by("poetry"))
CASES = (
    Case("pip", Pip(), {"requirements.txt": BOTH}, {**PIP, "PIP_NO_BINARY": "one_tool"}),
    Case("pip-line", Pip(), {"requirements.txt": f"--no-binary one-tool\n{BOTH}"}, PIP),
    Case("uv-exact", BY_UV, {"requirements.txt": BOTH}, UV_ONE),
    Case("uv-exact-file", BY_UV, {"requirements.txt": BOTH, "pyproject.toml": UV_TABLE}, UV),
    Case("uv-range", BY_UV, {"requirements.txt": "one-tool\nother-tool\n"}, UV_ONE),
    Case("project", PlainProject(), {"pyproject.toml": PROJECT}, UV_ONE),
    Case("uv-lock", UvProject(), {"pyproject.toml": PROJECT}, UV_ONE, LOCK_UV),
    Case("uv-lock-file", UvProject(), {"pyproject.toml": PROJECT + UV_TABLE}, UV, LOCK_UV),
    Case("pylock", Pylock(), {"requirements.in": BOTH}, UV_ONE, locked_by_uv(*TO_PYLOCK)),
    Case(
        "poetry", Poetry(), POETRY.files, {"POETRY_INSTALLER_NO_BINARY": "One_Tool"}, POETRY.lock
    ),
    Case(
        "poetry-file",
        Poetry(),
        {**POETRY.files, "poetry.toml": '[installer]\nno-binary = ["one-tool"]\n'},
        lock=POETRY.lock,
    ),
    Case(
        "pipenv",
        Pipenv(),
        {"Pipfile": PIPFILE},
        {"PIP_NO_BINARY": "one-tool"},
        locked_by("pipenv"),
    ),
    Case("pipenv-unlocked", Pipenv(), {"Pipfile": PIPFILE}, {"PIP_NO_BINARY": "one-tool"}),
    Case(
        "pdm",
        Pdm(),
        {"pyproject.toml": PROJECT + OF_PDM},
        {"PDM_NO_BINARY": "one-tool"},
        locked_by("pdm"),
    ),
    Case(
        "pdm-file",
        Pdm(),
        {"pyproject.toml": PROJECT + OF_PDM + '[tool.pdm.resolution]\nno-binary = "one-tool"\n'},
        lock=locked_by("pdm"),
    ),
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    packages = tmp_path_factory.mktemp("packages")
    for name in ("one-tool", "other-tool"):
        module = f"{name.replace('-', '_')}.py"
        wheel(packages, name, "1.0", {module: f"{name} from a wheel"})
        sdist(packages, name, "1.0", {module: f"{name} from source"})
    with index.running(packages) as running:
        yield running


@pytest.mark.parametrize("case", CASES, ids=str)
def test_only_the_chosen_package_is_built_from_source(
    case: Case, served: Index, tmp_path: Path
) -> None:
    context = prepare(case, served, tmp_path, {})

    decide_and_install(case, context)

    installed = modules(context, "one_tool", "other_tool")
    assert installed == {"one-tool from source", "other-tool from a wheel"}
