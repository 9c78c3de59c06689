"""Commands whose quotes keep a shell from running them stop the build."""

from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.errors.config import CommandNeedsQuotes
from cnb_python.launch import processes
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
        processes.check_procfile(app)

    message = raised.value.describe()
    assert message.title == "Commands in the Procfile cannot start"
    assert message.body[1:3] == (
        "  line 1: web: gunicorn app:create_app()",
        "  line 2: worker: 'celery -A mk worker'",
    )
    assert message.fixes == (
        "Replace line 1 with: web: gunicorn 'app:create_app()'",
        "Replace line 2 with: worker: celery -A mk worker",
    )


def test_path_in_quotes_is_a_program_of_the_app(tmp_path: Path) -> None:
    files = {"Procfile": 'web: "bin/my server"\n', "bin/my server": "#!/bin/sh\n"}

    processes.check_procfile(read_app(write_files(tmp_path, files)))
