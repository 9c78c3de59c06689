"""The exit code of detection, for apps of every kind and for broken input.

https://github.com/buildpacks/spec/blob/main/buildpack.md#detection
"""

import os
from pathlib import Path

import pytest

from cnb_python.errors.base import DOCS
from tests.support.builds import Builds, fixture
from tests.support.hostile_app import HOSTILE_FILES, HOSTILE_VARIABLES
from tests.support.trees import App

PASSED, FAILED, ERROR = 0, 100, 1
# Of the lifecycle: no group passed; no group passed and one had an error.
NO_GROUP, NO_GROUP_WITH_ERROR = 20, 21


@pytest.mark.parametrize("name", ["pip_flask", "pip_django", "pip_c_extension", "pip_science"])
def test_python_apps_pass(builds: Builds, name: str) -> None:
    detected = builds.detect(fixture(name))
    assert detected.code == PASSED
    assert detected.output.splitlines()[-1] == "cnb-python/python 0.1.0"


def test_another_app_fails_with_a_reason(builds: Builds) -> None:
    detected = builds.phase("detect", fixture("no_python"))
    assert detected.code == FAILED
    assert detected.output == (
        "  No Python app: no requirements file, no lock file and no Python code at the top.\n"
    )


def test_another_app_is_no_error_to_the_lifecycle(builds: Builds) -> None:
    detected = builds.detect(fixture("no_python"))
    assert detected.code == NO_GROUP
    assert "fail: cnb-python/python@0.1.0" in detected.output


def test_an_empty_app_fails(builds: Builds, app: App) -> None:
    assert builds.phase("detect", app({})).code == FAILED


def test_passing_prints_nothing(builds: Builds) -> None:
    detected = builds.phase("detect", fixture("pip_flask"))
    assert (detected.code, detected.output) == (PASSED, "")


@pytest.mark.parametrize(
    "name",
    [
        *("requirements.txt", "requirement.txt", "requirements.txt.txt", "requirments.txt"),
        *("pyproject.toml", "uv.lock", "poetry.lock", "Pipfile", "main.py", ".python-version"),
    ],
)
def test_an_app_that_looks_like_python_passes_even_if_broken(
    builds: Builds, app: App, name: str
) -> None:
    broken = app({name: b"\xff\xfe broken \0"})
    assert builds.phase("detect", broken).code == PASSED


def test_special_and_unreadable_files_are_no_error(builds: Builds, app: App) -> None:
    odd = app({"requirements.txt": None, "locked": "secret"})
    (odd / "locked").chmod(0)
    (odd / "dangling").symlink_to("missing")
    (odd / "circle").symlink_to("circle")
    os.mkfifo(odd / "pipe.py")
    Path(os.fsdecode(bytes(odd) + b"/caf\xe9.py")).touch()
    detected = builds.phase("detect", odd)
    assert (detected.code, detected.output) == (PASSED, "")


def test_files_of_the_app_are_never_imported(builds: Builds, app: App) -> None:
    detected = builds.phase("detect", app(HOSTILE_FILES))
    assert (detected.code, detected.output) == (PASSED, "")


def test_python_variables_do_not_reach_the_buildpacks_python(builds: Builds, app: App) -> None:
    hostile = app(HOSTILE_FILES)
    detected = builds.phase("detect", hostile, env=HOSTILE_VARIABLES)
    assert (detected.code, detected.output) == (PASSED, "")
    assert builds.detect(hostile, env=HOSTILE_VARIABLES).code == PASSED


def test_neither_home_nor_path_nor_locale_is_needed(builds: Builds) -> None:
    detected = builds.phase(
        "detect", fixture("pip_flask"), env={"LC_ALL": "nonsense"}, umask=0o077
    )
    assert (detected.code, detected.output) == (PASSED, "")


def test_the_buildpacks_directory_belongs_to_root_and_is_not_changed(builds: Builds) -> None:
    before = sorted(str(path) for path in builds.buildpack.rglob("*"))
    owners = {(path.stat().st_uid, path.stat().st_mode & 0o022) for path in _files(builds)}
    assert builds.detect(fixture("pip_flask")).code == PASSED
    assert sorted(str(path) for path in builds.buildpack.rglob("*")) == before
    assert owners == {(0, 0)}


def test_positional_arguments_replace_variables(builds: Builds) -> None:
    # Deprecated since API 0.8, still passed.
    unset = {"CNB_PLATFORM_DIR": "", "CNB_BUILD_PLAN_PATH": ""}
    detected = builds.phase("detect", fixture("pip_flask"), "/platform", "/tmp/plan", env=unset)
    assert (detected.code, detected.output) == (PASSED, "")


def test_a_missing_input_is_an_error_that_names_it(builds: Builds) -> None:
    detected = builds.phase("detect", fixture("pip_flask"), env={"CNB_BUILD_PLAN_PATH": ""})
    assert detected.code == ERROR
    assert detected.output == (
        "\n[Error: CNB_BUILD_PLAN_PATH is not set]\n\n"
        "Found:    no variable CNB_BUILD_PLAN_PATH, and no argument 2.\n"
        "Expected: a Cloud Native Buildpacks lifecycle that runs this phase.\n\n"
        "To fix this:\n"
        "  - Build the app with a platform: pack build my-image --buildpack .\n"
        "  - Or if you run the phase by hand, set CNB_BUILD_PLAN_PATH.\n\n"
        f"More: {DOCS}#missing-input\n"
    )


def test_the_plan_names_python(builds: Builds) -> None:
    plan = builds.detect(fixture("pip_flask")).layers.parent / "plan.toml"
    assert 'name = "python"' in plan.read_text()


def test_a_missing_target_is_an_error(builds: Builds) -> None:
    detected = builds.phase("detect", fixture("pip_flask"), env={"CNB_TARGET_ARCH": ""})
    assert detected.code == ERROR
    assert "[Error: CNB_TARGET_ARCH is not set]" in detected.output


def _files(builds: Builds) -> list[Path]:
    return [path for path in builds.buildpack.rglob("*") if not path.is_symlink()]
