"""Each app of the table gets the processes that a user expects."""

from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.launch.found_processes import find_processes
from tests.support.trees import write_files
from tests.unit.launch.app_shapes import APP_SHAPES
from tests.unit.launch.bot_apps import BOT_APPS
from tests.unit.launch.further_apps import FURTHER_APPS
from tests.unit.launch.start_apps import START_APPS, Expected, StartApp
from tests.unit.launch.task_apps import TASK_APPS

APPS = (*START_APPS, *APP_SHAPES, *BOT_APPS, *FURTHER_APPS, *TASK_APPS)


@pytest.mark.parametrize("app", APPS, ids=lambda app: app.name)
def test_app_has_the_expected_processes(tmp_path: Path, app: StartApp) -> None:
    installed = {
        name: version or "99.0"
        for name, _, version in (each.partition("==") for each in app.installed.split())
    }
    directory = write_files(tmp_path / "app", app.files)
    processes = {
        process.type: Expected(
            process.command,
            f"{process.evidence.file}:{process.evidence.line}",
            process.directory,
        )
        for process in find_processes(read_app(directory), installed).processes
    }
    if "console" not in app.expected:
        del processes["console"]

    assert processes == app.expected


def test_table_has_at_least_a_hundred_apps() -> None:
    assert len({app.name for app in APPS}) == len(APPS) >= 100
