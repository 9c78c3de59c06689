"""The exec.d program under the real launcher, in containers with different limits."""

import re
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.build_variants import LIMITED, MB, layers_of
from tests.support.builds import BUILDPACK, Builds, Built, fixture, free_port
from tests.support.trees import Files, linked_copy
from tools.docs import site

FLASK = fixture("pip_flask")
GUIDE = (site.DOCS / "how-to/health-check.md").read_text(encoding="utf-8")
VERSION_1: Files = {
    "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{600 * MB}\n",
    "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
    "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
}
SHOWN = "import os; print(*(os.environ.get(n) for n in ('WEB_CONCURRENCY', 'BPL_PYTHON_LOG')))"
# Commands that have a shell, or a program that does not handle SIGTERM, as their first process.
SHAPES = {
    "list": "gunicorn --bind :$PORT app:app; echo done",
    "or": "gunicorn --bind :$PORT app:app || exit 1",
    "subshell": "(cd / && gunicorn --chdir /workspace --bind :$PORT app:app)",
    "pipe": "gunicorn --bind :$PORT app:app 2>&1 | cat",
    "job": "python -m http.server 0 & gunicorn --bind :$PORT app:app",
    "shell": "sh -c 'gunicorn --bind :$PORT app:app; true'",
    "flask": "flask run",
}
# What programs do that need a temporary directory, a home directory and a user name.
WRITING = """
import getpass, multiprocessing, pathlib, tempfile
from concurrent.futures import ProcessPoolExecutor

if __name__ == "__main__":
    with tempfile.TemporaryFile() as upload:
        print(upload.write(bytes(2_000_000)))
    with ProcessPoolExecutor(1) as pool:
        print(*pool.map(len, ["four"]))
    with multiprocessing.Manager() as manager:
        print(*manager.list([5]))
    settings = pathlib.Path.home() / ".streamlit"
    settings.mkdir(exist_ok=True)
    print(getpass.getuser(), settings)
"""


@pytest.fixture(scope="module")
def limited(flask: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image's root in a container of 600 MB."""
    return linked_copy(flask.root, tmp_path_factory.mktemp("limited") / "root", LIMITED)


@pytest.fixture(scope="module")
def processes(builds: Builds, flask: Built, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The same app with other processes, built after the first."""
    shapes = "".join(f"{kind}: {command}\n" for kind, command in SHAPES.items())
    procfile = (
        f'web: gunicorn --bind 0.0.0.0:$PORT app:app # comment\nbot: python -c "{SHOWN}"\n{shapes}'
    )
    files: Files = {"Procfile": procfile, "writing.py": WRITING}
    app = linked_copy(FLASK, tmp_path_factory.mktemp("app") / "app", files)
    app.chmod(0o755)
    return builds.image(app, flask, env={"BP_PYTHON_HEALTH": "/"})


def variables(output: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in output.splitlines())


def test_container_limits_set_the_number_of_workers(flask: Built, limited: Path) -> None:
    seen = variables(flask.run("env", root=limited))

    assert seen["WEB_CONCURRENCY"] == "2"
    assert seen["FORWARDED_ALLOW_IPS"] == "*"


def test_cgroup_v1_limits_set_the_number_of_workers(flask: Built, tmp_path: Path) -> None:
    root = linked_copy(flask.root, tmp_path / "root", VERSION_1)

    assert variables(flask.run("env", root=root))["WEB_CONCURRENCY"] == "2"


def test_user_values_take_precedence(flask: Built, limited: Path) -> None:
    own = {"WEB_CONCURRENCY": "5", "FORWARDED_ALLOW_IPS": ""}

    seen = variables(flask.run("env", env=own, root=limited))

    assert {name: seen[name] for name in own} == own


def test_unreadable_limits_are_ignored(flask: Built, tmp_path: Path) -> None:
    files: Files = {"sys/fs/cgroup/memory.max/x": "", "sys/fs/cgroup/cpu.max": "nonsense"}
    root = linked_copy(flask.root, tmp_path / "root", files)

    assert "WEB_CONCURRENCY" not in variables(flask.run("env", root=root))


def test_gunicorn_starts_the_workers_and_logs_one_line(processes: Built, limited: Path) -> None:
    root = linked_copy(processes.root, limited.parent / "gunicorn", LIMITED)

    with processes.serve(root=root) as served:
        served.fetch()
        assert served.wrote("Booting worker with pid", times=2)
        assert served.output.startswith(
            "Python: WEB_CONCURRENCY=2 for 600 MB of memory and 1.5 CPUs\n"
            "Python: TMPDIR=/dev/shm, HOME=/dev/shm/home-12345, USER=app, LOGNAME=app, "
            "since the container has no other\n"
        )
        assert served.wrote('"GET / HTTP/1.1" 200')


def test_log_line_can_be_turned_off(processes: Built) -> None:
    with processes.serve(env={"BPL_PYTHON_LOG": "0"}) as served:
        served.fetch()
        assert "WEB_CONCURRENCY" not in served.output


def test_processes_without_uvicorn_have_several_workers(processes: Built, limited: Path) -> None:
    root = linked_copy(processes.root, limited.parent / "own", LIMITED)

    with processes.serve("bot", root=root) as served:
        served.process.wait(30)
        assert served.output == "2 None\n"


@pytest.mark.parametrize("kind", SHAPES)
def test_sigterm_ends_every_shape_of_command(processes: Built, kind: str) -> None:
    with processes.serve(kind) as served:
        served.fetch()
        assert served.stop() is not None
        # gunicorn prints its last line after it has finished its requests.
        assert kind == "flask" or "Shutting down: Master" in served.output


def test_server_listens_on_all_addresses_at_the_port(processes: Built) -> None:
    with processes.serve("flask") as served:
        served.fetch()
        assert "Running on all addresses (0.0.0.0)" in served.output


def test_health_checks_of_the_guide_run_without_launcher_and_shell(processes: Built) -> None:
    """The commands of Kubernetes, Docker and Compose, and of the process."""
    commands = [*re.findall(r'(?:command: \[|"CMD", )"([^"]*)"', GUIDE)]
    commands += re.findall(r"--health-cmd (\S+)", GUIDE)
    assert len(commands) == 3
    programs = {processes.root / command.removeprefix("/") for command in commands}
    with processes.serve() as served:
        served.fetch()
        for program in programs:
            assert checked(program, served.port) == (0, "")
            assert checked(program, served.port, "/gone")[0] == 1
        with processes.serve("health", f":{served.port}") as check:
            assert check.process.wait(30) == 0
    # Not the port of the app: its socket may outlive it by a moment.
    for program in programs:
        code, output = checked(program, free_port())
        assert (code, "connection refused" in output) == (1, True), output


def checked(program: Path, port: int, *arguments: str) -> tuple[int, str]:
    """Return exit code and output of a health check that has no variable but PORT."""
    ended = subprocess.run(
        [program, *arguments], env={"PORT": str(port)}, capture_output=True, text=True, check=False
    )
    return ended.returncode, ended.stdout + ended.stderr


def test_server_with_a_comment_is_process_1(processes: Built) -> None:
    with processes.serve() as served:
        served.fetch()
        assert "init" not in served.command
        assert served.output.count("TMPDIR=/dev/shm, HOME=/dev/shm/home-12345, USER=app") == 1
        assert served.stop() == 0


def test_programs_can_write_in_a_read_only_container(processes: Built) -> None:
    output = processes.run("python", "writing.py")

    assert output == "2000000\n4\n5\napp /dev/shm/home-12345/.streamlit\n"


def test_user_directories_and_name_take_precedence(processes: Built) -> None:
    own = {"TMPDIR": "/run/own", "HOME": "/secrets", "USER": "me"}

    seen = variables(processes.run("env", env=own))

    assert {name: seen[name] for name in own} == own
    assert "LOGNAME" not in seen


def test_layer_has_the_program_and_process_variables(flask: Built) -> None:
    top = flask.layers / "defaults"

    assert {str(path.relative_to(top)) for path in top.rglob("*") if path.is_file()} == {
        "bash",
        "exec.d/defaults",
        "init",
        "sh",
        "variables",
        "env.launch/web/BPL_PYTHON_LOG.default",
    }


def test_other_processes_change_only_layer_defaults(flask: Built, processes: Built) -> None:
    ours = {title: sha for title, sha in layers_of(flask).items() if "/python:" in title}
    assert ours.pop("cnb-python/python:defaults")

    assert ours.items() <= layers_of(processes).items()


def test_program_takes_a_few_milliseconds(flask: Built) -> None:
    program = flask.root / f"layers/{BUILDPACK}/defaults/exec.d/defaults"
    times = []
    for _ in range(20):
        before = time.monotonic()
        subprocess.run([program], check=True, env={}, stdout=subprocess.DEVNULL)
        times.append(time.monotonic() - before)

    # The minimum, since the machine runs other programs too. Python alone would take longer.
    assert min(times) < 0.01
