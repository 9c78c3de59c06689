"""Servers listen on all addresses by their own variables; for others there is a warning."""

from pathlib import Path

import pytest

from cnb_python.launch import listening, procfile
from tests.support.trees import write_files


def advice(command: str, kind: str = "web") -> str:
    """Return the line that the warning about `KIND: COMMAND` shows, empty without a warning."""
    messages = listening.warnings(procfile.parse(f"{kind}: {command}\n"))
    return messages[0].body[-1].strip() if messages else ""


def test_only_installed_servers_have_variables(tmp_path: Path) -> None:
    assert listening.variables(tmp_path, {"django", "gunicorn"}) == {}
    assert listening.variables(tmp_path, {"flask", "uvicorn"}) == {
        "UVICORN_HOST": "0.0.0.0",
        "UVICORN_PORT": "$PORT",
        "FLASK_RUN_HOST": "0.0.0.0",
        "FLASK_RUN_PORT": "$PORT",
    }


@pytest.mark.parametrize(
    ("path", "text", "name"),
    [
        (".flaskenv", "FLASK_APP=shop\nFLASK_RUN_PORT=5000\n", "FLASK_RUN_PORT"),
        (".env", "export FLASK_RUN_HOST = 10.0.0.1\n", "FLASK_RUN_HOST"),
        (".streamlit/config.toml", "[server]\nport = 8501\n", "STREAMLIT_SERVER_PORT"),
        (".streamlit/config.toml", '[server]\naddress="::"\n', "STREAMLIT_SERVER_ADDRESS"),
    ],
)
def test_value_in_a_file_of_the_app_counts(
    tmp_path: Path, path: str, text: str, name: str
) -> None:
    installed = {"flask", "streamlit"}
    every = listening.variables(tmp_path / "none", installed)
    app = write_files(tmp_path / "app", {path: text})

    assert name in every
    assert listening.variables(app, installed) == {
        key: value for key, value in every.items() if key != name
    }


@pytest.mark.parametrize(
    ("command", "is_set"),
    [
        ("nginx -c nginx.conf & uvicorn app:app", False),
        ("bin/start-nginx uvicorn app:app", False),
        ("uvicorn app:app & python worker.py", True),
        ("python migrate.py && uvicorn app:app 2>&1", True),
    ],
)
def test_server_behind_a_proxy_keeps_its_address(
    command: str, tmp_path: Path, *, is_set: bool
) -> None:
    entries = procfile.parse(f"web: {command}")

    found = listening.variables(tmp_path, {"uvicorn", "uwsgi"}, entries)

    assert ("UVICORN_PORT" in found) == is_set
    assert found["UWSGI_DIE_ON_TERM"] == "true"


def test_comment_in_a_file_of_the_app_sets_nothing(tmp_path: Path) -> None:
    app = write_files(tmp_path / "app", {".flaskenv": "# FLASK_RUN_PORT=5000\n"})

    assert "FLASK_RUN_PORT" in listening.variables(app, {"flask"})


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("hypercorn main:app", "--bind 0.0.0.0:$PORT"),
        ("cd shop && hypercorn main:app", "--bind 0.0.0.0:$PORT"),
        ("python -m hypercorn main:app", "--bind 0.0.0.0:$PORT"),
        ("daphne shop.asgi:application", "-b 0.0.0.0 -p $PORT"),
        ("python manage.py runserver", "0.0.0.0:$PORT"),
        ("quart run", "--host 0.0.0.0 --port $PORT"),
        ("chainlit run app.py", "--host 0.0.0.0 --port $PORT"),
        ("litestar --app shop:app run", "--host 0.0.0.0 --port $PORT"),
        ("datasette serve x.db", "--host 0.0.0.0 --port $PORT"),
    ],
)
def test_server_without_an_address_is_warned_of(command: str, options: str) -> None:
    assert advice(command) == f"web: {command} {options}"


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("uvicorn main:app --host 127.0.0.1", "uvicorn main:app --host 0.0.0.0"),
        ("gunicorn -b localhost:$PORT a:b", "gunicorn -b 0.0.0.0:$PORT a:b"),
        ("flask run --host=localhost", "flask run --host=0.0.0.0"),
        (
            "streamlit run a.py --server.address=127.0.0.1",
            "streamlit run a.py --server.address=0.0.0.0",
        ),
    ],
)
def test_local_address_in_the_command_is_warned_of(command: str, line: str) -> None:
    assert advice(command) == f"web: {line}"


@pytest.mark.parametrize(
    "command",
    [
        "hypercorn --bind 0.0.0.0:$PORT main:app",
        "hypercorn -c hypercorn.toml main:app",
        "daphne -b 0.0.0.0 -p $PORT shop.asgi:application",
        "python manage.py runserver 0.0.0.0:$PORT",
        "python manage.py runserver $HOST:$PORT",
        "gunicorn shop.wsgi",
        "uvicorn main:app",
        "flask run",
        "python main.py --db-host 127.0.0.1",
        "gunicorn -b 127.0.0.1:8001 a:b & nginx",
        "python run_hypercorn.py",
        "pg_isready -h localhost && gunicorn a:b",
    ],
)
def test_server_that_may_be_reached_is_not_warned_of(command: str) -> None:
    assert advice(command) == ""


def test_other_process_types_are_not_warned_of() -> None:
    assert advice("hypercorn main:app", "admin") == ""
