"""Scripts of the app run in its directory, and what keeps them from it is explained."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from cnb_python.app_steps import hooks
from cnb_python.errors.frameworks import HookFailed, HookNotStarted
from cnb_python.errors.inputs import NotAFile
from cnb_python.errors.machine import ProgramNotStarted
from cnb_python.system.interface import Command, Outcome
from cnb_python.system.steps import BuildLog
from tests.support.fake_environment import World, world
from tests.support.trees import write_files

SCRIPT = "#!/bin/sh\necho\n"


def fine(command: Command) -> Outcome:
    del command
    return Outcome(0, "said")


def with_scripts(
    directory: Path, text: str = SCRIPT, answer: Callable[[Command], Outcome] = fine
) -> World:
    app = world(directory, {hooks.PRE: text, hooks.POST: text}, {}, answer)
    for name in (hooks.PRE, hooks.POST):
        (app.directory / name).chmod(0o755)
    return app


def before(app: World, **environ: str) -> None:
    context = app.environment(**environ).request.context
    journal = BuildLog(app.app.log, lambda: 0, {})
    hooks.run_before(context, app.directory, journal, app.system())


def after(app: World, **environ: str) -> None:
    script = hooks.find(app.directory, hooks.POST)
    assert script
    hooks.run_after(app.environment(**environ), script, {"NLTK_DATA": "/data"}, app.system())


def test_the_first_has_the_build_s_variables_as_they_are(tmp_path: Path) -> None:
    app = with_scripts(tmp_path)
    before(app, PATH="/usr/bin", A="1")
    [command] = app.programs.ran
    assert command.argv == (str(app.directory / "bin/pre_compile"),)
    assert (command.cwd, command.env) == (app.directory, {"PATH": "/usr/bin", "A": "1"})
    assert app.app.log.said[:3] == ["bin/pre_compile", "Running `bin/pre_compile`", "said"]


def test_the_second_has_python_and_the_packages_besides(tmp_path: Path) -> None:
    app = with_scripts(tmp_path)
    after(app, PATH="/usr/bin", A="1")
    [command] = app.programs.ran
    assert command.env["PATH"].startswith(f"{app.app.layers}/venv/bin:")
    assert (command.env["A"], command.env["NLTK_DATA"]) == ("1", "/data")


def test_what_the_platform_says_is_stronger(tmp_path: Path) -> None:
    app = with_scripts(tmp_path)
    after(app, NLTK_DATA="/own")
    assert app.programs.ran[0].env["NLTK_DATA"] == "/own"


def test_an_app_without_scripts_runs_nothing(tmp_path: Path) -> None:
    app = world(tmp_path, {"bin/other": ""}, {}, fine)
    before(app)
    assert hooks.find(app.directory, hooks.POST) is None
    assert (app.programs.ran, app.app.log.said) == ([], [])


def test_a_directory_of_that_name_is_no_script(tmp_path: Path) -> None:
    app = world(tmp_path, {"bin/post_compile/x": ""}, {}, fine)
    assert hooks.find(app.directory, hooks.POST) is None


@pytest.mark.parametrize(
    ("said", "installer"),
    [
        ("bin/post_compile: line 3: pip: command not found\n", "pip"),
        ("bin/post_compile: 3: pip3: not found\n", "pip"),
        ("bash: uv: command not found\n", "uv"),
        ("/layers/x/venv/bin/python: No module named pip\n", "pip"),
        ("ModuleNotFoundError: No module named 'pip'\n", "pip"),
    ],
)
def test_an_installer_that_is_not_there_is_told_of(
    tmp_path: Path, said: str, installer: str
) -> None:
    app = with_scripts(tmp_path, answer=lambda _: Outcome(0, f"Building\n{said}Done\n"))
    after(app)
    assert f"bin/post_compile calls {installer}, which is not there" in app.said
    app.programs.answer = lambda _: Outcome(1, said)
    with pytest.raises(HookFailed) as caught:
        after(app)
    assert caught.value.installer == installer


@pytest.mark.parametrize("said", ["npm: command not found", "No module named pipeline", "pip ok"])
def test_nothing_else_is_taken_for_an_installer(tmp_path: Path, said: str) -> None:
    app = with_scripts(tmp_path, answer=lambda _: Outcome(0, said))
    after(app)
    assert "which is not there" not in app.said


@pytest.mark.parametrize("code", [1, 127, -9])
def test_any_other_end_than_a_good_one_stops_the_build(tmp_path: Path, code: int) -> None:
    app = with_scripts(tmp_path, answer=lambda _: Outcome(code, ""))
    with pytest.raises(HookFailed) as caught:
        after(app)
    assert (caught.value.script, caught.value.code) == ("bin/post_compile", code)


def test_a_script_that_is_not_executable_is_made_so(tmp_path: Path) -> None:
    app = with_scripts(tmp_path)
    script = app.directory / hooks.PRE
    script.chmod(0o644)
    before(app)
    assert script.stat().st_mode & stat.S_IXUSR
    assert "bin/pre_compile is not executable" in app.said


def test_git_is_told_the_script_s_path_from_the_top(tmp_path: Path) -> None:
    app = with_scripts(tmp_path)
    write_files(app.directory, {"shop/bin/pre_compile": SCRIPT})
    journal = BuildLog(app.app.log, lambda: 0, {})
    context = app.environment().request.context
    hooks.run_before(context, app.directory / "shop", journal, app.system())
    assert "git update-index --chmod=+x shop/bin/pre_compile" in app.said
    assert app.programs.ran[0].cwd == app.directory / "shop"


def test_a_script_that_names_no_program_is_read_by_a_shell(tmp_path: Path) -> None:
    app = with_scripts(tmp_path, "echo\n")
    before(app)
    assert app.programs.ran[0].argv[0] in {"/bin/bash", "/bin/sh"}


def test_why_a_script_cannot_be_started_names_its_program(tmp_path: Path) -> None:
    def refuse(command: Command) -> Outcome:
        raise ProgramNotStarted(command.argv[0], "No such file or directory")

    app = with_scripts(tmp_path, "#!/bin/bash\r\necho\r\n", refuse)
    with pytest.raises(HookNotStarted) as caught:
        before(app)
    assert (caught.value.program, caught.value.script) == ("/bin/bash\r", "bin/pre_compile")


def test_credentials_of_addresses_are_not_shown(tmp_path: Path) -> None:
    said = "connecting to postgres://user:hunter2@db/shop"
    app = with_scripts(tmp_path, answer=lambda _: Outcome(0, said))
    after(app)
    assert "hunter2" not in app.said


@pytest.mark.parametrize("make", [lambda path: path.symlink_to("gone"), os.mkfifo])
def test_what_cannot_run_is_refused_rather_than_passed_over(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    (tmp_path / "bin").mkdir()
    make(tmp_path / hooks.POST)

    with pytest.raises(NotAFile):
        hooks.find(tmp_path, hooks.POST)
