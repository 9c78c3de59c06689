"""Whether we take part, by exit code alone, whatever the app and its settings hold.

https://github.com/buildpacks/spec/blob/main/buildpack.md#detection
"""

import os
from pathlib import Path

import pytest

from tests.support.builds import Builds, fixture
from tests.support.hostile import HOSTILE_FILES, HOSTILE_VARIABLES
from tests.support.trees import App

PASSED, FAILED, ERROR = 0, 100, 1
# The lifecycle's own: no group passed; none passed and one had an error.
NOBODY, NOBODY_WITH_ERROR = 20, 21


@pytest.mark.parametrize("name", ["pip_flask", "pip_django", "pip_c_extension", "pip_science"])
def test_python_apps_take_part(builds: Builds, name: str) -> None:
    found = builds.detect(fixture(name))
    assert found.code == PASSED
    assert found.output.splitlines()[-1] == "cnb-python/python 0.1.0"


def test_other_apps_do_not_take_part(builds: Builds) -> None:
    ended = builds.phase("detect", fixture("no_python"))
    assert ended.code == FAILED
    assert ended.output == (
        "  No Python app: found neither a requirements file, a lock file nor Python code.\n"
    )


def test_an_app_that_is_not_ours_is_no_error_to_the_lifecycle(builds: Builds) -> None:
    found = builds.detect(fixture("no_python"))
    assert found.code == NOBODY
    assert "fail: cnb-python/python@0.1.0" in found.output


def test_an_empty_app_does_not_take_part(builds: Builds, app: App) -> None:
    assert builds.phase("detect", app({})).code == FAILED


def test_taking_part_is_silent(builds: Builds) -> None:
    ended = builds.phase("detect", fixture("pip_flask"))
    assert (ended.code, ended.output) == (PASSED, "")


@pytest.mark.parametrize(
    "name",
    [
        *("requirements.txt", "requirement.txt", "requirements.txt.txt", "requirments.txt"),
        *("pyproject.toml", "uv.lock", "poetry.lock", "Pipfile", "main.py", ".python-version"),
    ],
)
def test_whatever_looks_like_python_takes_part(builds: Builds, app: App, name: str) -> None:
    broken = app({name: b"\xff\xfe broken \0"})
    assert builds.phase("detect", broken).code == PASSED


def test_odd_entries_of_the_app_are_no_error(builds: Builds, app: App) -> None:
    odd = app({"requirements.txt": None, "locked": "secret"})
    (odd / "locked").chmod(0)
    (odd / "nowhere").symlink_to("missing")
    (odd / "circle").symlink_to("circle")
    os.mkfifo(odd / "pipe.py")
    Path(os.fsdecode(bytes(odd) + b"/caf\xe9.py")).touch()
    ended = builds.phase("detect", odd)
    assert (ended.code, ended.output) == (PASSED, "")


def test_files_of_the_app_are_never_imported(builds: Builds, app: App) -> None:
    ended = builds.phase("detect", app(HOSTILE_FILES))
    assert (ended.code, ended.output) == (PASSED, "")


def test_settings_of_the_app_s_python_do_not_reach_ours(builds: Builds, app: App) -> None:
    hostile = app(HOSTILE_FILES)
    ended = builds.phase("detect", hostile, env=HOSTILE_VARIABLES)
    assert (ended.code, ended.output) == (PASSED, "")
    assert builds.detect(hostile, env=HOSTILE_VARIABLES).code == PASSED


def test_neither_home_nor_path_nor_locale_is_needed(builds: Builds) -> None:
    ended = builds.phase("detect", fixture("pip_flask"), env={"LC_ALL": "nonsense"}, umask=0o077)
    assert (ended.code, ended.output) == (PASSED, "")


def test_the_buildpack_s_directory_is_root_s_and_stays_as_it_is(builds: Builds) -> None:
    before = sorted(str(path) for path in builds.buildpack.rglob("*"))
    owners = {(path.stat().st_uid, path.stat().st_mode & 0o022) for path in _files(builds)}
    assert builds.detect(fixture("pip_flask")).code == PASSED
    assert sorted(str(path) for path in builds.buildpack.rglob("*")) == before
    assert owners == {(0, 0)}


def test_positional_arguments_do_as_well_as_variables(builds: Builds) -> None:
    # Deprecated since API 0.8, still passed.
    unset = {"CNB_PLATFORM_DIR": "", "CNB_BUILD_PLAN_PATH": ""}
    ended = builds.phase("detect", fixture("pip_flask"), "/platform", "/tmp/plan", env=unset)
    assert (ended.code, ended.output) == (PASSED, "")


def test_a_missing_input_is_an_error_that_names_it(builds: Builds) -> None:
    ended = builds.phase("detect", fixture("pip_flask"), env={"CNB_BUILD_PLAN_PATH": ""})
    assert ended.code == ERROR
    assert ended.output == (
        "\n[Error: CNB_BUILD_PLAN_PATH is not set]\n\n"
        "A Cloud Native Buildpacks lifecycle hands this phase CNB_BUILD_PLAN_PATH (or as argument"
        " 2).\n"
        "Nothing did, so this does not seem to be run by a lifecycle.\n\n"
        "What to do:\n"
        "  1. Build the app with a platform: `pack build my-image --buildpack .`\n"
        "  2. To run the phase by hand, set CNB_BUILD_PLAN_PATH first.\n"
    )


def test_the_plan_asks_for_what_it_offers(builds: Builds) -> None:
    plan = builds.detect(fixture("pip_flask")).layers.parent / "plan.toml"
    assert 'name = "python"' in plan.read_text()


def test_a_target_that_is_not_named_is_an_error(builds: Builds) -> None:
    ended = builds.phase("detect", fixture("pip_flask"), env={"CNB_TARGET_ARCH": ""})
    assert ended.code == ERROR
    assert "[Error: CNB_TARGET_ARCH is not set]" in ended.output


def _files(builds: Builds) -> list[Path]:
    return [path for path in builds.buildpack.rglob("*") if not path.is_symlink()]
