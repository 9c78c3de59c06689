"""Commands whose quotes keep a shell from running them stop the build."""

from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.config.loading import read_settings
from cnb_python.errors.config import CommandNeedsQuotes
from cnb_python.launch import command_checks
from cnb_python.launch.named_processes import in_settings
from cnb_python.launch.procfile import requoted
from tests.support.trees import write_files


@pytest.mark.parametrize(
    ("command", "corrected"),
    [
        ("gunicorn mk:create_app()", "gunicorn 'mk:create_app()'"),
        ("gunicorn -w 2 mk:create_app() -b :$PORT", "gunicorn -w 2 'mk:create_app()' -b :$PORT"),
        ("cd shop && gunicorn mk:app(debug=True)", "cd shop && gunicorn 'mk:app(debug=True)'"),
        ("gunicorn mk:app('x')", "gunicorn \"mk:app('x')\""),
        ("'gunicorn app:app'", "gunicorn app:app"),
        ('" gunicorn app:app --bind :$PORT"', "gunicorn app:app --bind :$PORT"),
    ],
)
def test_command_with_wrong_quotes_is_corrected(command: str, corrected: str) -> None:
    assert requoted(command) == corrected


@pytest.mark.parametrize(
    "command",
    [
        "gunicorn 'mk:create_app()'",
        "gunicorn mk:create_app\\(\\)",
        "(cd shop && gunicorn app:app)",
        "true;(gunicorn app:app)",
        "run() { python a.py; }; run",
        "function run() { python a.py; }; run",
        "function run () { python a.py; }; run",
        "if true; then run() { python a.py; }; fi; run",
        "{ run() { python a.py; }; run; }",
        "while ! run() { :; }; do run; done",
        "gunicorn -w $(nproc) app:app",
        "python -c 'print(1)'",
        "'gunicorn' app:app",
        "'my program'x",
        "A=(1 2) python x.py",
        "ls !(x) a",
        "case $A in a) python a.py;; esac",
        "python a.py > >(tee log)",
        "diff <(ls a) <(ls b)",
        "python app.py",
    ],
)
def test_command_that_a_shell_may_run_is_not_corrected(command: str) -> None:
    assert requoted(command) == ""


def test_procfile_with_such_a_command_is_refused(tmp_path: Path) -> None:
    procfile = (
        "web: gunicorn app:create_app()\nworker: 'celery -A mk worker'\nbot: python bot.py\n"
    )
    app = read_app(write_files(tmp_path / "app", {"Procfile": procfile}))

    with pytest.raises(CommandNeedsQuotes) as raised:
        command_checks.check_commands(app)

    message = raised.value.describe()
    assert message.title == "Commands of processes cannot start"
    assert message.body[1:3] == (
        "  Procfile, line 1: web: gunicorn app:create_app()",
        "  Procfile, line 2: worker: 'celery -A mk worker'",
    )
    assert message.fixes == (
        "Write in Procfile, line 1: web: gunicorn 'app:create_app()'",
        "Write in Procfile, line 2: worker: celery -A mk worker",
    )


def test_path_in_quotes_is_a_program_of_the_app(tmp_path: Path) -> None:
    files = {"Procfile": 'web: "bin/my server"\n', "bin/my server": "#!/bin/sh\n"}

    command_checks.check_commands(read_app(write_files(tmp_path, files)))


def test_setting_with_such_a_command_is_refused(tmp_path: Path) -> None:
    """A line of the Procfile for which a setting stands does not count."""
    files = {"Procfile": "web: gunicorn old:app()\n"}
    app = read_app(write_files(tmp_path, files))
    given = in_settings(read_settings({"BP_PYTHON_START": "gunicorn mk:app()"}, tmp_path), app)

    with pytest.raises(CommandNeedsQuotes) as raised:
        command_checks.check_commands(app, (), given)

    assert raised.value.describe().fixes == (
        "Write in BP_PYTHON_START: BP_PYTHON_START=gunicorn 'mk:app()'",
    )
