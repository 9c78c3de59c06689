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


def test_what_fills_a_stage_sees_an_empty_environment_at_its_final_path(
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


def test_each_stage_starts_empty_and_the_earlier_ones_stay(request_: EnvironmentRequest) -> None:
    made, _, _ = workshop(request_)

    first, _ = made.stage(lambda place, _: (place.environment / "share").mkdir())
    second, _ = made.stage(lambda _, __: None)

    assert first.root != second.root
    assert (first.root / "share").is_dir()
    assert not (second.root / "share").exists()


def test_what_a_failed_attempt_left_is_gone_from_the_next(request_: EnvironmentRequest) -> None:
    made, _, _ = workshop(request_)

    def fail(place: InstallContext, _: Run) -> None:
        (place.environment / "share").mkdir()
        raise InterruptedError

    with pytest.raises(InterruptedError):
        made.stage(fail)
    stage, _ = made.stage(lambda _, __: None)

    assert not (stage.root / "share").exists()


def test_a_manager_has_a_place_outside_the_environment_for_everything_of_its_own(
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


def test_where_pip_is_of_no_use_it_is_not_laid_out(request_: EnvironmentRequest) -> None:
    made, _, _ = workshop(request_)

    assert not made.place(pip=False).tool.exists()
    assert made.place(pip=True).tool.is_dir()


def test_its_variables_are_the_users_without_those_that_mislead(
    request_: EnvironmentRequest,
) -> None:
    made, _, _ = workshop(request_)

    environ = made.place(pip=True).environ

    assert environ["PIP_INDEX_URL"] == ENVIRON["PIP_INDEX_URL"]
    assert environ["VIRTUAL_ENV"] == str(request_.directory)
    assert environ["TMPDIR"] == str(made.place(pip=True).scratch)
    assert "PYTHONPATH" not in environ


def test_the_managers_own_files_are_laid_out_once(request_: EnvironmentRequest) -> None:
    made, _, _ = workshop(request_)
    (made.place(pip=True).tool / "compiled").touch()

    assert (made.place(pip=True).tool / "compiled").exists()


def test_no_secret_is_in_what_comes_of_a_command(request_: EnvironmentRequest) -> None:
    made, programs, log = workshop(request_, f"Looking in {ENVIRON['PIP_INDEX_URL']}\nBye")
    heard: list[str] = []

    command = Command(("pip", "install"), ENVIRON, Path("/"), shown="pip install")
    outcome = made.run(command, heard.append)
    made.run(command)

    assert programs.ran == [command, command]
    assert heard[1] == "Bye"
    assert SECRET not in "\n".join([outcome.output, *heard, *log.said])


def test_a_command_is_shown_with_what_it_says(request_: EnvironmentRequest) -> None:
    made, _, log = workshop(request_, "Hello")

    made.run(Command(("pip",), {}, Path("/"), shown="pip install six"))

    assert log.said == ["Running `pip install six`", "Hello"]


def test_a_command_without_a_name_stays_silent(request_: EnvironmentRequest) -> None:
    made, _, log = workshop(request_, "Hello")

    made.run(Command(("pip",), {}, Path("/")))

    assert log.said == []


def test_the_free_threaded_environment_has_its_own_line(request_: EnvironmentRequest) -> None:
    made, _, _ = workshop(replace(request_, interpreter=Path("/layers/python/bin/python3.14t")))

    stage, _ = made.stage(lambda _, __: None)

    assert stage.site_packages == stage.root / "lib/python3.14t/site-packages"
    assert stage.site_packages.is_dir()
