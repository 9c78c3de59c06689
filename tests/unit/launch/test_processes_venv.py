"""A Procfile that names programs of a virtual environment is refused."""

from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.errors.config import ProcessInEnvironment
from cnb_python.launch import command_checks
from tests.support.trees import Files, write_files


def refused(
    directory: Path, command: str, files: Files | None = None, *removed: str, inside: str = ""
) -> list[tuple[str, str]]:
    """Return word and program of each refused reference."""
    procfile = f"{inside}/Procfile" if inside else "Procfile"
    app = write_files(directory / "app", {procfile: f"web: {command}", **(files or {})})
    try:
        command_checks.check_commands(read_app(app, inside), removed)
    except ProcessInEnvironment as error:
        return [(word, program) for *_, word, program in error.references]
    return []


@pytest.mark.parametrize(
    ("command", "references"),
    [
        (".venv/bin/gunicorn app:app", [(".venv/bin/gunicorn", "gunicorn")]),
        ("./venv/bin/python main.py", [("./venv/bin/python", "python")]),
        ("env/Scripts/python.exe main.py", [("env/Scripts/python.exe", "python.exe")]),
        ("exec virtualenv/bin/python3.12 x.py", [("virtualenv/bin/python3.12", "python3.12")]),
        (
            "source venv/bin/activate && gunicorn app:app",
            [("venv/bin/activate", "activate")],
        ),
        (
            "sh -c '. .venv/bin/activate; .venv/bin/flask run'",
            [(".venv/bin/activate", "activate"), (".venv/bin/flask", "flask")],
        ),
        ("PATH=venv/bin/x:$PATH gunicorn app:app", []),
        ("gunicorn app:app", []),
        ("bin/start", []),
        ("/opt/venv/bin/gunicorn app:app", []),
        ("$HOME/.venv/bin/gunicorn app:app", []),
        ("python venv/main.py", []),
        ("deploy/venv/bin/start", []),
    ],
)
def test_program_of_a_missing_environment_is_reported(
    tmp_path: Path, command: str, references: list[tuple[str, str]]
) -> None:
    assert refused(tmp_path, command) == references


def test_program_of_a_removed_environment_is_reported(tmp_path: Path) -> None:
    files: Files = {"my.env/bin/gunicorn": ""}

    assert refused(tmp_path, "my.env/bin/gunicorn x", files) == []
    assert refused(tmp_path / "2", "my.env/bin/gunicorn x", files, "my.env") == [
        ("my.env/bin/gunicorn", "gunicorn")
    ]


def test_absolute_path_of_the_build_is_reported(tmp_path: Path) -> None:
    word = f"{tmp_path}/app/.venv/bin/gunicorn"

    assert refused(tmp_path, f"{word} x", None, ".venv") == [(word, "gunicorn")]


def test_environment_of_an_app_in_a_directory_is_reported(tmp_path: Path) -> None:
    removed = "services/api/.env3"

    for command in (".env3/bin/python x.py", f"{removed}/bin/python x.py"):
        references = refused(tmp_path / command[:4], command, {}, removed, inside="services/api")
        assert [program for _, program in references] == ["python"]


def test_existing_environment_is_not_reported(tmp_path: Path) -> None:
    app = write_files(tmp_path / "app", {"Procfile": "web: venv/bin/python x.py"})
    (app / "venv/bin").mkdir(parents=True)
    (app / "venv/bin/python").symlink_to("/no/such/python")

    command_checks.check_commands(read_app(app))


def test_message_names_line_process_and_command(tmp_path: Path) -> None:
    text = "web: . venv/bin/activate && gunicorn a:b\nbot: venv/bin/python bot.py\n"
    app = write_files(tmp_path / "app", {"Procfile": text})

    with pytest.raises(ProcessInEnvironment) as raised:
        command_checks.check_commands(read_app(app))

    message = raised.value.describe()
    assert message.title == "A process uses a virtual environment that is not in the image"
    assert message.body[:3] == (
        "Found:",
        "  Procfile, line 1: web uses venv/bin/activate",
        "  Procfile, line 2: bot uses venv/bin/python",
    )
    assert message.steps == (
        "Replace `venv/bin/python` with `python`.",
        "Remove `activate`: it is not needed.",
    )
