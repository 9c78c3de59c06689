"""Programs that may call uvicorn start with one worker, servers with several."""

from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.launch import processes, single_worker
from tests.support.trees import Files, write_files

UVICORN = {"uvicorn": "0.40.0", "datasette": "1.0", "celery": "5.6"}


def single(
    directory: Path, *lines: str, files: Files | None = None, installed: dict[str, str] = UVICORN
) -> tuple[str, ...]:
    directory = write_files(directory / "app", {"Procfile": "\n".join(lines), **(files or {})})
    app = read_app(directory)
    return single_worker.single_worker_types(processes.plan_launch(app, installed), app, installed)


@pytest.mark.parametrize(
    "command",
    [
        "python main.py",
        "python3.14 -u main.py",
        "/usr/bin/env python main.py",
        "python -m shop",
        "python manage.py migrate && python serve.py --port $PORT",
        "DEBUG=1 exec python main.py",
        ".local/python3 run.py",
        "python run_uvicorn.py",
        "python gunicorn.py",
        "python run_manage.py",
        # The program of a package.
        "datasette serve shop.db --port $PORT",
    ],
)
def test_python_program_has_one_worker(tmp_path: Path, command: str) -> None:
    assert single(tmp_path, f"web: {command}") == ("web",)


@pytest.mark.parametrize(
    "command",
    [
        "gunicorn shop.wsgi",
        "uvicorn shop:app --port $PORT",
        "python -m gunicorn shop.wsgi",
        "python -m gunicorn.app.wsgiapp shop.wsgi",
        "python -m uvicorn shop:app --port $PORT",
        "python manage.py migrate && gunicorn shop.wsgi",
        "newrelic-admin run-program gunicorn shop.wsgi",
        "python -m ddtrace.commands.ddtrace_run gunicorn shop.wsgi",
        'sh -c "gunicorn shop.wsgi"',
        "bin/start",
        "python main.py --workers $WEB_CONCURRENCY",
        "shop serve",
        "python manage.py prodserver",
        "python -u backend/manage.py prodserver --port $PORT",
    ],
)
def test_servers_have_several_workers(tmp_path: Path, command: str) -> None:
    assert single(tmp_path, f"web: {command}") == ()


@pytest.mark.parametrize("table", ["project", "tool.poetry"])
def test_script_of_the_project_has_one_worker(tmp_path: Path, table: str) -> None:
    files = {"pyproject.toml": f'[{table}.scripts]\nshop = "shop.cli:main"\n'}
    lines = ("web: ddtrace-run shop serve", "clock: shop clock", "worker: celery -A shop worker")

    assert single(tmp_path, *lines, files=files) == ("web", "clock")


def test_processes_without_uvicorn_have_several_workers(tmp_path: Path) -> None:
    assert single(tmp_path, "web: python main.py", installed={"datasette": "1.0"}) == ()


def test_worker_process_of_a_package_has_several_workers(tmp_path: Path) -> None:
    assert single(tmp_path, "web: gunicorn a:b", "worker: celery -A shop worker") == ()


def test_every_process_is_checked(tmp_path: Path) -> None:
    lines = ("web: gunicorn shop.wsgi", "bot: python bot.py", "clock: python -m clock")

    assert single(tmp_path, *lines) == ("bot", "clock")


def test_detected_app_has_several_workers(tmp_path: Path) -> None:
    code = "from fastapi import FastAPI\napp = FastAPI()\n"
    directory = write_files(tmp_path / "app", {"main.py": code})

    app, installed = read_app(directory), {"fastapi": "0.1", "uvicorn": "0.1"}
    plan = processes.plan_launch(app, installed)

    assert plan.processes
    assert single_worker.single_worker_types(plan, app, installed) == ()
