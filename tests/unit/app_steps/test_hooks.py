"""Hooks run in the app's directory, and failures are explained."""

import hashlib
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
from cnb_python.system.output import BuildLog, StepTimes
from tests.support.fake_environment import FakeEnvironment, fake_environment
from tests.support.trees import write_files

SCRIPT = "#!/bin/sh\necho\n"


def fine(command: Command) -> Outcome:
    del command
    return Outcome(0, "printed")


def with_scripts(
    directory: Path, text: str = SCRIPT, answer: Callable[[Command], Outcome] = fine
) -> FakeEnvironment:
    app = fake_environment(directory, {hooks.PRE: text, hooks.POST: text}, {}, answer)
    for name in (hooks.PRE, hooks.POST):
        (app.directory / name).chmod(0o755)
    return app


def before(app: FakeEnvironment, **environ: str) -> None:
    context = app.environment(**environ).request.context
    journal = BuildLog(app.app.log, StepTimes(lambda: 0, 0))
    hooks.run_pre_compile(context, app.directory, journal, app.system())


def after(app: FakeEnvironment, **environ: str) -> None:
    script = hooks.find(app.directory, hooks.POST)
    assert script
    hooks.run_post_compile(
        app.environment(**environ), script, {"NLTK_DATA": "/data"}, app.system()
    )


def test_pre_compile_gets_the_variables_of_the_build(tmp_path: Path) -> None:
    app = with_scripts(tmp_path)
    before(app, PATH="/usr/bin", A="1")
    [command] = app.programs.ran
    assert command.argv == (str(app.directory / "bin/pre_compile"),)
    assert (command.cwd, command.env) == (app.directory, {"PATH": "/usr/bin", "A": "1"})
    assert app.app.log.lines[:3] == ["bin/pre_compile", "Running `bin/pre_compile`", "printed"]


def test_post_compile_gets_python_and_packages(tmp_path: Path) -> None:
    app = with_scripts(tmp_path)
    after(app, PATH="/usr/bin", A="1")
    [command] = app.programs.ran
    assert command.env["PATH"].startswith(f"{app.app.layers}/venv/bin:")
    assert (command.env["A"], command.env["NLTK_DATA"]) == ("1", "/data")


def test_platform_variables_override_defaults(tmp_path: Path) -> None:
    app = with_scripts(tmp_path)
    after(app, NLTK_DATA="/own")
    assert app.programs.ran[0].env["NLTK_DATA"] == "/own"


def test_app_without_hooks_runs_nothing(tmp_path: Path) -> None:
    app = fake_environment(tmp_path, {"bin/other": ""}, {}, fine)
    before(app)
    assert hooks.find(app.directory, hooks.POST) is None
    assert (app.programs.ran, app.app.log.lines) == ([], [])


def test_directory_named_like_a_hook_is_ignored(tmp_path: Path) -> None:
    app = fake_environment(tmp_path, {"bin/post_compile/x": ""}, {}, fine)
    assert hooks.find(app.directory, hooks.POST) is None


@pytest.mark.parametrize(
    ("output", "installer"),
    [
        ("bin/post_compile: line 3: pip: command not found\n", "pip"),
        ("bin/post_compile: 3: pip3: not found\n", "pip"),
        ("bash: uv: command not found\n", "uv"),
        ("/layers/x/venv/bin/python: No module named pip\n", "pip"),
        ("ModuleNotFoundError: No module named 'pip'\n", "pip"),
    ],
)
def test_call_of_a_missing_installer_is_reported(
    tmp_path: Path, output: str, installer: str
) -> None:
    app = with_scripts(tmp_path, answer=lambda _: Outcome(0, f"Building\n{output}Done\n"))
    after(app)
    assert f"bin/post_compile calls {installer}, which is missing" in app.log_text
    app.programs.answer = lambda _: Outcome(1, output)
    with pytest.raises(HookFailed) as caught:
        after(app)
    assert caught.value.installer == installer


@pytest.mark.parametrize(
    "output", ["npm: command not found", "No module named pipeline", "pip ok"]
)
def test_other_missing_commands_are_not_reported(tmp_path: Path, output: str) -> None:
    app = with_scripts(tmp_path, answer=lambda _: Outcome(0, output))
    after(app)
    assert "which is missing" not in app.log_text


@pytest.mark.parametrize("code", [1, 127, -9])
def test_failed_hook_fails_the_build(tmp_path: Path, code: int) -> None:
    app = with_scripts(tmp_path, answer=lambda _: Outcome(code, ""))
    with pytest.raises(HookFailed) as caught:
        after(app)
    assert (caught.value.script, caught.value.code) == ("bin/post_compile", code)


def test_hook_without_execute_permission_is_made_executable(tmp_path: Path) -> None:
    app = with_scripts(tmp_path)
    script = app.directory / hooks.PRE
    script.chmod(0o644)
    before(app)
    assert script.stat().st_mode & stat.S_IXUSR
    assert "bin/pre_compile is not executable" in app.log_text


def test_warning_names_the_path_from_the_top(tmp_path: Path) -> None:
    app = with_scripts(tmp_path)
    write_files(app.directory, {"shop/bin/pre_compile": SCRIPT})
    journal = BuildLog(app.app.log, StepTimes(lambda: 0, 0))
    context = app.environment().request.context
    hooks.run_pre_compile(context, app.directory / "shop", journal, app.system())
    assert "git update-index --chmod=+x shop/bin/pre_compile" in app.log_text
    assert app.programs.ran[0].cwd == app.directory / "shop"


def test_hook_without_shebang_runs_in_a_shell(tmp_path: Path) -> None:
    app = with_scripts(tmp_path, "echo\n")
    before(app)
    assert app.programs.ran[0].argv[0] in {"/bin/bash", "/bin/sh"}


def test_hook_that_cannot_start_names_its_interpreter(tmp_path: Path) -> None:
    def refuse(command: Command) -> Outcome:
        raise ProgramNotStarted(command.argv[0], "No such file or directory")

    app = with_scripts(tmp_path, "#!/bin/bash\r\necho\r\n", refuse)
    with pytest.raises(HookNotStarted) as caught:
        before(app)
    assert (caught.value.program, caught.value.script) == ("/bin/bash\r", "bin/pre_compile")


def test_credentials_in_urls_are_redacted(tmp_path: Path) -> None:
    output = "connecting to postgres://user:hunter2@db/shop"
    app = with_scripts(tmp_path, answer=lambda _: Outcome(0, output))
    after(app)
    assert "hunter2" not in app.log_text


@pytest.mark.parametrize("make", [lambda path: path.symlink_to("gone"), os.mkfifo])
def test_broken_link_or_special_file_is_refused(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    (tmp_path / "bin").mkdir()
    make(tmp_path / hooks.POST)

    with pytest.raises(NotAFile):
        hooks.find(tmp_path, hooks.POST)


def test_digests_of_the_hooks_that_the_app_has(tmp_path: Path) -> None:
    write_files(tmp_path, {hooks.POST: "echo"})

    assert list(hooks.digests(tmp_path)) == [
        f"{hashlib.sha256(b'echo').hexdigest()} bin/post_compile"
    ]
