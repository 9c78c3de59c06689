"""Projects in directories of an app: with only a setup.py, edited after a build, or not there.

A path in a group that is not installed may lead anywhere: the tools do not look at it.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from cnb_python.config.settings import Settings
from cnb_python.managers.pdm.manager import Pdm
from cnb_python.managers.pip.manager import Pip
from cnb_python.managers.pipenv.manager import Pipenv
from cnb_python.managers.poetry.manager import Poetry
from cnb_python.managers.uv.manager import UvProject
from cnb_python.system.certificates import system_bundle
from tests.support import resolving
from tests.support.build_variants import layers_of
from tests.support.builds import Builds, Built
from tests.support.index import Index
from tests.support.manager_cases import (
    Case,
    Lock,
    decide_and_install,
    locked_by,
    locked_by_uv,
    prepare,
)

PROJECT = '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.14,<4"\n'
SETUP = "from setuptools import setup\n\nsetup(name='{0}', version='1.0', py_modules=['{0}'])\n"
LOCAL = {
    path: text
    for name, place in (("one", "libs/one"), ("two", "libs/two"), ("far", "../far"))
    for path, text in (
        (f"{place}/setup.py", SETUP.format(name)),
        (f"{place}/{name}.py", f"V = '{name}'\n"),
    )
}
POETRY = """
[tool.poetry]
package-mode = false
[[tool.poetry.source]]
name = "usual"
url = "{}"
[tool.poetry.dependencies]
one = { path = "libs/one", develop = true }
two = { path = "libs/two" }
[tool.poetry.group.dev.dependencies]
far = { path = "../far", develop = true }
"""
PDM = """
dependencies = ["two @ file:///${PROJECT_ROOT}/libs/two"]
[dependency-groups]
editable = ["-e file:///${PROJECT_ROOT}/libs/one#egg=one"]
far = ["-e file:///${PROJECT_ROOT}/../far#egg=far"]
[tool.pdm]
distribution = false
"""
PIPFILE = """
[packages]
one = { path = "./libs/one", editable = true }
two = { path = "./libs/two" }
[dev-packages]
far = { path = "../far", editable = true }
"""
UV = """
dependencies = ["one", "two"]
[tool.uv.sources]
one = { path = "libs/one", editable = true }
two = { path = "libs/two" }
"""


def without_far(lock: Lock) -> Lock:
    """Return what locks an app and then removes the project above it."""

    def then_remove(app: Path, served: Index, variables: Mapping[str, str]) -> None:
        lock(app, served, variables)
        shutil.rmtree(app.parent / "far")

    return then_remove


CASES = (
    Case("pip", Pip(), {"requirements.txt": "-e libs/one\n./libs/two\n"}),
    Case("uv", UvProject(), {"pyproject.toml": PROJECT + UV}, lock=locked_by_uv("lock")),
    Case(
        "poetry",
        Poetry(),
        {"pyproject.toml": PROJECT + POETRY},
        lock=without_far(locked_by("poetry")),
    ),
    Case(
        "pdm",
        Pdm(Settings(groups=("editable",))),
        {"pyproject.toml": PROJECT + PDM},
        lock=without_far(locked_by("pdm")),
    ),
    Case("pipenv", Pipenv(), {"Pipfile": PIPFILE}, lock=without_far(locked_by("pipenv"))),
)


@pytest.fixture(scope="module")
def served() -> Index:
    """The usual index: old projects are built with its setuptools."""
    url = resolving.settings().get("PIP_INDEX_URL", "https://pypi.org/simple")
    return Index(url, Path("/nowhere"))


def of_this_machine() -> dict[str, str]:
    """Return the variables with which clients reach the usual index."""
    machine = {name: value for name, value in resolving.settings().items() if name != "PATH"}
    if bundle := system_bundle():
        machine["REQUESTS_CA_BUNDLE"] = str(bundle)
    return machine


@pytest.mark.parametrize("case", CASES, ids=str)
def test_projects_with_only_a_setup_py_are_built(
    case: Case, served: Index, tmp_path: Path
) -> None:
    files = {**LOCAL, **case.files}
    local = Case(case.name, case.manager, files, case.settings, case.lock)
    context = prepare(local, served, tmp_path, of_this_machine())

    resolution = decide_and_install(local, context)

    names = {pin.name for pin in resolution.pins}
    assert {"two"} <= names <= {"one", "two"}
    assert all(not pin.is_cacheable for pin in resolution.pins)
    assert next(context.environment.rglob("two.py")).read_text() == "V = 'two'\n"
    if "one" in names:
        paths = [path.read_text() for path in context.environment.rglob("*one*.pth")]
        assert any("libs/one" in text for text in paths) or list(
            context.environment.rglob("__editable__*one*")
        )


BACKEND = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
NEWER = {
    f"libs/{name}/pyproject.toml": f'{BACKEND}[project]\nname = "{name}"\nversion = "1.0"\n'
    for name in ("one", "two")
}


@pytest.mark.parametrize(
    "case",
    [*CASES[:2], *(pytest.param(case, marks=pytest.mark.matrix) for case in CASES[2:])],
    ids=str,
)
def test_edited_code_of_projects_is_in_the_next_image(
    builds: Builds, flask: Built, case: Case, served: Index, tmp_path: Path
) -> None:
    """Of an editable project, and of one that is copied into the environment."""
    files = {**LOCAL, **case.files, **NEWER, "Procfile": "web: python -V\n"}
    local = Case(case.name, case.manager, files, case.settings, case.lock)
    repository = tmp_path / "repository"
    repository.mkdir(mode=0o755)
    prepare(local, served, repository, of_this_machine())
    source = repository / "app"
    env = {"BP_PYTHON_GROUPS": "editable"} if case.name == "pdm" else {}
    first = builds.image(source, flask, env=env)
    assert first.code == 0, first.output

    for name in ("one", "two"):
        (source / f"libs/{name}/{name}.py").write_text(f"V = 'edited {name}'\n")
    later = builds.image(source, first, env=env)
    clean = builds.image(source, env=env)

    assert later.code == 0, later.output
    assert clean.code == 0, clean.output
    code = "import one, two; print(one.V, two.V)"
    outputs = [build.run("python", "-c", code) for build in (first, later)]
    assert outputs == ["one two\n", "edited one edited two\n"]
    assert layers_of(later) == layers_of(clean)
