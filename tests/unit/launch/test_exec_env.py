"""The processes of images for tests and development."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.launch import launch_report, processes
from cnb_python.launch.launch_plan import LaunchPlan
from tests.support.trees import Files, write_files

MANAGE = "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n"
UNITTEST = "import unittest\n\n\nclass Test(unittest.TestCase):\n    pass\n"
FLASK = "from flask import Flask\napp = Flask(__name__)\n"
BOTTLE = "import bottle\napp = bottle.Bottle()\n"
SANIC = "from sanic import Sanic\napp = Sanic('shop')\n"
SHINY = "from shiny import App, ui\napp = App(ui.page_fluid(), None)\n"
FASTMCP = "from fastmcp import FastMCP\nmcp = FastMCP('shop')\n"
FASTAPI = "from fastapi import FastAPI\napp = FastAPI()\n"
DJANGO: Files = {
    "manage.py": MANAGE,
    "shop/settings.py": "WSGI_APPLICATION = 'shop.wsgi.application'\n",
    "shop/wsgi.py": (
        "from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n"
    ),
}
HOST, ADDRESS = '"${BPL_PYTHON_HOST:-0.0.0.0}"', '"${BPL_PYTHON_ADDRESS:-0.0.0.0}"'
PORT = '"${PORT:-8000}"'


def plan_of(directory: Path, files: Files, installed: str, exec_env: str = "test") -> LaunchPlan:
    versions = dict.fromkeys(installed.split(), "1.0")
    app = read_app(write_files(directory / "app", files))
    return processes.plan_launch(app, versions, exec_env=exec_env)


def commands(plan: LaunchPlan) -> Mapping[str, str]:
    return {kind: command for kind, command, _ in plan.commands()}


@pytest.mark.parametrize(
    ("files", "installed", "command", "reason"),
    [
        ({"app.py": FLASK}, "flask pytest", "python -m pytest", "pytest in the app's packages"),
        (
            {"app.py": "", "pyproject.toml": "[tool.pytest.ini_options]\n"},
            "pytest tox",
            "python -m pytest",
            "pytest in pyproject.toml",
        ),
        (DJANGO, "django", "python manage.py test", "Django in manage.py, line 2 (manage.py)"),
        (DJANGO, "django pytest", "python manage.py test", "Django in manage.py, line 2"),
        (DJANGO, "django pytest pytest-django", "python -m pytest", "pytest in the app's"),
        (
            {**DJANGO, "pytest.ini": "[pytest]\n"},
            "django pytest",
            "python -m pytest",
            "pytest in pytest.ini",
        ),
        (
            {"app.py": "", "tox.ini": "[testenv]\n"},
            "tox nox",
            "tox run --workdir /tmp/tox",
            "tox in tox.ini",
        ),
        ({"app.py": "", "noxfile.py": ""}, "nox", "nox --envdir /tmp/nox", "nox in noxfile.py"),
        (
            {"app.py": "", "tox.ini": "[flake8]\n", "test_app.py": UNITTEST},
            "tox",
            "python -m unittest",
            "unittest in test_app.py",
        ),
        (
            {"app.py": "", "tests/__init__.py": "", "tests/test_app.py": UNITTEST},
            "",
            "python -m unittest",
            "unittest in tests/test_app.py",
        ),
        (
            {"app.py": "", "tests/test_app.py": UNITTEST},
            "",
            "python -m unittest discover -s tests",
            "unittest in tests/test_app.py",
        ),
    ],
)
def test_runner_is_found_by_what_is_there(
    tmp_path: Path, files: Files, installed: str, command: str, reason: str
) -> None:
    plan = plan_of(tmp_path, files, installed)

    assert commands(plan)["test"] == command
    assert [each.type for each in plan.processes if each.default] == ["test"]
    assert f"  Found {reason}" in "\n".join(launch_report.reasons(plan))


def test_process_of_the_procfile_runs_the_tests(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, {"Procfile": "test: make test\nweb: python app.py"}, "pytest")

    assert commands(plan)["test"] == "make test"
    assert [each.type for each in plan.processes if each.default] == ["test"]


def test_image_without_tests_prints_what_to_add_and_exits_with_78(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, {"app.py": "print('app')\n"}, "flask")

    test = next(each for each in plan.processes if each.type == "test")
    script = " ".join(test.command)

    assert test.default
    assert script.startswith("python -I -c ")
    assert "The image runs no tests: no test runner was found." in script
    assert script.endswith("; sys.exit(78)")
    (warning,) = launch_report.warnings(plan, lambda package: (package, package))
    assert warning.title in script


@pytest.mark.parametrize("exec_env", ["production", "development"])
def test_other_images_have_no_process_for_tests(tmp_path: Path, exec_env: str) -> None:
    plan = plan_of(tmp_path, {"app.py": FLASK, "test_app.py": UNITTEST}, "flask pytest", exec_env)

    assert "test" not in commands(plan)


@pytest.mark.parametrize(
    ("files", "installed", "command"),
    [
        ({"app.py": FLASK}, "flask gunicorn", "gunicorn --reload app:app"),
        (
            {"app.py": FLASK},
            "flask",
            f"flask --app app:app run --host {HOST} --port {PORT} --debug",
        ),
        (
            {"app.py": FASTAPI},
            "fastapi uvicorn",
            f"uvicorn --reload --host {HOST} --port {PORT} app:app",
        ),
        (DJANGO, "django gunicorn", "gunicorn --reload shop.wsgi:application"),
        (DJANGO, "django", f"python manage.py runserver {ADDRESS}:{PORT}"),
        (
            {"app.py": SANIC},
            "sanic",
            f"sanic app:app --host={HOST} --port={PORT} --reload",
        ),
        (
            {"app.py": SHINY},
            "shiny",
            f"shiny run app.py --host {HOST} --port {PORT} --reload",
        ),
        (
            {"app.py": "import streamlit as st\n"},
            "streamlit",
            (
                f"streamlit run app.py --server.address {HOST} --server.port {PORT}"
                " --server.headless true --server.runOnSave true"
            ),
        ),
        (
            {"app.py": "import panel as pn\npn.Row().servable()\n"},
            "panel",
            (
                f"panel serve app.py --address {HOST} --port {PORT}"
                " --allow-websocket-origin '*' --dev"
            ),
        ),
        (
            {"a b.py": "from bokeh.io import curdoc\ncurdoc()\n"},
            "bokeh",
            (
                f"bokeh serve 'a b.py' --address {HOST} --port {PORT}"
                " --allow-websocket-origin '*' --dev 'a b.py'"
            ),
        ),
        (
            {"app.py": "import marimo\napp = marimo.App()\n"},
            "marimo",
            f"marimo run app.py --host {HOST} --port {PORT} --headless --watch",
        ),
    ],
)
def test_server_reloads_in_development(
    tmp_path: Path, files: Files, installed: str, command: str
) -> None:
    plan = plan_of(tmp_path, files, installed, "development")

    assert commands(plan)["web"] == command
    assert "Starting the app again when its code changes" in "\n".join(launch_report.reasons(plan))
    # A development server is what was asked for.
    assert list(launch_report.warnings(plan, lambda package: (package, package))) == []
    (tmp_path / "again").mkdir()
    production = plan_of(tmp_path / "again", files, installed, "production")
    assert "reload" not in commands(production)["web"].replace("--noreload", "")


def test_older_release_without_a_reloader_starts_as_in_production(tmp_path: Path) -> None:
    app = read_app(write_files(tmp_path / "app", {"app.py": FASTMCP}))

    old = processes.plan_launch(app, {"fastmcp": "2.14.5"}, exec_env="development")
    new = processes.plan_launch(app, {"fastmcp": "3.0.0"}, exec_env="development")

    assert not commands(old)["web"].endswith("--reload")
    assert commands(new)["web"].endswith("--reload")


@pytest.mark.parametrize(
    ("files", "installed", "command", "replaced"),
    [
        ({"app.py": FLASK}, "flask waitress", "flask --app app:app run", "waitress"),
        ({"app.py": FLASK}, "flask uwsgi", "flask --app app:app run", "uwsgi"),
        ({"app.py": FLASK}, "flask granian", "flask --app app:app run", "granian"),
        (DJANGO, "django pyuwsgi", "python manage.py runserver", "pyuwsgi"),
        ({"app.py": BOTTLE}, "bottle waitress hypercorn gunicorn", "gunicorn --reload", ""),
        (
            {"app.py": FASTAPI},
            "fastapi gunicorn uvicorn uvicorn-worker",
            "uvicorn --reload --host",
            "uvicorn-worker",
        ),
    ],
)
def test_server_that_cannot_reload_is_replaced_in_development(
    tmp_path: Path, files: Files, installed: str, command: str, replaced: str
) -> None:
    plan = plan_of(tmp_path, files, installed, "development")

    assert commands(plan)["web"].startswith(command)
    reasons = "\n".join(launch_report.reasons(plan))
    assert "No server for production is installed" not in reasons
    assert (f"Not using {replaced}, which does not start the app again" in reasons) == bool(
        replaced
    )


def test_server_with_a_variable_before_it_reloads(tmp_path: Path) -> None:
    files = {"app.py": f"{FLASK}app.run()\n"}

    plan = plan_of(tmp_path, files, "flask gunicorn", "development")

    assert commands(plan)["web"] == "FLASK_RUN_FROM_CLI=true gunicorn --reload app:app"


def test_server_without_reloader_is_named(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, {"app.py": BOTTLE}, "bottle waitress", "development")

    assert "  waitress-serve has no reloader: restart it when the code changes" in (
        launch_report.reasons(plan)
    )


def test_gunicorn_that_preloads_the_app_does_not_reload(tmp_path: Path) -> None:
    for value, command in (("True", "gunicorn app:app"), ("False", "gunicorn --reload app:app")):
        (tmp_path / value).mkdir()
        files: Files = {"app.py": FLASK, "gunicorn.conf.py": f"preload_app = {value}\n"}
        plan = plan_of(tmp_path / value, files, "flask gunicorn", "development")

        assert commands(plan)["web"] == command
        reason = "  gunicorn.conf.py sets preload_app, so gunicorn does not load changed code"
        assert (reason in launch_report.reasons(plan)) == (value == "True")


def test_granian_reloads_with_watchfiles_alone(tmp_path: Path) -> None:
    without = plan_of(tmp_path / "a", {"app.py": BOTTLE}, "bottle granian", "development")
    with_it = plan_of(tmp_path / "b", {"app.py": FLASK}, "flask granian watchfiles", "development")

    assert commands(without)["web"].startswith("granian --interface wsgi")
    assert "  granian reloads only with watchfiles, which is missing" in (
        launch_report.reasons(without)
    )
    assert commands(with_it)["web"].startswith("granian --reload --interface wsgi")


def test_command_of_the_procfile_stays_as_it_is(tmp_path: Path) -> None:
    files: Files = {"Procfile": "web: gunicorn app:app", "app.py": FLASK}

    plan = plan_of(tmp_path, files, "flask gunicorn", "development")

    assert commands(plan)["web"] == "gunicorn app:app"
