"""What Poetry, PDM and Pipenv have in common, one row for each: the tool exports, uv installs."""

import re

import pytest

from tests.support.builds import Builds, Built
from tests.support.locked_managers import (
    PDM,
    PIPENV,
    POETRY,
    Images,
    LockedManager,
    assert_has_no_tool,
    assert_serves,
    assert_unchanged,
)
from tests.support.trees import App


@pytest.fixture(scope="module", params=[POETRY, PDM, PIPENV], ids=str)
def manager(request: pytest.FixtureRequest) -> LockedManager:
    row: LockedManager = request.param
    return row


@pytest.fixture(scope="module")
def built(manager: LockedManager, images: Images) -> Built:
    return images(manager.app.name)


def test_image_serves_the_locked_packages(manager: LockedManager, built: Built) -> None:
    """Without other groups, extras and packages for other Pythons."""
    assert_serves(built, manager.packages, manager.absent)


def test_image_has_nothing_of_the_tool(manager: LockedManager, built: Built) -> None:
    assert_has_no_tool(built, manager.app, manager.tool_files)


def test_log_shows_the_export(manager: LockedManager, built: Built) -> None:
    assert f"  Exporting {manager.lock} with {manager.title}\n" in built.output
    assert re.search(rf"  Downloading {manager.command} \d", built.output)
    for command in manager.export:
        assert f"  Running `{command}`\n" in built.output
    assert "[Warning" not in built.output


def test_unchanged_build_runs_nothing(
    manager: LockedManager, builds: Builds, built: Built
) -> None:
    assert_unchanged(builds, manager.app, built)


def test_chosen_groups_and_extras_are_added_by_the_stored_tool(
    manager: LockedManager, builds: Builds, built: Built
) -> None:
    chosen = builds.phases(manager.app, built, env=manager.chosen)

    assert chosen.code == 0, chosen.output
    assert re.search(rf"  Using cached {manager.command} \S+\n", chosen.output)
    assert f"  Running `{manager.chosen_export}`\n" in chosen.output
    [changed] = re.findall(r"  Changed: (.*)", chosen.output)
    for name in ("inflect", "pytest"):
        assert (f"+ {name} " in changed) is (name in manager.chosen_packages)


def test_stale_lock_is_refused_with_the_command(
    manager: LockedManager, builds: Builds, built: Built, app: App
) -> None:
    stopped = builds.phases(app(manager.stale.of(manager.app), manager.app), built)

    assert stopped.error.startswith(f"{manager.lock} is out of date\n")
    assert f"Run {manager.command} lock on your machine." in stopped.error


def test_lock_of_a_newer_tool_is_refused(
    manager: LockedManager, builds: Builds, built: Built, app: App
) -> None:
    stopped = builds.phases(app(manager.newer.of(manager.app), manager.app), built)

    assert stopped.error.startswith(f"{manager.lock} was written by a newer {manager.title}\n")
    assert f"setting {manager.command}" in stopped.error


def test_unknown_group_or_extra_is_refused_with_the_declared(
    manager: LockedManager, builds: Builds, built: Built
) -> None:
    stopped = builds.phases(manager.app, built, env=manager.unknown)

    assert stopped.error.startswith(f"{manager.unknown_title}\n")
    assert re.search(r"\b(text|dev)\b", stopped.error)


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("poetry_flask", "greeter/__init__.py"),
        ("pdm_flask", "src/greeter/__init__.py"),
    ],
)
def test_app_is_installed_in_place(images: Images, name: str, module: str) -> None:
    built = images(name)

    assert built.run("greet") == "Hello from the command!\n"
    code = "import greeter; print(greeter.__file__)"
    assert built.run("python", "-c", code) == f"/workspace/{module}\n"
