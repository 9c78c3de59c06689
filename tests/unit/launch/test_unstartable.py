"""Commands of the Procfile that cannot start in the image are warned of at build."""

from collections.abc import Collection
from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.config.loading import read_settings
from cnb_python.launch import tasks, unstartable
from cnb_python.launch.named_processes import in_settings, in_text
from tests.support.trees import write_files


def warned(
    directory: Path,
    command: str,
    installed: Collection[str] = (),
    script: str = "",
    recorded: Collection[str] | None = None,
) -> list[str]:
    """Return the titles and bodies of the warnings about `web: COMMAND`.

    *recorded*: the programs in the build record, None for that of an older release.
    """
    if script:
        write_files(directory, {"bin/start.sh": script})
    write_files(
        directory / "image", {f"usr/bin/{name}": "" for name in ("env", "make", "bash", "sh")}
    )
    available = unstartable.programs(
        recorded, f"{directory / 'image/usr/bin'}:/gone", installed, ("shop",)
    )
    messages = unstartable.warnings(in_text(f"web: {command}\n"), directory, available)
    return ["\n".join((message.title, *message.body)) for message in messages]


@pytest.mark.parametrize("manager", ["poetry", "uv", "pipenv", "pdm"])
def test_command_that_needs_a_package_manager_is_shown_without_it(
    tmp_path: Path, manager: str
) -> None:
    (text,) = warned(tmp_path, f"{manager} run gunicorn app:app --bind 0.0.0.0:$PORT")

    assert text.startswith(f"web cannot start: the image has no {manager}\n")
    assert "\n    web: gunicorn app:app --bind 0.0.0.0:$PORT" in text


def test_installed_package_manager_may_run_a_command(tmp_path: Path) -> None:
    assert warned(tmp_path, "uv run gunicorn app:app", installed=("uv",)) == []
    command = "uvx --from gunicorn gunicorn app:app"
    assert warned(tmp_path, command, installed=("uv",), recorded=("uvx",)) == []


def test_script_without_its_mode_is_named(tmp_path: Path) -> None:
    (text,) = warned(tmp_path, "./bin/start.sh --port $PORT", script="#!/bin/sh\nexit\n")

    assert text.startswith("web cannot start: ./bin/start.sh is not executable\n")
    assert "git update-index --chmod=+x bin/start.sh" in text


@pytest.mark.parametrize("command", ["bash bin/start.sh", "sh ./bin/start.sh"])
def test_script_with_line_endings_of_windows_is_named(tmp_path: Path, command: str) -> None:
    (text,) = warned(tmp_path, command, script="set -e\r\nexit\r\n")

    assert "has the line endings of Windows" in text
    assert "dos2unix bin/start.sh" in text


@pytest.mark.parametrize(
    "command",
    [
        *("gunicorn app:app", "bash -c 'exit'", "sh bin/start.sh", "python bin/start.sh"),
        *("/gone.sh", "/usr/bin/env python", "uvicorn run:app", "../outside.sh"),
        *("$DIR/gone.sh", "python $DIR/gone.py", "python -m gone.py", "python -c 'x.py'"),
        *("bash -c gone.sh", "cd x && python gone.py", "python bin/*.py"),
    ],
)
def test_commands_that_may_start_are_not_warned_of(tmp_path: Path, command: str) -> None:
    (tmp_path / "outside.sh").write_text("x")

    assert warned(tmp_path / "app", command, script="set -e\n") == []


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("python gone.py", "gone.py"),
        ("exec python3 -u -O src/gone.py --port $PORT", "src/gone.py"),
        ("sh gone.sh", "gone.sh"),
        ("bash ./bin/gone.sh x", "./bin/gone.sh"),
        ("bin/gone", "bin/gone"),
    ],
)
def test_file_that_the_app_does_not_have_is_named(tmp_path: Path, command: str, name: str) -> None:
    (text,) = warned(tmp_path, command)

    assert text.startswith(f"web cannot start: the app has no {name}\n")
    assert text.endswith("Correct the path, or add the file to the repository.")


@pytest.mark.parametrize("name", ["manage.py", "./manage.py"])
def test_file_in_a_directory_below_is_shown_with_its_path(tmp_path: Path, name: str) -> None:
    write_files(tmp_path, {"backend/manage.py": "", "web/x.py": ""})

    (text,) = warned(tmp_path, f"python {name} runserver 0.0.0.0:$PORT")

    assert text.startswith(f"web cannot start: the app has no {name}\n")
    assert text.endswith("\n    web: python backend/manage.py runserver 0.0.0.0:$PORT")


PYPROJECT = """
[tool.pdm.scripts]
serve = "gunicorn app:app"
table = {cmd = ["gunicorn", "a b:app"]}
shell = {shell = "gunicorn app:app | tee log"}
both = {composite = ["serve", "table"]}
call = {call = "shop:main"}
[tool.rye.scripts]
serve = ["gunicorn", "rye:app"]
[tool.hatch.envs.default.scripts]
serve = ["gunicorn hatch:app"]
several = ["a", "b"]
[tool.hatch.envs.prod.scripts]
serve = "gunicorn prod:app"
"""


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("pdm run serve --bind :80", "gunicorn app:app --bind :80"),
        ("pdm run table", "gunicorn 'a b:app'"),
        ("pdm run shell", "gunicorn app:app | tee log"),
        ("rye run serve", "gunicorn rye:app"),
        ("hatch run serve", "gunicorn hatch:app"),
        ("hatch run prod:serve", "gunicorn prod:app"),
        ("pipenv run serve", "gunicorn pipenv:app"),
        ("pdm run both", "..."),
        ("pdm run call", "..."),
        ("hatch run several", "..."),
        ("pipenv run gone", "..."),
        ("pipenv run gunicorn x:app", "gunicorn x:app"),
        ("uv run gone", "gone"),
    ],
)
def test_task_of_a_package_manager_is_shown_as_its_command(
    tmp_path: Path, command: str, line: str
) -> None:
    pipfile = "[scripts]\nserve = 'gunicorn pipenv:app'\n"
    write_files(tmp_path, {"pyproject.toml": PYPROJECT, "Pipfile": pipfile})

    (text,) = warned(tmp_path, command, installed=("flask",))

    assert text.endswith(f"\n    web: {line}")


@pytest.mark.parametrize("text", ["[", "scripts = 1", "[tool.pdm]\nscripts.serve.cmd = 1"])
def test_task_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    write_files(tmp_path, {"pyproject.toml": text})

    assert tasks.command_of("pdm", "serve", tmp_path) == ""
    assert tasks.command_of("poetry", "serve", tmp_path) == ""


@pytest.mark.parametrize("runner", ["uvx", "uv tool run", "pipx run", "sudo", "sudo  "])
def test_program_that_starts_others_is_left_out(tmp_path: Path, runner: str) -> None:
    name, *_ = runner.split()

    (text,) = warned(tmp_path, f"{runner} gunicorn app:app")

    assert text.startswith(f"web cannot start: the image has no {name}\n")
    assert text.endswith("\n    web: gunicorn app:app")


def test_executable_script_is_not_warned_of(tmp_path: Path) -> None:
    (tmp_path / "start.sh").write_text("#!/bin/sh\n")
    (tmp_path / "start.sh").chmod(0o755)

    assert warned(tmp_path, "exec ./start.sh") == []


@pytest.mark.parametrize("command", ["npm start", "yarn start", "cd web && node server.js"])
def test_node_is_named_if_the_build_image_has_none(tmp_path: Path, command: str) -> None:
    (text,) = warned(tmp_path, command)

    assert "The image has no Node.js" in text
    assert "\n    web: gunicorn --bind 0.0.0.0:$PORT app:app" in text


@pytest.mark.parametrize("command", ["start-shop --port $PORT", "A=1 huey_consumer shop.huey"])
def test_program_that_nothing_installs_is_named(tmp_path: Path, command: str) -> None:
    (text,) = warned(tmp_path, command, installed=("flask", "gunicorn"))

    assert text.startswith("web cannot start: no ")
    assert "No package of the app installs it" in text


@pytest.mark.parametrize(
    ("command", "installed"),
    [
        ("newrelic-admin run-program x", ("newrelic",)),
        ("airflow webserver", ("apache-airflow",)),
        ("inv serve", ("invoke",)),
        ("make serve", ()),
        ("env A=1 x", ()),
        ("shop serve", ()),
        ("python3.14 -m main", ()),
        ("gunicorn app:app", ()),  # has a warning of its own
        ("$SERVER app:app", ()),
        ("export PATH=$PATH:bin && start", ()),
    ],
)
def test_program_that_the_image_may_have_is_not_named(
    tmp_path: Path, command: str, installed: tuple[str, ...]
) -> None:
    assert warned(tmp_path, command, installed) == []


def test_recorded_programs_decide(tmp_path: Path) -> None:
    recorded = ("http", "python")

    assert warned(tmp_path, "http --print", recorded=recorded) == []
    assert warned(tmp_path, "invoke serve", installed=("invoke",), recorded=recorded) != []
    assert warned(tmp_path, "invoke serve", installed=("invoke",)) == []


@pytest.mark.parametrize(
    "command",
    [
        ". ./functions.sh && start_shop",
        "cd app; source ../functions.sh; start_shop",
        "alias serve='python -m shop'; serve",
        'eval "$(direnv hook)" && serve',
        "function serve { python -m shop; }; serve",
        "function serve() { python -m shop; }; serve",
        "serve () { python -m shop; }; serve",
        "if true; then serve() { python -m shop; }; fi; serve",
    ],
)
def test_functions_of_a_shell_are_not_missing_programs(tmp_path: Path, command: str) -> None:
    assert warned(tmp_path, command, recorded=()) == []


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        ({"BP_PYTHON_START": "uv run shop"}, "BP_PYTHON_START=shop"),
        ({"BP_PYTHON_PROCESSES": "web: uv run shop"}, "web: shop"),
        ({}, 'web = "shop"'),
    ],
)
def test_command_of_a_setting_is_warned_of_in_its_own_form(
    tmp_path: Path, variables: dict[str, str], line: str
) -> None:
    table = "" if variables else "[tool.cnb-python.processes]\nweb = 'uv run shop'\n"
    app = read_app(write_files(tmp_path, {"pyproject.toml": table}))
    given = in_settings(read_settings(variables, app.directory), app)

    (message,) = unstartable.warnings(
        given.values(), app.directory, unstartable.programs((), "", (), ())
    )

    assert message.title == "web cannot start: the image has no uv"
    assert message.body[0].endswith(f"see {next(iter(variables), 'pyproject.toml, line 2')}.")
    assert message.body[-1] == f"    {line}"


@pytest.mark.parametrize(
    ("of_system", "count"), [(("ffmpeg", "nginx"), 0), (None, 0), (("nginx",), 1), ((), 1)]
)
def test_program_of_a_system_package_is_not_named(
    tmp_path: Path, of_system: Collection[str] | None, count: int
) -> None:
    """It is in the image, even if its layer is not on disk; None: the packages are not known."""
    available = unstartable.programs((), "", (), (), of_system)

    messages = unstartable.warnings(in_text("web: ffmpeg -i x\n"), tmp_path, available)

    assert len(messages) == count
