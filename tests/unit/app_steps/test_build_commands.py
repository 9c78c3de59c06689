"""Commands of the app: what they make is kept, restored, and nothing else stays."""

import os
from collections.abc import Callable
from copy import replace
from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.app_steps import file_listing
from cnb_python.app_steps.commands import outcome, run_commands
from cnb_python.cnb import disk
from cnb_python.config.build_commands import BuildCommand
from cnb_python.errors.build_commands import (
    BuildCommandFailed,
    OutputOutsideApp,
    OutputsMissing,
    UndeclaredChanges,
)
from cnb_python.errors.machine import Killed
from cnb_python.system.interface import Command, Outcome
from tests.support.fake_environment import FakeEnvironment, fake_environment
from tests.support.trees import Files, write_files

APP: Files = {"locale/de/a.po": "eins", "app.py": "", "odd/README": ""}
GONE = "not in the app"
RUN = "python manage.py compilemessages"
MESSAGES = BuildCommand("messages", RUN, ("locale/**/*.po",), ("locale/**/*.mo",))
type Script = Callable[[Path], None]


def compile_messages(directory: Path) -> None:
    for source in directory.rglob("*.po"):
        source.with_suffix(".mo").write_text(f"compiled {source.read_text()}")


class Shell:
    """Runs functions in place of commands, by the text of the command."""

    def __init__(self) -> None:
        self.scripts: dict[str, Script] = {RUN: compile_messages}
        self.outcome = Outcome(0, "")

    def __call__(self, command: Command) -> Outcome:
        assert command.argv[1:3] == ("-e", "-c")
        self.scripts[command.argv[3]](command.cwd)
        return self.outcome


# What Django 5.2 prints.
NO_MSGFMT = (
    "CommandError: Can't find msgfmt. "
    "Make sure you have GNU gettext tools 0.19 or newer installed."
)


@pytest.fixture
def shell() -> Shell:
    return Shell()


@pytest.fixture
def app(tmp_path: Path, shell: Shell) -> FakeEnvironment:
    made = fake_environment(tmp_path, APP, {}, shell)
    return asking(made, MESSAGES)


def asking(app: FakeEnvironment, *commands: BuildCommand) -> FakeEnvironment:
    app.app.settings = replace(app.app.settings, commands=commands)
    return app


def build(app: FakeEnvironment, **environ: str) -> list[str]:
    """Run the commands; return which of them ran."""
    app.programs.ran.clear()
    environment = app.environment(**environ)
    runs = run_commands.find(environment)
    assert runs is not None
    trees = run_commands.run_all(runs, environment, {}, app.system())
    app.store.close([], trees, ())
    return [command.shown for command in app.programs.ran]


def renew(app: FakeEnvironment, files: Files | None = None) -> FakeEnvironment:
    """Return the app as the next build gets it, with *files* in place of others."""
    for path in app.directory.iterdir():
        disk.remove(path)
    contents = {**APP, **(files or {})}
    write_files(app.directory, {path: text for path, text in contents.items() if text != GONE})
    return app


def listed(app: FakeEnvironment) -> file_listing.Listing:
    return file_listing.listing(app.directory)


def test_outputs_come_from_the_store_if_inputs_are_unchanged(app: FakeEnvironment) -> None:
    assert build(app) == [RUN]
    first = listed(app)
    assert (app.directory / "locale/de/a.mo").read_text() == "compiled eins"
    assert build(renew(app)) == []
    assert listed(app) == first
    assert "messages: 1 file from the cache (inputs are unchanged)" in app.log_text
    # Its salt is in the store, and it is kept.
    assert build(renew(app)) == []


@pytest.mark.parametrize(
    "files",
    [
        {"locale/de/a.po": "zwei"},
        {"locale/fr/a.po": ""},
        {"locale/de/a.mo": "committed"},
        {"locale/de/a.po": GONE, "locale/de/b.po": "eins"},
    ],
)
def test_other_inputs_and_earlier_outputs_run_the_command(
    app: FakeEnvironment, files: Files
) -> None:
    build(app)
    assert build(renew(app, files)) == [RUN]
    cached = listed(app)
    app.store.close([], (), ())
    assert build(renew(app, files)) == [RUN]
    assert listed(app) == cached


def test_files_that_are_no_inputs_do_not_run_the_command(app: FakeEnvironment) -> None:
    build(app)
    assert build(renew(app, {"app.py": "print()", "new.txt": "", "x.po": ""})) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda app: asking(app, MESSAGES._replace(run=f"{RUN} ")),
        lambda app: asking(app, MESSAGES._replace(outputs=("locale/**/*.mo", "locale"))),
        lambda app: setattr(app.app, "release", replace(app.app.release, version="3.14.7")),
    ],
    ids=["command", "outputs", "python"],
)
def test_other_command_or_python_runs_it(
    app: FakeEnvironment, shell: Shell, change: Callable[[FakeEnvironment], object]
) -> None:
    build(app)
    shell.scripts[f"{RUN} "] = compile_messages
    change(renew(app))
    assert len(build(app)) == 1


def test_other_variable_runs_it_and_is_not_in_the_key(app: FakeEnvironment) -> None:
    build(app, TOKEN="s3cret-value")
    assert not any("s3cret-value" in key for key in app.store.trees)
    assert build(renew(app), TOKEN="s3cret-value", HOSTNAME="x") == []
    assert build(renew(app), TOKEN="other") == [RUN]


def test_other_package_runs_it(app: FakeEnvironment) -> None:
    build(app)
    environment = renew(app).environment()._replace(layers={"venv": "12", "deps-00": "cd"})
    runs = run_commands.find(environment)
    assert runs is not None
    assert runs.pending == [MESSAGES]


def test_command_without_inputs_runs_in_every_build(app: FakeEnvironment) -> None:
    asking(app, MESSAGES._replace(inputs=None))
    assert build(app) == [RUN]
    assert build(renew(app)) == [RUN]
    assert app.store.trees == frozenset()
    assert "messages runs in every build, since it names no `inputs`" in app.log_text


def test_command_with_no_file_as_input_is_reused(app: FakeEnvironment) -> None:
    asking(app, MESSAGES._replace(inputs=()))
    build(app)
    assert build(renew(app, {"locale/de/a.po": "zwei"})) == []


def test_commands_run_in_their_order_and_see_outputs_of_others(
    app: FakeEnvironment, shell: Shell
) -> None:
    def count(directory: Path) -> None:
        text = "\n".join(path.read_text() for path in sorted(directory.rglob("*.mo")))
        (directory / "all.txt").write_text(text)

    shell.scripts["count"] = count
    both = asking(app, MESSAGES, BuildCommand("count", "count", ("**/*.mo",), ("all.txt",)))
    assert build(both) == [RUN, "count"]
    assert build(renew(both)) == []
    assert (app.directory / "all.txt").read_text() == "compiled eins"
    assert build(renew(both, {"locale/de/a.po": "zwei"})) == [RUN, "count"]
    assert (app.directory / "all.txt").read_text() == "compiled zwei"
    # The first has to run, and what it makes is what the second had before.
    shell.scripts[f"{RUN} -v"] = compile_messages
    asking(app, MESSAGES._replace(run=f"{RUN} -v"), both.app.settings.commands[1])
    assert build(renew(app, {"locale/de/a.po": "zwei"})) == [f"{RUN} -v"]


def test_files_outside_the_outputs_are_removed_and_named_once(
    app: FakeEnvironment, shell: Shell
) -> None:
    def untidy(directory: Path) -> None:
        compile_messages(directory)
        write_files(directory, {"cache/x/y": "", "debug.log": ""})
        os.mkfifo(directory / "pipe")
        (directory / "loop").symlink_to("loop")

    shell.scripts[RUN] = untidy
    build(asking(app, MESSAGES, MESSAGES._replace(name="again")))
    assert {path.name for path in app.directory.iterdir()} == {"locale", "app.py", "odd"}
    assert app.log_text.count("Files that commands left outside their outputs") == 1
    first = listed(app)
    build(renew(app))
    assert listed(app) == first


def test_outputs_that_are_replaced_or_removed_are_the_same_from_the_store(
    app: FakeEnvironment, shell: Shell
) -> None:
    files: Files = {"dist/old.js": "", "dist/sub/gone.js": "", "dist/kept.js": "1"}

    def bundle(directory: Path) -> None:
        disk.remove(directory / "dist/sub")
        (directory / "dist/old.js").unlink()
        (directory / "dist/empty").mkdir()
        write_files(directory, {"dist/kept.js": "2", "dist/app.js": ""})
        (directory / "dist/link.js").symlink_to("app.js")
        (directory / "dist/app.js").chmod(0o700)

    shell.scripts["bundle"] = bundle
    asking(app, BuildCommand("bundle", "bundle", ("app.py",), ("dist",)))
    assert build(renew(app, files)) == ["bundle"]
    first = {path: (app.directory / path).lstat().st_mode for path in listed(app)}
    assert build(renew(app, files)) == []
    assert {path: (app.directory / path).lstat().st_mode for path in listed(app)} == first
    assert (app.directory / "dist/link.js").readlink() == Path("app.js")


@pytest.mark.parametrize("path", ["app.py", "locale/de/a.po", "odd/README"])
@pytest.mark.parametrize("is_removed", [True, False])
def test_changes_of_other_files_stop_the_build(
    app: FakeEnvironment, shell: Shell, path: str, *, is_removed: bool
) -> None:
    def touch(directory: Path) -> None:
        compile_messages(directory)
        (directory / path).unlink() if is_removed else (directory / path).write_text("x")

    asking(app, BuildCommand("assets", f"touch {path}", (), ("locale/**/*.mo",)))
    shell.scripts[f"touch {path}"] = touch
    with pytest.raises(UndeclaredChanges) as failure:
        build(app)
    assert failure.value.paths == (path,)


def test_input_that_is_an_output_too_may_be_changed(app: FakeEnvironment, shell: Shell) -> None:
    def stamp(directory: Path) -> None:
        (directory / "app.py").write_text((directory / "app.py").read_text() + "#")

    shell.scripts["stamp"] = stamp
    asking(app, BuildCommand("stamp", "stamp", ("app.py",), ("app.py",)))
    assert build(app) == ["stamp"]
    assert build(renew(app)) == []
    assert (app.directory / "app.py").read_text() == "#"


def test_outputs_that_do_not_appear_stop_the_build(app: FakeEnvironment, shell: Shell) -> None:
    shell.scripts["true"] = lambda _: None
    asking(app, BuildCommand("messages", "true", ("locale/**/*.po",), ("locale/**/*.mo",)))
    with pytest.raises(OutputsMissing) as failure:
        build(app)
    assert failure.value.patterns == ("locale/**/*.mo",)


@pytest.mark.parametrize("target", ["/tmp/app.css", "../../outside.css"])
def test_link_out_of_the_app_is_no_output(app: FakeEnvironment, shell: Shell, target: str) -> None:
    def link(directory: Path) -> None:
        (directory / "static").mkdir()
        (directory / "static/app.css").symlink_to(target)

    shell.scripts["link"] = link
    asking(app, BuildCommand("assets", "link", (), ("static",)))
    with pytest.raises(OutputOutsideApp) as failure:
        build(app)
    assert failure.value.target == target


def test_directory_that_became_a_link_runs_the_command(app: FakeEnvironment) -> None:
    build(app)
    renew(app, {"elsewhere/a.po": "eins", "locale/de/a.po": GONE})
    (app.directory / "locale").mkdir()
    (app.directory / "locale/de").symlink_to("../elsewhere")
    environment = app.environment()
    runs = run_commands.find(environment)
    assert runs is not None
    assert runs.pending == [MESSAGES]


@pytest.mark.parametrize(
    ("ended", "missing", "package"),
    [
        (Outcome(1, NO_MSGFMT), "msgfmt", "gettext"),
        (Outcome(127, "sh: 1: msgfmt: not found"), "msgfmt", "gettext"),
        (Outcome(1, "CommandError: Can't find any locale"), "", ""),
        (Outcome(127, "bash: line 1: npx: command not found"), "npx", ""),
        (Outcome(127, "sh: 1: npx: not found"), "npx", ""),
    ],
)
def test_failed_command_is_named(
    app: FakeEnvironment, shell: Shell, ended: Outcome, missing: str, package: str
) -> None:
    shell.outcome = ended
    with pytest.raises(BuildCommandFailed) as failure:
        build(app)
    error = failure.value
    assert (error.name, error.missing, error.package) == ("messages", missing, package)
    assert ('system-packages = ["gettext"]' in str(error.describe().fixes)) == bool(package)


def test_command_that_a_signal_ended_was_killed(app: FakeEnvironment, shell: Shell) -> None:
    shell.outcome = Outcome(-9, "")
    with pytest.raises(Killed):
        build(app)


@pytest.mark.parametrize("is_link", [True, False])
def test_directory_that_a_file_or_link_replaces_is_the_same_from_the_store(
    app: FakeEnvironment, shell: Shell, *, is_link: bool
) -> None:
    def flatten(directory: Path) -> None:
        disk.remove(directory / "odd")
        (directory / "odd").symlink_to("locale") if is_link else (directory / "odd").touch()

    shell.scripts["flatten"] = flatten
    asking(app, BuildCommand("odd", "flatten", (), ("odd",)))
    assert build(app) == ["flatten"]
    first = listed(app)
    assert build(renew(app)) == []
    assert listed(app) == first


def test_pipe_among_the_outputs_is_removed(app: FakeEnvironment, shell: Shell) -> None:
    def make(directory: Path) -> None:
        write_files(directory, {"dist/a": ""})
        os.mkfifo(directory / "dist/pipe")

    shell.scripts["make"] = make
    asking(app, BuildCommand("dist", "make", (), ("dist",)))
    build(app)
    assert [path.name for path in (app.directory / "dist").iterdir()] == ["a"]


def test_link_with_an_absolute_target_is_not_stored(app: FakeEnvironment, shell: Shell) -> None:
    shell.scripts["link"] = lambda directory: (directory / "l").symlink_to(directory / "app.py")
    asking(app, BuildCommand("links", "link", (), ("l",)))
    assert build(app) == ["link"]
    assert "Not kept in the cache (a link has an absolute target)" in app.log_text


def test_outputs_that_are_too_large_are_not_stored(app: FakeEnvironment, shell: Shell) -> None:
    def download(directory: Path) -> None:
        with (directory / "model").open("wb") as file:
            file.truncate(outcome.LARGEST + 1)  # a hole

    shell.scripts["download"] = download
    asking(app, BuildCommand("model", "download", (), ("model",)))
    assert build(app) == ["download"]
    assert "Not kept in the cache (268 MB): it runs in every build" in app.log_text
    assert app.store.trees == frozenset()


def test_damaged_store_runs_the_command(app: FakeEnvironment) -> None:
    build(app)
    for path in app.store.directory.iterdir():
        path.write_bytes(b"damaged")
    assert build(renew(app)) == [RUN]


def test_patterns_count_from_the_directory_of_the_project(app: FakeEnvironment) -> None:
    write_files(app.directory, {"api/locale/de/a.po": "eins", "api/requirements.txt": ""})
    environment = app.environment()
    request = replace(environment.request, app=read_app(app.directory, "api"))
    runs = run_commands.find(environment._replace(request=request))
    assert runs is not None
    run_commands.run_all(runs, runs.environment, {}, app.system())
    assert app.programs.ran[0].cwd == app.directory / "api"
    assert [path for path in listed(app) if path.endswith(".mo")] == ["api/locale/de/a.mo"]
