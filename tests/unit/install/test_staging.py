"""Stages are filled under the environment's final name, and moved aside."""

from dataclasses import replace
from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.install.request import EnvironmentRequest
from cnb_python.install.snapshot import AppSnapshot
from cnb_python.install.staging import StagingArea
from cnb_python.managers.base import InstallContext
from cnb_python.system.interface import Command, Outcome, Run
from tests.support.fake_manager import Shop, copied_pip
from tests.support.fake_system import Log, Programs, world
from tests.support.stages import INTERPRETER

SECRET = "s3cr3t-token"
ENVIRON = {"PIP_INDEX_URL": f"https://me:{SECRET}@index.example.org/simple", "PYTHONPATH": "/app"}


@pytest.fixture
def request_(tmp_path: Path) -> EnvironmentRequest:
    for name in ("app", "work"):
        (tmp_path / name).mkdir()
    return EnvironmentRequest(
        app=read_app(tmp_path / "app"),
        manager=Shop({}),
        interpreter=INTERPRETER,
        python="3.14.6",
        tool=copied_pip(tmp_path / "tool"),
        uv=Path("/tools/uv"),
        environ=ENVIRON,
        directory=tmp_path / "venv",
        work=tmp_path / "work",
        installer="auto",
    )


def workshop(request: EnvironmentRequest, output: str = "") -> tuple[StagingArea, Programs, Log]:
    system, programs, log = world(lambda _: Outcome(0, output))
    litter = AppSnapshot(request.app.top)
    return StagingArea(request, system, litter), programs, log


def test_staging_starts_as_empty_environment_at_final_path(
    request_: EnvironmentRequest,
) -> None:
    made, _, _ = workshop(request_)

    def fill(place: InstallContext, _: Run) -> Path:
        assert place.environment == request_.directory
        assert (place.environment / "bin/python").readlink() == INTERPRETER
        assert list((place.environment / "lib/python3.14/site-packages").iterdir()) == []
        (place.environment / "share").mkdir()
        return place.environment

    stage, seen = made.stage(fill)

    assert seen == stage.final == request_.directory
    assert not request_.directory.exists()
    assert (stage.root / "share").is_dir()
    assert stage.line == "3.14"


def test_each_staged_environment_starts_empty_and_earlier_ones_stay(
    request_: EnvironmentRequest,
) -> None:
    made, _, _ = workshop(request_)

    first, _ = made.stage(lambda place, _: (place.environment / "share").mkdir())
    second, _ = made.stage(lambda _, __: None)

    assert first.root != second.root
    assert (first.root / "share").is_dir()
    assert not (second.root / "share").exists()


def test_files_of_failed_attempt_are_removed(request_: EnvironmentRequest) -> None:
    made, _, _ = workshop(request_)

    def fail(place: InstallContext, _: Run) -> None:
        (place.environment / "share").mkdir()
        raise InterruptedError

    with pytest.raises(InterruptedError):
        made.stage(fail)
    stage, _ = made.stage(lambda _, __: None)

    assert not (stage.root / "share").exists()


def test_directories_of_manager_are_outside_environment(
    request_: EnvironmentRequest,
) -> None:
    made, _, _ = workshop(request_)

    place = made.place(pip=True)

    assert (place.tool / "__init__.py").is_file()
    assert place.scratch.is_dir()
    assert place.cache is not None
    for mine in (place.tool, place.scratch, place.cache):
        assert mine.is_relative_to(request_.work)
    assert (place.uv, place.python) == (request_.uv, "3.14.6")
    assert place.app_dir == request_.app.directory


def test_pip_is_copied_only_if_needed(request_: EnvironmentRequest) -> None:
    made, _, _ = workshop(request_)

    assert not made.place(pip=False).tool.exists()
    assert made.place(pip=True).tool.is_dir()


def test_variables_are_those_of_manager_processes(
    request_: EnvironmentRequest,
) -> None:
    made, _, _ = workshop(request_)

    environ = made.place(pip=True).environ

    assert environ["PIP_INDEX_URL"] == ENVIRON["PIP_INDEX_URL"]
    assert environ["VIRTUAL_ENV"] == str(request_.directory)
    assert environ["TMPDIR"] == str(made.place(pip=True).scratch)
    assert "PYTHONPATH" not in environ


def test_pip_is_copied_once(request_: EnvironmentRequest) -> None:
    made, _, _ = workshop(request_)
    (made.place(pip=True).tool / "compiled").touch()

    assert (made.place(pip=True).tool / "compiled").exists()


def test_secrets_are_removed_from_output(request_: EnvironmentRequest) -> None:
    made, programs, log = workshop(request_, f"Looking in {ENVIRON['PIP_INDEX_URL']}\nBye")
    heard: list[str] = []

    command = Command(("pip", "install"), ENVIRON, Path("/"), shown="pip install")
    outcome = made.run(command, heard.append)
    made.run(command)

    assert programs.ran == [command, command]
    assert heard[1] == "Bye"
    assert SECRET not in "\n".join([outcome.output, *heard, *log.said])


def test_shown_command_prints_output(request_: EnvironmentRequest) -> None:
    made, _, log = workshop(request_, "Hello")

    made.run(Command(("pip",), {}, Path("/"), shown="pip install six"))

    assert log.said == ["Running `pip install six`", "Hello"]


def test_hidden_command_prints_nothing(request_: EnvironmentRequest) -> None:
    made, _, log = workshop(request_, "Hello")

    made.run(Command(("pip",), {}, Path("/")))

    assert log.said == []


def test_free_threaded_environment_has_own_directory(request_: EnvironmentRequest) -> None:
    made, _, _ = workshop(replace(request_, interpreter=Path("/layers/python/bin/python3.14t")))

    stage, _ = made.stage(lambda _, __: None)

    assert stage.site_packages == stage.root / "lib/python3.14t/site-packages"
    assert stage.site_packages.is_dir()
