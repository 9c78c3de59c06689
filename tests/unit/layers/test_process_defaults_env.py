"""Processes get the variables that a container needs, and users can override them."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from cnb_python.layers.process_defaults import launch_environment
from tests.support import layer_env
from tests.support.trees import write_files

VENV = Path("/layers/python/venv")
MEMORY = "--worker-tmp-dir /dev/shm"
LOG = "--access-logfile -"
CONTAINER = f"{MEMORY} --no-control-socket {LOG}"


def at_launch(
    app_dir: Path, installed: Mapping[str, str], user: Mapping[str, str] | None = None
) -> dict[str, str]:
    deltas = launch_environment(app_dir, VENV, installed)
    return layer_env.apply(user or {}, deltas, layer_env.launch_scopes("web"))


def test_processes_get_venv_and_unbuffered_output(tmp_path: Path) -> None:
    assert at_launch(tmp_path, {}) == {
        "PYTHONUNBUFFERED": "1",
        "VIRTUAL_ENV": "/layers/python/venv",
        "PORT": "8000",
    }


def test_user_can_override_defaults(tmp_path: Path) -> None:
    user = {"PORT": "9000", "PYTHONUNBUFFERED": "", "VIRTUAL_ENV": "/elsewhere"}

    launched = at_launch(tmp_path, {}, user)

    assert launched["PORT"] == "9000"
    assert launched["VIRTUAL_ENV"] == "/layers/python/venv"


def test_variables_are_for_launch_only(tmp_path: Path) -> None:
    deltas = launch_environment(tmp_path, VENV, {"gunicorn": "27.0.1"})

    assert layer_env.apply({}, deltas, layer_env.BUILD_SCOPES) == {}


@pytest.mark.parametrize(
    ("version", "arguments"),
    [
        ("27.0.1", CONTAINER),
        ("25.1.0", CONTAINER),
        ("25.0.3", f"{MEMORY} {LOG}"),
        ("19.9.0", f"{MEMORY} {LOG}"),
        ("a fork", f"{MEMORY} {LOG}"),
    ],
)
def test_gunicorn_options_depend_on_its_release(
    tmp_path: Path, version: str, arguments: str
) -> None:
    """Gunicorn exits at an unknown option."""
    assert at_launch(tmp_path, {"gunicorn": version})["GUNICORN_CMD_ARGS"] == arguments


def test_user_options_follow_default_options(tmp_path: Path) -> None:
    """If an option is given twice, gunicorn uses the last one."""
    user = {"GUNICORN_CMD_ARGS": "--workers 4 --worker-tmp-dir /tmp"}

    launched = at_launch(tmp_path, {"gunicorn": "27.0.1"}, user)

    assert launched["GUNICORN_CMD_ARGS"] == f"{CONTAINER} --workers 4 --worker-tmp-dir /tmp"


@pytest.mark.parametrize(
    ("configuration", "arguments"),
    [
        ("workers = 4\n", CONTAINER),
        ("worker_tmp_dir = '/tmp'\n", f"--no-control-socket {LOG}"),
        ("control_socket = '/run/x.ctl'\n", f"{MEMORY} {LOG}"),
        ("accesslog = None\n", f"{MEMORY} --no-control-socket"),
        ("access_log_format = '%(h)s'\n", CONTAINER),
        ("# accesslog = '-'\n", CONTAINER),
        ("if debug:\n    accesslog = None\n", f"{MEMORY} --no-control-socket"),
    ],
)
def test_option_set_in_gunicorn_conf_is_left_out(
    tmp_path: Path, configuration: str, arguments: str
) -> None:
    (tmp_path / "gunicorn.conf.py").write_text(configuration)

    assert at_launch(tmp_path, {"gunicorn": "27.0.1"})["GUNICORN_CMD_ARGS"] == arguments


@pytest.mark.parametrize(
    ("path", "command"),
    [
        ("shop/gunicorn.conf.py", ""),
        ("src/shop/gunicorn.conf.py", "cd src/shop && gunicorn shop:app"),
        ("deploy/gunicorn.py", "gunicorn -c deploy/gunicorn.py shop:app"),
        ("deploy/gunicorn.py", "gunicorn -cdeploy/gunicorn.py shop:app"),
        ("deploy/gunicorn.py", "python -m gunicorn --config=file:deploy/gunicorn.py shop:app"),
        ("shop/deploy/gunicorn.py", "cd shop && gunicorn --config 'deploy/gunicorn.py' shop:app"),
        ("deploy/serving.py", "gunicorn -c python:deploy.serving shop:app"),
    ],
)
def test_configuration_in_another_place_is_read(tmp_path: Path, path: str, command: str) -> None:
    files = {path: "accesslog = '/x'\n", "Procfile": f"web: {command or 'gunicorn shop:app'}\n"}
    write_files(tmp_path / "app", files)

    arguments = at_launch(tmp_path / "app", {"gunicorn": "27.0.1"})["GUNICORN_CMD_ARGS"]

    assert arguments == f"{MEMORY} --no-control-socket"


@pytest.mark.parametrize(
    "command", ["celery -c deploy/gunicorn.py", "gunicorn shop:app", "gunicorn -c /etc/x.py a:b"]
)
def test_file_that_is_no_configuration_is_not_read(tmp_path: Path, command: str) -> None:
    files = {"deploy/gunicorn.py": "accesslog = '/x'\n", "Procfile": f"web: {command}\n"}
    write_files(tmp_path / "app", files)

    launched = at_launch(tmp_path / "app", {"gunicorn": "27.0.1"})

    assert launched["GUNICORN_CMD_ARGS"] == CONTAINER


def test_configuration_that_imports_everything_may_set_all(tmp_path: Path) -> None:
    (tmp_path / "gunicorn.conf.py").write_text("from deploy.base import *\n")

    assert "GUNICORN_CMD_ARGS" not in at_launch(tmp_path, {"gunicorn": "27.0.1"})


def test_gunicorn_conf_that_sets_all_options_leaves_none(tmp_path: Path) -> None:
    (tmp_path / "gunicorn.conf.py").write_bytes(
        b"# \xff\nworker_tmp_dir=control_socket=accesslog='/x'\n"
    )

    assert "GUNICORN_CMD_ARGS" not in at_launch(tmp_path, {"gunicorn": "27.0.1"})


def test_pipe_named_gunicorn_conf_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "gunicorn.conf.py")

    assert at_launch(tmp_path, {"gunicorn": "27.0.1"})["GUNICORN_CMD_ARGS"] == CONTAINER


def test_directory_named_gunicorn_conf_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "gunicorn.conf.py").mkdir()

    assert at_launch(tmp_path, {"gunicorn": "27.0.1"})["GUNICORN_CMD_ARGS"] == CONTAINER


def test_gunicorn_conf_is_read_up_to_one_megabyte(tmp_path: Path) -> None:
    text = "control_socket = '/x'\n" + "#" * 1024 * 1024 + "\nworker_tmp_dir = '/x'\n"
    (tmp_path / "gunicorn.conf.py").write_text(text)

    assert at_launch(tmp_path, {"gunicorn": "27.0.1"})["GUNICORN_CMD_ARGS"] == (f"{MEMORY} {LOG}")


def test_gunicorn_conf_without_gunicorn_is_ignored(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "gunicorn.conf.py")

    assert "GUNICORN_CMD_ARGS" not in at_launch(tmp_path, {"flask": "3.1.2"})
