"""An explanation names before a build what the build then does."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.builds import Builds, Built, fixture
from tests.support.trees import App
from tools.package import assemble


def explained(builds: Builds, app: Path, previous: Built) -> dict[str, Any]:
    """Return what `python3 -m tools.explain --json` prints beside the image *previous*."""
    command = (*(sys.executable, "-m", "tools.explain", "--json"), "--image")
    ended = subprocess.run(
        (*command, previous.directory, app),
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **builds.settings},
        cwd=assemble.ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    explanation: dict[str, Any] = json.loads(ended.stdout)
    return explanation


def processes_of(image: Built) -> dict[str, list[str]]:
    metadata = image.labels()["io.buildpacks.build.metadata"]
    return {row["type"]: row["command"] for row in metadata["processes"]}


def test_the_app_of_an_image_reuses_all_of_it(builds: Builds, flask: Built) -> None:
    explanation = explained(builds, fixture("pip_flask"), flask)

    assert explanation["error"] is None
    assert explanation["reuse"] == {
        "previous": True,
        "environment": True,
        "reasons": [],
        "changes": "",
    }
    assert explanation["python"]["reused"]
    assert f"Using Python {explanation['python']['version']} (default)" in flask.output
    (own, *_) = flask.labels()["io.buildpacks.lifecycle.metadata"]["buildpacks"]
    installed = own["store"]["metadata"]["distributions"]
    versions = explanation["packages"]["versions"]
    assert [f"{name} {version}" for name, version in versions.items()] == installed
    assert {process["type"] for process in explanation["processes"]} == set(processes_of(flask))


def test_a_changed_requirement_is_what_changes(builds: Builds, flask: Built, app: App) -> None:
    requirements = fixture("pip_flask") / "requirements.txt"
    changed = app(
        {"requirements.txt": requirements.read_text().replace("click==8.5.1", "click==8.5.0")},
        based_on=fixture("pip_flask"),
    )

    explanation = explained(builds, changed, flask)

    assert explanation["reuse"]["reasons"] == ["the packages have changed"]
    assert explanation["reuse"]["changes"] == "~ click 8.5.1 → 8.5.0"
    assert explanation["python"]["reused"]


def test_the_commands_of_the_page_print_what_it_shows() -> None:
    page = (assemble.ROOT / "docs/how-to/explain.md").read_text()
    blocks = re.findall(r"```console\n\$ ((?:make --no|bin/)[^\n]+)\n(.*?)```", page, re.DOTALL)

    assert len(blocks) == 2
    for command, shown in blocks:
        printed = subprocess.check_output(command, shell=True, cwd=assemble.ROOT, text=True)
        for line in filter(None, map(_comparable, shown.splitlines())):
            assert line in _comparable(printed)


def _comparable(text: str) -> str:
    """Return *text* without the path of the checkout, versions, and the rest of a long list."""
    text = re.sub(r"\S*/fixtures/", "fixtures/", text).partition(", ...")[0]
    return re.sub(r"\d+(\.\d+)+", "N", text)


def test_in_the_package_it_runs_as_the_build_user(builds: Builds) -> None:
    ended = builds.phase("explain", fixture("no_python"), env={"CNB_BP_PLAN_PATH": ""})

    assert ended.code == 100
    assert "This buildpack does not take the app" in ended.output
    taken = builds.phase("explain", fixture("pip_flask"), "--json", env={"CNB_LAYERS_DIR": ""})
    assert json.loads(taken.output)["packages"]["manager"] == "pip"
