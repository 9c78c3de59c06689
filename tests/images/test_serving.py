"""Every sample app serves from a read-only container, as an unknown user without capabilities."""

import json
import urllib.request
from collections.abc import Callable

import pytest

from tests.images.containers import KILLED, QUICK, Ended, ended, started
from tests.images.pack_builds import Built, PackBuilds

type Build = Callable[[str], Built]

APPS = ("pip_django", "pip_flask", "pip_science", "pip_c_extension")
# Text on the first page of each app.
PAGES = {
    "pip_django": "Stanisław Lem",
    "pip_flask": "Hello",
    "pip_science": "setosa",
    "pip_c_extension": '"xxhash":"C"',
}
HEALTH = "/layers/cnb-python_python/defaults/health"
LIMITS = ("--memory=512m", "--cpus=1")
# Exit codes after SIGTERM: handled, or not.
ENDED_BY_TERM = {0, 143}


@pytest.mark.parametrize("app", APPS)
def test_page_is_served(app: str, built: Build, pack_builds: PackBuilds) -> None:
    with started(pack_builds.engine, built(app).name) as container:
        assert PAGES[app] in container.fetch("/")
        assert json.loads(container.fetch("/health"))["status"] == "ok"


@pytest.mark.parametrize("app", APPS)
def test_sigterm_ends_the_server_within_seconds(
    app: str, built: Build, pack_builds: PackBuilds
) -> None:
    with started(pack_builds.engine, built(app).name) as container:
        container.fetch("/")
        stopped = container.stop()
    assert stopped.code != KILLED
    assert stopped.code in ENDED_BY_TERM
    assert stopped.seconds < QUICK


def test_static_file_is_served(built: Build, pack_builds: PackBuilds) -> None:
    with started(pack_builds.engine, built("pip_django").name) as container:
        assert "/static/catalog/style.css" in container.fetch("/")
        assert "font-family" in container.fetch("/static/catalog/style.css")


def test_c_extension_of_each_package_is_loaded(built: Build, pack_builds: PackBuilds) -> None:
    with started(pack_builds.engine, built("pip_c_extension").name) as container:
        answer = json.loads(container.fetch("/?text=hello"))
    assert (answer["xxhash"], answer["markupsafe"]) == ("C", "C")
    # From the reference implementation: xxhsum -H1 on "hello".
    assert answer["xxh64"] == "26c7827d889f6da3"


def test_model_is_trained_and_predicts(built: Build, pack_builds: PackBuilds) -> None:
    flower = {"sepal_length": 5, "sepal_width": 3.4, "petal_length": 1.5, "petal_width": 0.2}
    with started(pack_builds.engine, built("pip_science").name) as container:
        container.fetch("/")
        question = urllib.request.Request(
            f"http://127.0.0.1:{container.port}/predict",
            data=json.dumps(flower).encode(),
            headers={"Content-Type": "application/json"},
        )
        assert json.loads(container.ask(question)) == {"species": "setosa"}


def test_health_check_of_the_engine_and_by_exec(built: Build, pack_builds: PackBuilds) -> None:
    probe = (f"--health-cmd={HEALTH}", "--health-interval=1s", "--health-retries=1")
    image = built("pip_c_extension").name
    with started(pack_builds.engine, image, limits=probe) as container:
        container.fetch("/")
        assert container.becomes("healthy")
        assert container.run(HEALTH) == Ended(0, "")
        assert container.run(HEALTH, "/gone").code == 1
    gone = (f"--health-cmd={HEALTH} /gone", *probe[1:])
    with started(pack_builds.engine, image, limits=gone) as container:
        assert container.becomes("unhealthy")


def test_port_is_taken_from_the_environment(built: Build, pack_builds: PackBuilds) -> None:
    with started(pack_builds.engine, built("pip_flask").name, port=9123) as container:
        assert PAGES["pip_flask"] in container.fetch("/")


def test_variable_of_the_user_reaches_the_app(built: Build, pack_builds: PackBuilds) -> None:
    env = {"GREETING_NAME": "Ada"}
    with started(pack_builds.engine, built("pip_flask").name, env=env) as container:
        assert "Ada" in container.fetch("/")


def test_every_process_type_of_the_procfile_starts(built: Build, pack_builds: PackBuilds) -> None:
    # Two pages, and the static files that Flask adds by itself.
    assert ended(pack_builds.engine, built("pip_flask").name, process="count").output == "3\n"


def test_command_of_the_user_runs_in_the_environment(
    built: Build, pack_builds: PackBuilds
) -> None:
    command = ("--", "python", "manage.py", "check")
    checked = ended(pack_builds.engine, built("pip_django").name, *command, process="launcher")
    assert checked.code == 0, checked.output
    assert "no issues" in checked.output


def test_variable_of_the_user_overrides_the_default(built: Build, pack_builds: PackBuilds) -> None:
    image, show = built("pip_flask").name, ("--", "printenv", "PYTHONUNBUFFERED")
    assert ended(pack_builds.engine, image, *show, process="launcher").output == "1\n"
    env = {"PYTHONUNBUFFERED": "mine"}
    assert ended(pack_builds.engine, image, *show, process="launcher", env=env).output == "mine\n"


def test_container_limits_give_the_number_of_workers(
    built: Build, pack_builds: PackBuilds
) -> None:
    with started(pack_builds.engine, built("pip_flask").name, limits=LIMITS) as container:
        container.fetch("/")
        output = container.output
    assert "Python: WEB_CONCURRENCY=2 for 512 MB of memory and 1 CPU\n" in output


@pytest.mark.parametrize(("env", "workers"), [({}, "2"), ({"WEB_CONCURRENCY": "9"}, "9")])
def test_user_overrides_the_number_of_workers(
    built: Build, pack_builds: PackBuilds, env: dict[str, str], workers: str
) -> None:
    image, show = built("pip_flask").name, ("--", "printenv", "WEB_CONCURRENCY")
    seen = ended(pack_builds.engine, image, *show, process="launcher", env=env, limits=LIMITS)
    assert seen.output == f"{workers}\n"


def test_installer_is_not_in_the_image(built: Build, pack_builds: PackBuilds) -> None:
    look = "import importlib.util as u; print(u.find_spec('pip'), u.find_spec('ensurepip'))"
    command = ("--", "python", "-c", look)
    output = ended(pack_builds.engine, built("pip_flask").name, *command, process="launcher")
    assert output.output.startswith("None"), output.output


def test_app_cannot_write_to_the_image(built: Build, pack_builds: PackBuilds) -> None:
    # Checks the strictness of the container, on which the tests above rely.
    for directory in ("/tmp", "/workspace", "/layers", "/home/cnb"):
        command = ("--", "touch", f"{directory}/mine")
        tried = ended(pack_builds.engine, built("pip_flask").name, *command, process="launcher")
        assert tried.code != 0
        assert "Read-only file system" in tried.output


def test_user_of_the_image_is_not_root(built: Build, pack_builds: PackBuilds) -> None:
    inspect = ("image", "inspect", "--format", "{{.Config.User}}", built("pip_flask").name)
    user = pack_builds.engine.docker(*inspect).strip()
    assert user.partition(":")[0] not in {"", "0", "root"}
