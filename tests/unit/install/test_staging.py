"""Staged environments are filled at the final path and moved aside."""

from dataclasses import replace
from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.install.request import EnvironmentRequest
from cnb_python.install.snapshot import AppSnapshot
from cnb_python.install.staging import StagingArea
from cnb_python.managers.base import InstallContext
from cnb_python.system.interface import Command, Outcome, Run
from tests.support.fake_manager import FakeManager, copied_pip
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
        manager=FakeManager({}),
        interpreter=INTERPRETER,
        python="3.14.6",
        pip=copied_pip(tmp_path / "tool"),
        uv=Path("/tools/uv"),
        environ=ENVIRON,
        environment=tmp_path / "venv",
        staging=tmp_path / "work",
        installer="auto",
    )


def staging_area(
    request: EnvironmentRequest, output: str = ""
) -> tuple[StagingArea, Programs, Log]:
    system, programs, log = world(lambda _: Outcome(0, output))
    snapshot = AppSnapshot(request.app.top)
    return StagingArea(request, system, snapshot), programs, log


def test_staging_starts_as_empty_environment_at_final_path(
    request_: EnvironmentRequest,
) -> None:
    area, _, _ = staging_area(request_)

    def fill(context: InstallContext, _: Run) -> Path:
        assert context.environment == request_.environment
        assert (context.environment / "bin/python").readlink() == INTERPRETER
        assert list((context.environment / "lib/python3.14/site-packages").iterdir()) == []
        (context.environment / "share").mkdir()
        return context.environment

    staged, environment = area.fill(fill)

    assert environment == staged.final == request_.environment
    assert not request_.environment.exists()
    assert (staged.root / "share").is_dir()
    assert staged.line == "3.14"


def test_each_staged_environment_starts_empty_and_earlier_ones_stay(
    request_: EnvironmentRequest,
) -> None:
    area, _, _ = staging_area(request_)

    first, _ = area.fill(lambda context, _: (context.environment / "share").mkdir())
    second, _ = area.fill(lambda _, __: None)

    assert first.root != second.root
    assert (first.root / "share").is_dir()
    assert not (second.root / "share").exists()


def test_files_of_failed_attempt_are_removed(request_: EnvironmentRequest) -> None:
    area, _, _ = staging_area(request_)

    def fail(context: InstallContext, _: Run) -> None:
        (context.environment / "share").mkdir()
        raise InterruptedError

    with pytest.raises(InterruptedError):
        area.fill(fail)
    staged, _ = area.fill(lambda _, __: None)

    assert not (staged.root / "share").exists()


def test_directories_of_manager_are_outside_environment(
    request_: EnvironmentRequest,
) -> None:
    area, _, _ = staging_area(request_)

    context = area.context(pip=True)

    assert (context.tool / "__init__.py").is_file()
    assert context.scratch.is_dir()
    assert context.cache is not None
    for path in (context.tool, context.scratch, context.cache):
        assert path.is_relative_to(request_.staging)
    assert (context.uv, context.python) == (request_.uv, "3.14.6")
    assert context.app_dir == request_.app.directory


def test_pip_is_copied_only_if_needed(request_: EnvironmentRequest) -> None:
    area, _, _ = staging_area(request_)

    assert not area.context(pip=False).tool.exists()
    assert area.context(pip=True).tool.is_dir()


def test_variables_are_those_of_manager_processes(
    request_: EnvironmentRequest,
) -> None:
    area, _, _ = staging_area(request_)

    environ = area.context(pip=True).environ

    assert environ["PIP_INDEX_URL"] == ENVIRON["PIP_INDEX_URL"]
    assert environ["VIRTUAL_ENV"] == str(request_.environment)
    assert environ["TMPDIR"] == str(area.context(pip=True).scratch)
    assert "PYTHONPATH" not in environ


def test_pip_is_copied_once(request_: EnvironmentRequest) -> None:
    area, _, _ = staging_area(request_)
    (area.context(pip=True).tool / "compiled").touch()

    assert (area.context(pip=True).tool / "compiled").exists()


def test_secrets_are_removed_from_output(request_: EnvironmentRequest) -> None:
    area, programs, log = staging_area(request_, f"Looking in {ENVIRON['PIP_INDEX_URL']}\nBye")
    lines: list[str] = []

    command = Command(("pip", "install"), ENVIRON, Path("/"), shown="pip install")
    outcome = area.run(command, lines.append)
    area.run(command)

    assert [each.argv for each in programs.ran] == [command.argv] * 2
    assert lines[1] == "Bye"
    assert SECRET not in "\n".join([outcome.output, *lines, *log.lines])


def test_shown_command_prints_output(request_: EnvironmentRequest) -> None:
    area, _, log = staging_area(request_, "Hello")

    area.run(Command(("pip",), {}, Path("/"), shown="pip install six"))

    assert log.lines == ["Running `pip install six`", "Hello"]


def test_commands_are_foreign_and_what_they_leave_is_logged(request_: EnvironmentRequest) -> None:
    area, programs, log = staging_area(request_)
    programs.answer = lambda _: Outcome(0, "", ended=2)

    area.run(Command(("/tools/uv", "pip"), {}, Path("/")))

    assert programs.ran[0].foreign
    assert log.lines == ["Ended 2 background processes that uv left running"]


def test_entries_that_a_command_adds_to_the_layers_directory_are_removed(
    request_: EnvironmentRequest, tmp_path: Path
) -> None:
    area, programs, log = staging_area(request_)

    def answer(_: Command) -> Outcome:
        (tmp_path / "evil.toml").touch()
        return Outcome(0, "")

    programs.answer = answer

    area.run(Command(("/tools/uv", "pip"), {}, Path("/"), shown="uv pip install evil"))

    assert not (tmp_path / "evil.toml").exists()
    assert "uv pip install evil wrote into the directory" in log.lines[-1]
    assert "evil.toml" in log.lines[-1]


def test_hidden_command_prints_nothing(request_: EnvironmentRequest) -> None:
    area, _, log = staging_area(request_, "Hello")

    area.run(Command(("pip",), {}, Path("/")))

    assert log.lines == []


def test_free_threaded_environment_has_own_directory(request_: EnvironmentRequest) -> None:
    area, _, _ = staging_area(
        replace(request_, interpreter=Path("/layers/python/bin/python3.14t"))
    )

    staged, _ = area.fill(lambda _, __: None)

    assert staged.site_packages == staged.root / "lib/python3.14t/site-packages"
    assert staged.site_packages.is_dir()
