"""The build plan, out and in."""

from pathlib import Path

import pytest

from cnb_python.cnb import toml
from cnb_python.cnb.plan import BuildPlan, PlanEntry, Require, merged
from cnb_python.errors.base import ContractBroken


def written(tmp_path: Path, plan: BuildPlan) -> toml.TomlTable:
    plan.write(tmp_path / "plan.toml")
    return toml.read(tmp_path / "plan.toml")


def test_a_plan_says_what_is_offered_and_needed(tmp_path: Path) -> None:
    plan = BuildPlan(("python",), (Require("python"), Require("node", {"build": True})))

    assert written(tmp_path, plan) == {
        "provides": [{"name": "python"}],
        "requires": [{"name": "python"}, {"name": "node", "metadata": {"build": True}}],
    }


def test_alternatives_follow_in_order(tmp_path: Path) -> None:
    plan = BuildPlan(
        provides=("a",),
        requires=(Require("a"),),
        alternatives=(
            BuildPlan(provides=("b",)),
            BuildPlan(requires=(Require("c"),)),
            BuildPlan(),
        ),
    )

    assert written(tmp_path, plan)["or"] == [
        {"provides": [{"name": "b"}]},
        {"requires": [{"name": "c"}]},
        {},
    ]


def test_nothing_to_say_leaves_the_file_empty(tmp_path: Path) -> None:
    BuildPlan().write(tmp_path / "plan.toml")

    assert (tmp_path / "plan.toml").read_bytes() == b""


def test_an_alternative_of_an_alternative_is_refused(tmp_path: Path) -> None:
    plan = BuildPlan(alternatives=(BuildPlan(alternatives=(BuildPlan(),)),))

    with pytest.raises(ContractBroken, match="alternatives"):
        plan.write(tmp_path / "plan.toml")


def test_entries_of_one_name_are_merged_without_losing_a_value() -> None:
    entries = (
        PlanEntry("python", {"version": "3.13", "build": True}),
        PlanEntry("other", {"build": False}),
        PlanEntry("python"),
        PlanEntry("python", {"version": "3.14"}),
    )

    assert merged(entries, "python") == {"version": ("3.13", "3.14"), "build": (True,)}
    assert merged(entries, "none") == {}
