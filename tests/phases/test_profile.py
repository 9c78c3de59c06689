"""A profile of a real build."""

import json
import subprocess
import sys

import pytest

from tools.package.assemble import ROOT

pytestmark = pytest.mark.matrix


def names(steps: list[dict[str, object]]) -> set[object]:
    found: set[object] = set()
    for step in steps:
        below = step["steps"]
        assert isinstance(below, list)
        found |= {step["name"], *names(below)}
    return found


def test_profile_of_an_unchanged_build_has_its_steps_and_counts() -> None:
    command = (sys.executable, "-m", "tools.profile", "--case", "unchanged")
    output = subprocess.check_output(command, cwd=ROOT, text=True, timeout=900)

    profile = json.loads((ROOT / "build/profile-unchanged.json").read_text())
    assert {"build.build", "provision.provide.provide"} <= names(profile["steps"])
    assert 0 < profile["cpu_s"] < 60
    assert sum(step["wall_s"] for step in profile["steps"]) <= profile["wall_s"] * 1.01
    if profile["counts"]:
        counted = sum(step["counts"]["calls"] for step in profile["steps"])
        assert counted == profile["counts"]["calls"] > 1000
        assert f"{counted:,} system calls" in output
    else:
        assert "were not counted" in output
