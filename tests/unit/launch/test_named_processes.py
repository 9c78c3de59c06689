"""Settings name processes; the others come from the Procfile and the code."""

from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.config.loading import read_settings
from cnb_python.errors.config import BadSettings
from cnb_python.launch import launch_report, processes
from cnb_python.launch.launch_plan import LaunchPlan
from cnb_python.launch.named_processes import in_settings
from tests.support.trees import Files, write_files

FLASK = "from flask import Flask\napp = Flask(__name__)\n"
TABLE = "[tool.cnb-python.processes]\nworker = 'python w.py'\nweb = 'gunicorn shop'\n"
INSTALLED = {"flask": "3", "gunicorn": "23", "celery": "5"}


def plan_of(directory: Path, files: Files, **variables: str) -> LaunchPlan:
    app = read_app(write_files(directory / "app", files))
    given = in_settings(read_settings(variables, app.directory), app)
    return processes.plan_launch(app, INSTALLED, given)


def commands(plan: LaunchPlan) -> dict[str, str]:
    return {process.type: " ".join(process.command) for process in plan.processes}


def test_table_wins_over_procfile_and_code(tmp_path: Path) -> None:
    files = {"pyproject.toml": TABLE, "Procfile": "web: flask run\nclock: python c.py\n"}
    plan = plan_of(tmp_path, files)

    assert commands(plan) == {
        "worker": "python w.py",
        "web": "gunicorn shop",
        "clock": "python c.py",
        "console": "python",
    }
    assert [process.type for process in plan.processes if process.default] == ["web"]
    assert launch_report.reasons(plan)[:4] == (
        "worker: python w.py",
        "  From pyproject.toml, line 2",
        "web: gunicorn shop  (default)",
        "  From pyproject.toml, line 3",
    )


def test_start_names_web_and_leaves_what_was_found(tmp_path: Path) -> None:
    files = {"app.py": FLASK, "tasks.py": "from celery import Celery\napp = Celery()\n"}
    plan = plan_of(tmp_path, files, BP_PYTHON_START="python app.py")

    assert commands(plan) == {
        "web": "python app.py",
        "worker": "celery --app tasks worker --loglevel INFO",
        "console": "flask --app app:app shell",
    }
    assert "  From BP_PYTHON_START" in launch_report.reasons(plan)


def test_start_wins_over_the_table(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, {"pyproject.toml": TABLE}, BP_PYTHON_START="python app.py")

    assert commands(plan)["web"] == "python app.py"


def test_lines_of_a_variable_name_processes(tmp_path: Path) -> None:
    plan = plan_of(
        tmp_path, {}, BP_PYTHON_PROCESSES="web: python a.py --port $PORT\nw: python b.py"
    )

    assert commands(plan)["w"] == "python b.py"
    assert commands(plan)["web"].startswith("/bin/sh -c exec python a.py --port $PORT")


@pytest.mark.parametrize(
    "table",
    [
        "processes = 'web'",
        "processes = { web = 1 }",
        "processes = { 'a b' = 'x' }",
        "processes = { web = '# none' }",
        'processes = { web = "python \'a" }',
    ],
)
def test_commands_that_are_not_valid_are_refused(tmp_path: Path, table: str) -> None:
    with pytest.raises(BadSettings):
        plan_of(tmp_path, {"pyproject.toml": f"[tool.cnb-python]\n{table}\n"})


def test_procfile_with_the_same_worker_under_another_name_adds_none(tmp_path: Path) -> None:
    files = {
        "Procfile": "web: gunicorn app:app\njobs: celery -A tasks worker\n",
        "tasks.py": "from celery import Celery\napp = Celery()\n",
    }

    assert set(commands(plan_of(tmp_path, files))) == {"web", "jobs", "console"}


def test_single_process_of_a_procfile_stays_the_default(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, {"Procfile": "bot: python bot.py\n", "app.py": FLASK})

    assert [process.type for process in plan.processes if process.default] == ["bot"]
    assert "web" in commands(plan)


@pytest.mark.parametrize("has_table", [True, False])
def test_empty_command_leaves_a_process_out(tmp_path: Path, *, has_table: bool) -> None:
    files = {
        "manage.py": "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 's')\n",
        "s.py": "",
        "pyproject.toml": "[tool.cnb-python.processes]\nrelease = ''\n" if has_table else "",
        "Procfile": "release: python old.py\n",
    }
    variables = {} if has_table else {"BP_PYTHON_PROCESSES": "release:"}
    app = read_app(write_files(tmp_path / "app", files))
    given = in_settings(read_settings(variables, app.directory), app)
    plan = processes.plan_launch(app, {"django": "6.0"}, given)

    assert "release" not in commands(plan)
    origin = "pyproject.toml, line 2" if has_table else "BP_PYTHON_PROCESSES"
    lines = launch_report.reasons(plan)
    assert lines[:2] == ("release: left out", f"  From {origin}")


def test_empty_web_leaves_an_image_without_web(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, {"app.py": FLASK}, BP_PYTHON_PROCESSES="web:")

    assert commands(plan).keys() == {"console"}
    assert not plan.lacks_web
