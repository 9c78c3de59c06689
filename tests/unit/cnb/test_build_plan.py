"""The build plan: written while detecting, read while building."""

from pathlib import Path

from cnb_python.cnb import toml
from cnb_python.cnb.context import BuildPlan, PlanEntry, Require, merged


def plan_toml(tmp_path: Path, plan: BuildPlan) -> toml.TomlTable:
    plan.write(tmp_path / "plan.toml")
    return toml.read(tmp_path / "plan.toml")


def test_a_plan_has_provides_and_requires(tmp_path: Path) -> None:
    plan = BuildPlan(("python",), (Require("python"), Require("node", {"build": True})))

    assert plan_toml(tmp_path, plan) == {
        "provides": [{"name": "python"}],
        "requires": [{"name": "python"}, {"name": "node", "metadata": {"build": True}}],
    }


def test_an_empty_plan_is_an_empty_file(tmp_path: Path) -> None:
    BuildPlan().write(tmp_path / "plan.toml")

    assert (tmp_path / "plan.toml").read_bytes() == b""


def test_entries_with_one_name_are_merged_with_all_values() -> None:
    entries = (
        PlanEntry("python", {"version": "3.13", "build": True}),
        PlanEntry("other", {"build": False}),
        PlanEntry("python"),
        PlanEntry("python", {"version": "3.14"}),
    )

    assert merged(entries, "python") == {"version": ("3.13", "3.14"), "build": (True,)}
    assert merged(entries, "none") == {}
