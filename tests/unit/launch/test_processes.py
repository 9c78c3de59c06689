"""The processes of the image, from the Procfile or the code, with their reasons."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.cnb.documents import Process
from cnb_python.errors.config import BadProcfile
from cnb_python.errors.inputs import NotAFile, NotUtf8
from cnb_python.launch import launch_report, processes
from cnb_python.launch.launch_plan import FoundProcess, LaunchPlan
from tests.support.trees import Files, write_files

FIXTURES = Path(__file__).parents[3] / "fixtures"
FLASK = "from flask import Flask\napp = Flask(__name__)\n"
HOST, PORT = '"${BPL_PYTHON_HOST:-0.0.0.0}"', '"${PORT:-8000}"'
ADDRESS = '"${BPL_PYTHON_ADDRESS:-0.0.0.0}"'
WORKERS = '"${WEB_CONCURRENCY:-1}"'
GRANIAN = f'--host {HOST} --port {PORT} --workers "${{GRANIAN_WORKERS:-${{WEB_CONCURRENCY:-1}}}}"'
UWSGI = (
    f"uwsgi --http-socket {ADDRESS}:{PORT} --master --die-on-term --need-app "
    f"--enable-threads --processes {WORKERS} --module"
)
FASTAPI = "from fastapi import FastAPI\napp = FastAPI()\n"
FASTAPI_FACTORY = "from fastapi import FastAPI\ndef create_app():\n    return FastAPI()\n"
FLASK_FACTORY = "from flask import Flask\ndef create_app():\n    return Flask('x')\n"


def plan_of(directory: Path, files: Files, installed: Mapping[str, str]) -> LaunchPlan:
    app = write_files(directory / "app", files)
    return processes.plan_launch(read_app(app), installed)


def how_to_add(package: str) -> tuple[str, str]:
    return "Add it to web.txt:", package


def versions(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "1.0")


def report_text(plan: LaunchPlan) -> str:
    """Return the log lines and warnings, with their titles."""
    messages = launch_report.warnings(plan, how_to_add)
    warned = [line for item in messages for line in (item.title, *item.body, *item.steps)]
    return "\n".join([*launch_report.reasons(plan), *warned])


def web(plan: LaunchPlan) -> Process:
    """Return the process `web` of *plan*."""
    return next(process for process in plan.processes if process.type == "web")


def found(plan: LaunchPlan) -> FoundProcess:
    """Return the process `web` that was found in the code."""
    return next(process for process in plan.discovered if process.type == "web")


def shell(script: str) -> tuple[str, ...]:
    return ("/bin/sh", "-c", f'{script} "$@"', "sh")


def test_procfile_takes_precedence_over_code(tmp_path: Path) -> None:
    files = {"Procfile": "web: python serve.py\nworker: celery worker\n", "app.py": FLASK}
    plan = plan_of(tmp_path, files, versions("flask", "gunicorn", "celery"))

    assert plan.processes == (
        Process("web", ("python", "serve.py"), default=True),
        Process("worker", ("celery", "worker")),
        Process("console", ("flask", "--app", "app:app", "shell")),
    )
    assert "web: python serve.py  (default)" in launch_report.reasons(plan)
    assert launch_report.warnings(plan, how_to_add) == ()


def test_several_types_without_web_have_no_default(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, {"Procfile": "bot: python b.py\nclock: python c.py"}, {})

    assert not any(process.default for process in plan.processes)
    assert "The image has no default process" in report_text(plan)
    assert "bot, clock" in report_text(plan)


def test_only_process_is_the_default(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, {"Procfile": "bot: python b.py"}, {})

    assert plan.processes[0].default
    assert launch_report.warnings(plan, how_to_add) == ()


def test_procfile_with_missing_server_is_a_warning(
    tmp_path: Path,
) -> None:
    files = {"Procfile": "web: gunicorn --bind :$PORT app:app\napi: waitress-serve app:app\n"}
    plan = plan_of(tmp_path, files, versions("waitress"))

    assert [(each.type, name) for each, name in plan.missing] == [("web", "gunicorn")]
    assert "gunicorn is not installed" in report_text(plan)
    assert "Add it to web.txt:\n    gunicorn" in report_text(plan)


def test_invalid_procfile_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadProcfile):
        plan_of(tmp_path, {"Procfile": "gunicorn app:app"}, versions("gunicorn"))


def test_procfile_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotUtf8):
        plan_of(tmp_path / "1", {"Procfile": "web: a".encode("utf-16")}, {})
    with pytest.raises(NotAFile):
        plan_of(tmp_path / "2", {"Procfile": None}, {})


WSGI = {
    ("gunicorn",): ("gunicorn", "app:app"),
    ("granian",): shell(f"exec granian --interface wsgi {GRANIAN} app:app"),
    ("waitress",): shell(f"exec waitress-serve --host={HOST} --port={PORT} app:app"),
    ("waitress", "gunicorn", "uvicorn"): ("gunicorn", "app:app"),
    ("uwsgi",): shell(f"exec {UWSGI} app:app"),
    ("pyuwsgi",): shell(f"exec {UWSGI} app:app"),
}
ASGI = {
    ("uvicorn",): shell(f"exec uvicorn --host {HOST} --port {PORT} app:app"),
    ("hypercorn",): shell(f"exec hypercorn --bind {ADDRESS}:{PORT} --workers {WORKERS} app:app"),
    ("daphne",): shell(f"exec daphne -b {HOST} -p {PORT} app:app"),
    ("granian",): shell(f"exec granian --interface asgi {GRANIAN} app:app"),
    ("gunicorn", "uvicorn"): shell(f"exec uvicorn --host {HOST} --port {PORT} app:app"),
    ("gunicorn", "uvicorn", "uvicorn-worker"): (
        *("gunicorn", "--worker-class", "uvicorn_worker.UvicornWorker"),
        "app:app",
    ),
}


@pytest.mark.parametrize(("servers", "command"), WSGI.items(), ids=" ".join)
def test_installed_server_serves_a_wsgi_app(
    tmp_path: Path, servers: tuple[str, ...], command: tuple[str, ...]
) -> None:
    plan = plan_of(tmp_path, {"app.py": FLASK}, versions("flask", *servers))

    assert web(plan) == Process("web", command, default=True)


@pytest.mark.parametrize(
    ("procfile", "server", "prefix"),
    [
        ("web: gunicorn app:app", "gunicorn", ()),
        ("web: python main.py", "gunicorn", ("/layers/init",)),
        ("", "gunicorn", ()),
        ("", "waitress", ("/layers/init",)),
    ],
)
def test_init_starts_only_what_sigterm_would_not_end(
    tmp_path: Path, procfile: str, server: str, prefix: tuple[str, ...]
) -> None:
    files = {"Procfile": procfile, "app.py": FLASK}
    plan = plan_of(tmp_path, files, versions("flask", server))

    process, console = processes.in_image(plan, Path("/layers/init"), Path("/bin"))

    original, original_console = plan.processes
    assert process.command == prefix + original.command
    # It reads from the terminal, as a child of init could not.
    assert console == original_console


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("gunicorn app:app", ("gunicorn", "app:app")),
        ("gunicorn -b :$PORT a:a", ("/d/sh", "-c", 'exec gunicorn -b :$PORT a:a "$@"', "sh")),
        ("a | b", ("/d/init", "/d/sh", "-c", "a | b", "sh")),
        ("[[ -f x ]] && b", ("/d/init", "/d/bash", "-c", "[[ -f x ]] && b", "bash")),
        # Another use of a shell than for a script.
        ("/bin/sh run.sh", ("/d/init", "/bin/sh", "run.sh")),
        ("sh -c 'a; b'", ("/d/init", "sh", "-c", "a; b")),
    ],
)
def test_scripts_run_with_the_shells_of_the_layer(
    tmp_path: Path, command: str, expected: tuple[str, ...]
) -> None:
    plan = plan_of(tmp_path, {"Procfile": f"web: {command}"}, versions("gunicorn"))

    process, *_ = processes.in_image(plan, Path("/d/init"), Path("/d"))

    assert process.command == expected


@pytest.mark.parametrize(("servers", "command"), ASGI.items(), ids=" ".join)
def test_installed_server_serves_an_asgi_app(
    tmp_path: Path, servers: tuple[str, ...], command: tuple[str, ...]
) -> None:
    plan = plan_of(tmp_path, {"app.py": FASTAPI}, versions("fastapi", "starlette", *servers))

    assert web(plan) == Process("web", command, default=True)


@pytest.mark.parametrize(
    ("code", "server", "words"),
    [
        (FLASK_FACTORY, "gunicorn", "app:create_app()"),
        (FLASK_FACTORY, "waitress", "--call app:create_app "),
        (FLASK_FACTORY, "uwsgi", "--module 'app:create_app()' "),
        (FASTAPI_FACTORY, "uvicorn", "--factory app:create_app "),
        (FASTAPI_FACTORY, "granian", "--factory app:create_app "),
        (FASTAPI_FACTORY, "hypercorn", "'app:create_app()' "),
    ],
)
def test_factory_is_passed_in_the_form_of_the_server(
    tmp_path: Path, code: str, server: str, words: str
) -> None:
    plan = plan_of(tmp_path, {"app.py": code}, versions("flask", "fastapi", server))

    assert words in " ".join(plan.processes[0].command)


def test_server_without_factory_support_is_not_chosen(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, {"app.py": FASTAPI_FACTORY}, versions("fastapi", "daphne"))

    assert plan.unserved


@pytest.mark.parametrize(
    ("version", "is_served"), [("25.0.0", True), ("23.0.0", False), ("a fork", False)]
)
def test_gunicorn_alone_serves_asgi_from_release_25(
    tmp_path: Path, version: str, *, is_served: bool
) -> None:
    installed = {"fastapi": "1.0", "gunicorn": version}
    plan = plan_of(tmp_path, {"app.py": FASTAPI}, installed)

    assert (plan.unserved is None) == is_served


DJANGO = {
    "manage.py": "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n",
    "shop/__init__.py": "",
    "shop/settings.py": "ASGI_APPLICATION = 'shop.asgi.application'\n",
    "shop/wsgi.py": "application = 1\n",
    "shop/asgi.py": "application = 1\n",
}


@pytest.mark.parametrize(
    ("servers", "target"),
    [
        (["gunicorn", "uvicorn"], "shop.asgi:application"),
        (["daphne"], "shop.asgi:application"),
        (["waitress"], "shop.wsgi:application"),
    ],
)
def test_django_uses_its_chosen_interface_if_a_server_can(
    tmp_path: Path, servers: list[str], target: str
) -> None:
    plan = plan_of(tmp_path, DJANGO, versions("django", *servers))

    assert target in " ".join(web(plan).command)


def test_gunicorn_serves_django_over_wsgi(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, DJANGO, {"django": "5.2", "gunicorn": "27.0.1"})

    assert plan.processes[0].command == ("gunicorn", "shop.wsgi:application")


def test_app_in_a_directory_runs_there(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, {"src/main.py": FASTAPI}, versions("fastapi", "uvicorn"))

    assert plan.processes[0].working_dir == str(tmp_path / "app/src")
    assert "Running in src/" in report_text(plan)


@pytest.mark.parametrize("procfile", ["", "web: python main.py\n"])
def test_app_in_a_repository_directory_runs_there(tmp_path: Path, procfile: str) -> None:
    app = write_files(tmp_path / "app", {"api/main.py": FASTAPI})
    if procfile:
        (app / "api/Procfile").write_text(procfile)

    plan = processes.plan_launch(read_app(app, "api"), versions("fastapi", "uvicorn"))

    assert {item.working_dir for item in plan.processes} == {str(app / "api")}


def test_report_names_the_app_the_server_and_others(tmp_path: Path) -> None:
    files = {"app.py": FLASK, "main.py": FLASK}
    text = report_text(plan_of(tmp_path, files, versions("flask", "gunicorn")))

    assert "web: gunicorn serves app:app  (default)" in text
    assert "Found Flask in app.py, line 2 (app)" in text
    assert "Using gunicorn, which is installed and serves WSGI apps" in text
    assert "Also found: main.py (Flask)" in text


def test_app_with_a_server_comes_first(tmp_path: Path) -> None:
    files = {"app.py": FLASK, "main.py": FASTAPI}
    plan = plan_of(tmp_path, files, versions("flask", "fastapi", "uvicorn"))

    assert found(plan).evidence.file == "main.py"


@pytest.mark.parametrize(
    ("code", "server", "command", "installed"),
    [
        (
            "from falcon import App\napp = App()\n",
            "gunicorn",
            "gunicorn app:app",
            versions("falcon"),
        ),
        (
            FASTAPI,
            "uvicorn",
            f"uvicorn --host 0.0.0.0 --port {PORT} app:app",
            versions("fastapi"),
        ),
    ],
)
def test_missing_server_warning_names_one_to_add(
    tmp_path: Path, code: str, server: str, command: str, installed: Mapping[str, str]
) -> None:
    plan = plan_of(tmp_path, {"app.py": code}, installed)

    assert "app.py, line 2" in report_text(plan)
    assert f"\n    {server}\n" in report_text(plan)
    assert f"\n    web: {command}" in report_text(plan)


def test_process_without_a_server_prints_the_same_and_exits_with_78(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = plan_of(tmp_path, {"app.py": FASTAPI}, versions("fastapi"))
    (message,) = launch_report.warnings(plan, processes.in_the_packages)
    *python, script = web(plan).command

    assert web(plan).default
    assert python == ["python", "-I", "-c"]
    with pytest.raises(SystemExit) as ended:
        exec(script)
    assert ended.value.code == 78
    assert capsys.readouterr().err == "\n".join((f"{message.title}.", *message.body, ""))


def test_flask_without_a_server_runs_its_development_server(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, {"app.py": FLASK}, versions("flask"))

    assert web(plan).command == shell(f"exec flask --app app:app run --host {HOST} --port {PORT}")
    assert "web runs the development server of Flask" in report_text(plan)
    assert "Add it to web.txt:\n    gunicorn" in report_text(plan)


def test_django_without_a_server_runs_its_development_server(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, DJANGO, versions("django"))

    assert web(plan).command == shell(
        f"exec python manage.py runserver --noreload {ADDRESS}:{PORT}"
    )
    assert "web runs the development server of Django" in report_text(plan)


def test_no_process_warning_shows_a_procfile(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, {"lib.py": "x = 1"}, versions("boto3"))

    assert plan.lacks_web
    assert web(plan).default
    assert "There is no Procfile" in report_text(plan)
    assert "    web: gunicorn --bind 0.0.0.0:$PORT app:app" in report_text(plan)


def test_empty_procfile_is_ignored(tmp_path: Path) -> None:
    plan = plan_of(
        tmp_path / "1", {"Procfile": "# none\n", "app.py": FLASK}, versions("flask", "gunicorn")
    )
    nothing = plan_of(tmp_path / "2", {"Procfile": ""}, {})

    assert found(plan).evidence.subject == "Flask"
    assert "The Procfile names no process" in report_text(nothing)


@pytest.mark.parametrize("installed", [versions("flask", "gunicorn"), versions("flask"), {}])
def test_misnamed_procfile_is_a_warning(tmp_path: Path, installed: Mapping[str, str]) -> None:
    files = {"procfile": "web: x", "app.py": FLASK}

    assert "procfile is not read" in report_text(plan_of(tmp_path, files, installed))


@pytest.mark.parametrize(
    ("fixture", "installed", "command"),
    [
        ("pip_django", ["django", "gunicorn"], ("gunicorn", "shop.wsgi:application")),
        ("pip_c_extension", ["flask", "gunicorn"], ("gunicorn", "app:app")),
        (
            "pip_flask",
            ["flask", "gunicorn"],
            shell("exec gunicorn --bind 0.0.0.0:$PORT --workers 2 app:app"),
        ),
        (
            "pip_science",
            ["fastapi", "starlette", "uvicorn"],
            shell(f"exec uvicorn --host {HOST} --port {PORT} main:app"),
        ),
    ],
)
def test_sample_apps_have_a_default_process(
    fixture: str, installed: list[str], command: tuple[str, ...]
) -> None:
    app = read_app(FIXTURES / fixture)

    (default,) = (
        process
        for process in processes.plan_launch(app, versions(*installed)).processes
        if process.default
    )

    assert (default.type, default.command) == ("web", command)


@pytest.mark.parametrize("files", [{}, {"main.py": "print(1)\n"}])
def test_web_of_an_earlier_buildpack_stays(files: Files, tmp_path: Path) -> None:
    app = read_app(write_files(tmp_path / "app", files))

    plan = processes.plan_launch(app, {}, earlier=frozenset({"web"}))

    assert "web" not in {process.type for process in plan.processes}
    assert not any(process.default for process in plan.processes)
    assert "no default process" not in report_text(plan)
    assert web(processes.plan_launch(app, {})).default


def test_worker_beside_the_web_of_an_earlier_buildpack_is_not_the_default(tmp_path: Path) -> None:
    tasks = "from celery import Celery\napp = Celery('tasks')\n"
    app = read_app(write_files(tmp_path / "app", {"tasks.py": tasks}))

    plan = processes.plan_launch(app, versions("celery"), earlier=frozenset({"web"}))

    assert {each.type: each.default for each in plan.processes}["worker"] is False
    assert not any(each.default for each in plan.processes)


def test_served_app_replaces_the_web_of_an_earlier_buildpack(tmp_path: Path) -> None:
    app = read_app(write_files(tmp_path / "app", {"app.py": FLASK}))

    plan = processes.plan_launch(
        app, versions("flask", "gunicorn"), earlier=frozenset({"web", "console"})
    )

    assert [(each.type, each.default) for each in plan.processes] == [("web", True)]


@pytest.mark.parametrize(
    ("files", "packages"),
    [
        ({"Procfile": "worker: python worker.py\n", "worker.py": "print(1)\n"}, ()),
        ({"Procfile": "api: gunicorn app:app\n", "app.py": FLASK}, ("flask", "gunicorn")),
        ({"Procfile": "api: python -m app\n", "app.py": FLASK}, ("flask", "gunicorn")),
    ],
)
def test_program_of_the_procfile_is_not_web_under_another_name(
    files: Files, packages: tuple[str, ...], tmp_path: Path
) -> None:
    plan = plan_of(tmp_path, files, versions(*packages))

    assert "web" not in {process.type for process in plan.processes}


def test_worker_of_the_procfile_in_the_same_module_leaves_web(tmp_path: Path) -> None:
    files = {"Procfile": "worker: celery -A app:celery worker\n", "app.py": FLASK}

    plan = plan_of(tmp_path, files, versions("flask", "gunicorn", "celery"))

    assert "gunicorn" in web(plan).command


def test_health_check_is_a_process_unless_the_app_has_one() -> None:
    web, own = Process("web", ("gunicorn", "a:b"), default=True), Process("health", ("own",))
    program = Path("/layers/x/defaults/health")

    assert processes.with_health((web,), program) == (web, Process("health", (str(program),)))
    assert processes.with_health((web, own), program) == (web, own)
    line = "health: GET /up, by /layers/x/defaults/health"
    assert processes.health_lines((web,), "/up", program) == (line,)
    assert processes.health_lines((web, own), "/up", program) == ()
