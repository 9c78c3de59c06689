"""The commands that find the app's modules with PYTHONSAFEPATH=1."""

from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.launch.processes import plan_launch
from cnb_python.layers.safe_path import SafeTypes, safe_types, warning, works
from tests.support.trees import Files, write_files

PROCFILE = "web: gunicorn shop.wsgi\nrelease: python manage.py migrate\nbot: shop-bot\n"
PROJECT = '[project]\nname = "Shop"\n[project.scripts]\nshop-bot = "shop:main"\n'


@pytest.mark.parametrize(
    "command",
    [
        "gunicorn app:app",
        "gunicorn 'shop:create_app()' --bind :$PORT",
        "exec uvicorn app:app --host 0.0.0.0 # production",
        "A=1 B='x y' gunicorn app:app",
        "env A=1 flask run",
        "cd shop && gunicorn app:app 2>&1",
        "celery -A shop worker & gunicorn app:app > /dev/null",
        "bin/gunicorn app:app",
        "python -m gunicorn.app.wsgiapp app:app",
        "python3.14 -m uvicorn app:app",
        "(flask run)",
    ],
)
def test_server_adds_the_directory(command: str) -> None:
    assert works(command)


@pytest.mark.parametrize(
    "command",
    [
        "python main.py",
        "python",
        "python -m",
        "python -m shop",
        "python -m celery -A shop worker",
        "python -u -m gunicorn app:app",
        "python -c 'import shop'",
        "python manage.py migrate && gunicorn shop.wsgi",
        "gunicorn app:app & python bot.py",
        "gunicorn app:app | tee log",
        "bash run.sh",
        "newrelic-admin run-program python main.py",
        "$SERVER app:app",
        "gunicorn 'app:app",
        "echo $(python main.py)",
        "echo `python main.py`",
        "",
        "A=1",
    ],
)
def test_other_command_may_need_its_directory(command: str) -> None:
    assert not works(command)


def types(directory: Path, files: Files, *installed: str) -> SafeTypes:
    app = read_app(write_files(directory, {"Procfile": PROCFILE, **files}))
    distributions = dict.fromkeys(("gunicorn", *installed), "1.0")
    return safe_types(plan_launch(app, distributions), app, distributions)


def test_processes_of_the_plan_are_divided(tmp_path: Path) -> None:
    other = (("release", "python manage.py migrate"), ("bot", "shop-bot"))

    assert types(tmp_path, {"pyproject.toml": PROJECT}) == (frozenset({"web"}), other)


def test_programs_of_the_installed_project_work(tmp_path: Path) -> None:
    found = types(tmp_path, {"pyproject.toml": PROJECT}, "shop")

    assert found.safe == {"web", "bot"}
    assert works("python -m shop", {"shop"})


def test_warning_names_the_other_processes() -> None:
    message = warning(SafeTypes(frozenset({"web"}), (("bot", "python bot.py"), ("a", "bash a"))))

    assert message is not None
    assert message.title == "PYTHONSAFEPATH is not set for bot, a"
    assert message.body[:2] == ("    bot: python bot.py", "    a: bash a")


def test_no_warning_if_all_processes_work() -> None:
    assert warning(SafeTypes(frozenset({"web"}), ())) is None
