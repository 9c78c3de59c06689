"""Servers listen on all addresses by their own variables; for others there is a warning."""

from pathlib import Path

import pytest

from cnb_python.launch import listening
from cnb_python.launch.named_processes import in_text
from tests.support.trees import write_files


def advice(command: str, kind: str = "web") -> str:
    """Return the line that the warning about `KIND: COMMAND` shows, empty without a warning."""
    messages = listening.warnings(in_text(f"{kind}: {command}\n"))
    return messages[0].body[-1].strip() if messages else ""


def title(command: str) -> str:
    """Return the title of that warning, for `web`."""
    (message,) = listening.warnings(in_text(f"web: {command}\n"))
    return message.title


def test_only_installed_servers_have_variables(tmp_path: Path) -> None:
    assert listening.variables(tmp_path, {"django", "waitress"}) == {}
    assert listening.variables(tmp_path, {"flask", "uvicorn"}) == {
        "UVICORN_HOST": "0.0.0.0",
        "UVICORN_PORT": "$PORT",
        "FLASK_RUN_HOST": "0.0.0.0",
        "FLASK_RUN_PORT": "$PORT",
    }


def test_mlflow_answers_requests_to_every_host(tmp_path: Path) -> None:
    """As a variable: releases before 3.5 have no such option."""
    own = write_files(tmp_path / "own", {".env": "MLFLOW_SERVER_ALLOWED_HOSTS=shop.example\n"})

    found = listening.variables(tmp_path, {"mlflow"})

    assert found["MLFLOW_SERVER_ALLOWED_HOSTS"] == "*"
    assert "MLFLOW_SERVER_ALLOWED_HOSTS" not in listening.variables(own, {"mlflow"})


def test_gunicorn_gets_an_address_only_if_no_file_has_one(tmp_path: Path) -> None:
    """The program of the image replaces `$BIND` in a container without IPv4."""
    own = write_files(tmp_path / "own", {"shop/gunicorn.conf.py": "bind = ':80'\n"})
    entries = in_text("web: nginx & gunicorn a:b")

    assert listening.variables(tmp_path / "plain", {"gunicorn"}) == {"GUNICORN_CMD_ARGS": "$BIND"}
    assert listening.variables(own, {"gunicorn"}) == {}
    assert listening.variables(tmp_path / "plain", {"gunicorn"}, entries) == {}


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
    entries = in_text(f"web: {command}")

    variables = listening.variables(tmp_path, {"uvicorn", "uwsgi"}, entries)

    assert ("UVICORN_PORT" in variables) == is_set
    assert variables["UWSGI_DIE_ON_TERM"] == "true"


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
        ("dagster-webserver -w x.yaml", "--host 0.0.0.0 --port $PORT"),
        ("prefect server start", "--host 0.0.0.0 --port $PORT"),
        ("tensorboard --logdir x", "--host 0.0.0.0 --port $PORT"),
        ("litestar --app shop:app run", "--host 0.0.0.0 --port $PORT"),
        ("datasette serve x.db", "--host 0.0.0.0 --port $PORT"),
        ("daphne -p 9000 shop.asgi:application", "-b 0.0.0.0"),
        ("hypercorn -w $WORKERS main:app", "--bind 0.0.0.0:$PORT"),
        ("jupyter lab --ServerApp.port=$PORT", "--ip 0.0.0.0"),
        ("quart run -p$PORT", "--host 0.0.0.0"),
        ("voila x.ipynb --port $PORT", "--Voila.ip 0.0.0.0"),
        ("jupyter lab", "--ip 0.0.0.0 --port $PORT"),
        ("uwsgi --module shop.wsgi", "--http-socket 0.0.0.0:$PORT"),
    ],
)
def test_server_without_an_address_is_warned_of(command: str, options: str) -> None:
    assert advice(command) == f"web: {command} {options}"


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("waitress-serve shop:app", "--port $PORT"),
        ("waitress-serve --host 0.0.0.0 --call shop:create_app", "--port $PORT"),
        ("env A=1 python -m waitress-serve shop:app", "--port $PORT"),
        ("daphne -b 0.0.0.0 shop.asgi:application", "-p $PORT"),
        ("bokeh serve app.py", "--port $PORT"),
        ("python3 -m http.server", "$PORT"),
    ],
)
def test_server_that_ignores_port_is_warned_of(command: str, options: str) -> None:
    assert advice(command) == f"web: {command} {options}"
    assert title(command) == "web does not listen at PORT"


@pytest.mark.parametrize("option", ["--socket", "-s"])
def test_protocol_of_uwsgi_is_warned_of(option: str) -> None:
    command = f"uwsgi {option} 0.0.0.0:$PORT --module shop"

    assert title(command) == "web does not speak HTTP"
    assert advice(command) == "web: uwsgi --http-socket 0.0.0.0:$PORT --module shop"


def bound(app: Path, command: str, kind: str = "web", directory: str = "") -> str:
    """Return the line of the warning that names the file, empty without a warning."""
    messages = listening.bind_warnings([(kind, command, directory)], app)
    return messages[0].body[0] if messages else ""


@pytest.mark.parametrize(
    ("text", "is_local"),
    [
        ("bind = '127.0.0.1:8000'\n", True),
        ('workers = 2\nbind = ["localhost:8000"]\n', True),
        ("bind = ['127.0.0.1:8000', '[::1]:8000']\n", True),
        ("bind = f'127.0.0.1:{port}'\n", True),
        ("bind = '127.0.0.1:' + port\n", True),
        ("bind = ['127.0.0.1:8000', '0.0.0.0:8000']\n", False),
        ("bind = '127.0.0.1:8000'\nif port:\n    bind = f':{port}'\n", False),
        ("bind = '0.0.0.0:8000'\n", False),
        ("bind = 'unix:/run/shop.sock'\n", False),
        ("# bind = '127.0.0.1:8000'\n", False),
    ],
)
def test_gunicorn_that_binds_locally_by_its_file_is_warned_of(
    tmp_path: Path, text: str, *, is_local: bool
) -> None:
    app = write_files(tmp_path, {"gunicorn.conf.py": text})

    for command, is_warned in (
        ("gunicorn shop.wsgi", True),
        ("python -m gunicorn shop.wsgi", True),
        ("gunicorn --bind :$PORT shop.wsgi", False),
        ("gunicorn shop.wsgi & nginx", False),
        ("uvicorn shop:app", False),
    ):
        assert bound(app, command, "admin") == ""
        assert ("gunicorn.conf.py" in bound(app, command)) == (is_warned and is_local)


@pytest.mark.parametrize(
    ("command", "directory", "file"),
    [
        ("gunicorn a:b", "", "gunicorn.conf.py"),
        ("gunicorn -c prod.py a:b", "", ""),
        ("gunicorn --config=prod.py a:b", "", ""),
        ("gunicorn -c deploy/g.py a:b", "", "deploy/g.py"),
        ("gunicorn -c ./deploy/g.py a:b", "", "deploy/g.py"),
        ("gunicorn -c python:deploy.g a:b", "", "deploy/g.py"),
        ("gunicorn -c file:deploy/g.py a:b", "", "deploy/g.py"),
        ("gunicorn -c deploy/g.py -c prod.py a:b", "", ""),
        ("gunicorn -c $CONFIG a:b", "", ""),
        ("gunicorn -c /etc/g.py a:b", "", ""),
        ("gunicorn $OPTIONS a:b", "", ""),
        ('gunicorn "--bind=:$PORT" a:b', "", ""),
        ("gunicorn -c ../app/gunicorn.conf.py a:b", "", ""),
        ("gunicorn -c {app}/deploy/g.py a:b", "", "deploy/g.py"),
        ("GUNICORN_CMD_ARGS='-c prod.py' gunicorn a:b", "", ""),
        ("cd shop && gunicorn a:b", "", ""),
        ("cd deploy && gunicorn -c g.py a:b", "", "deploy/g.py"),
        ("gunicorn a:b", "shop", ""),
        ("gunicorn -c g.py a:b", "deploy", "deploy/g.py"),
    ],
)
def test_command_is_judged_by_the_file_that_it_reads(
    tmp_path: Path, command: str, directory: str, file: str
) -> None:
    local = "bind = '127.0.0.1:80'\n"
    files = {
        "Procfile": "web: gunicorn a:b\nadmin: gunicorn -c deploy/g.py a:b\n",
        "gunicorn.conf.py": local,
        "deploy/g.py": local,
        "prod.py": "workers = 2\n",
        "shop/gunicorn.conf.py": "workers = 2\n",
    }
    line = f"gunicorn takes its address from {file}. Remove `bind` there: gunicorn"
    app = write_files(tmp_path / "app", files)
    command = command.replace("{app}", str(app))

    assert bound(app, command, "web", directory) == (file and line)


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("uvicorn main:app --host 127.0.0.1", "uvicorn main:app --host 0.0.0.0"),
        ("gunicorn -b localhost:$PORT a:b", "gunicorn -b 0.0.0.0:$PORT a:b"),
        ("flask run --host=localhost", "flask run --host=0.0.0.0"),
        ("gunicorn -b127.0.0.1:80 a:b", "gunicorn -b0.0.0.0:80 a:b"),
        ("gunicorn --bind '127.0.0.1:80' a:b", "gunicorn --bind '0.0.0.0:80' a:b"),
        ('granian --host "localhost" a:b', 'granian --host "0.0.0.0" a:b'),
        ("waitress-serve --listen=127.0.0.1:80 a:b", "waitress-serve --listen=0.0.0.0:80 a:b"),
        ("uwsgi --http 127.0.0.1:80 -w a", "uwsgi --http 0.0.0.0:80 -w a"),
        ("python manage.py runserver 127.0.0.1:80", "python manage.py runserver 0.0.0.0:80"),
        (
            "python manage.py runserver --noreload localhost:$PORT",
            "python manage.py runserver --noreload 0.0.0.0:$PORT",
        ),
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
        "waitress-serve --listen=*:$PORT a:b",
        "chainlit run app.py",
        # fastapi-cli reads PORT, and listens on 0.0.0.0.
        "fastapi run main.py",
        "fastapi run",
        "fastapi run --workers 4 shop/main.py",
        "waitress-serve --port=$PORT a:b",
        "granian --interface asgi a:b",
        "uwsgi --ini uwsgi.ini",
        "uwsgi uwsgi.ini",
        "uwsgi --socket :$PORT --protocol=http -w a",
        "daphne -u /run/x.sock a:b",
        "jupyter lab --config jupyter.py",
        "jupyter lab --ServerApp.ip=0.0.0.0 --ServerApp.port=$PORT",
        "jupyter notebook --NotebookApp.ip 0.0.0.0 --NotebookApp.port $PORT",
        "jupyter server --ip='*' --port=${PORT:-8888}",
        "voila --Voila.ip=0.0.0.0 --Voila.port=$PORT n.ipynb",
        "quart run -h 0.0.0.0 -p${PORT}",
        "quart run -h0.0.0.0 -p $PORT",
        "datasette -h 0.0.0.0 -p$PORT x.db",
        "shiny run -h0.0.0.0 -p$PORT app.py",
        "sanic shop:app -H0.0.0.0 -p$PORT",
        'python -m http.server "$PORT"',
        "python -m http.server '8000'",
        'waitress-serve "--port=$PORT" a:b',
        'hypercorn "--bind=0.0.0.0:$PORT" a:b',
        'python manage.py runserver "0.0.0.0:$PORT"',
        "python manage.py runserver '[::]:8000'",
        "uwsgi $UWSGI_OPTS",
        "uwsgi ${UWSGI_OPTS} --module shop",
        "uwsgi --module shop $EXTRA_ARGS",
        "uwsgi $INI",
        "hypercorn $HYPERCORN_OPTIONS main:app",
        'daphne "$@" shop.asgi:application',
        "uwsgi --protocol=http --socket :$PORT -w a",
        "uwsgi --http :$PORT --socket /tmp/a.sock -w a",
        "uwsgi --http-socket :$PORT -s /tmp/a.sock -w a",
        "uwsgi --https :$PORT,a.crt,a.key --socket 127.0.0.2:1 -w a",
        "uwsgi --socket :$PORT uwsgi.ini",
        "uwsgi --yaml conf --socket :$PORT",
        "uwsgi --socket :$PORT $UWSGI_OPTS",
        "uwsgi $INI --socket :$PORT",
        "python -m http.server 8000",
        "pg_isready -h localhost && gunicorn a:b",
    ],
)
def test_server_that_may_be_reached_is_not_warned_of(command: str) -> None:
    assert advice(command) == ""


def test_other_process_types_are_not_warned_of() -> None:
    assert advice("hypercorn main:app", "admin") == ""
