"""Build consumers are found in settings, the build plan and project.toml."""

from copy import replace
from pathlib import Path

import pytest

from cnb_python.cnb.context import BuildContext, PlanEntry
from cnb_python.cnb.toml import TomlValue
from cnb_python.config.settings import Settings
from cnb_python.provision.request import find_build_consumers
from tests.support.fake_build import context

ADDED = """
[[io.buildpacks.group]]
id = "cnb-python/python"

[[io.buildpacks.group]]
id = "example/assets"
"""
AFTER = """
[[io.buildpacks.post.group]]
id = "example/assets"
"""
PROJECT = "the buildpacks that project.toml adds"


@pytest.fixture
def phase(tmp_path: Path) -> BuildContext:
    return context(tmp_path)


def entry(name: str = "python", **metadata: TomlValue) -> PlanEntry:
    return PlanEntry(name, metadata)


def described(phase: BuildContext, text: str) -> str:
    (phase.app_dir / "project.toml").write_text(text, encoding="utf-8")
    return find_build_consumers(phase, Settings())


def test_build_consumers_are_empty_by_default(phase: BuildContext) -> None:
    asked = replace(phase, plan=(entry(),))

    assert find_build_consumers(asked, Settings()) == ""


def test_setting_build_is_a_build_consumer(phase: BuildContext) -> None:
    assert find_build_consumers(phase, Settings(build=True)) == "the setting BP_PYTHON_BUILD"


@pytest.mark.parametrize(
    "plan",
    [
        (entry(build=True),),
        (entry(), entry(build=True)),
        (entry(build=True), entry(build=False)),
        (entry(build=False), entry(build=True, version="3.14")),
    ],
)
def test_buildpack_that_requires_python_for_build_is_a_build_consumer(
    phase: BuildContext, plan: tuple[PlanEntry, ...]
) -> None:
    assert find_build_consumers(replace(phase, plan=plan), Settings()) == "another buildpack"


@pytest.mark.parametrize(
    "plan",
    [
        (entry(build=False),),
        (entry(launch=True),),
        (entry("node", build=True),),
        (entry(build="true"),),
    ],
)
def test_other_plan_entries_are_no_build_consumers(
    phase: BuildContext, plan: tuple[PlanEntry, ...]
) -> None:
    assert find_build_consumers(replace(phase, plan=plan), Settings()) == ""


@pytest.mark.parametrize("text", [ADDED, AFTER], ids=["in the group", "after it"])
def test_buildpacks_added_by_project_toml_are_build_consumers(
    phase: BuildContext, text: str
) -> None:
    assert described(phase, text) == PROJECT


@pytest.mark.parametrize(
    "text",
    [
        "",
        '[_]\nschema-version = "0.2"\n',
        "[io.buildpacks]\n",
        "[io.buildpacks]\ngroup = []\n",
        "[[io.buildpacks.group]]\nid = 'cnb-python/python'\n",
        "[[io.buildpacks.build.env]]\nname = 'A'\nvalue = 'b'\n",
        "[[io.buildpacks.pre.group]]\nid = 'example/certificates'\n",
        "io = 'x'\n",
        "[io]\nbuildpacks = 1\n",
        "[io.buildpacks]\npost = 'x'\n",
        "nonsense",
    ],
)
def test_project_toml_without_later_buildpacks_is_no_build_consumer(
    phase: BuildContext, text: str
) -> None:
    assert described(phase, text) == ""


def test_directory_named_project_toml_is_ignored(phase: BuildContext) -> None:
    (phase.app_dir / "project.toml").mkdir()

    assert find_build_consumers(phase, Settings()) == ""
