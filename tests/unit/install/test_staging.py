"""Managers run with an empty environment, and leave the roots of distributions."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.errors.base import ContractBroken
from cnb_python.errors.packages.foreign_code import BuildsInterfere
from cnb_python.install.request import EnvironmentRequest
from cnb_python.install.snapshot import AppSnapshot
from cnb_python.install.staging import StagingArea
from cnb_python.managers.base import InstallContext, Pin, Resolution
from cnb_python.system.interface import Command, Outcome, Run
from tests.support.fake_manager import FakeManager, copied_pip, package, pin, resolution_of
from tests.support.fake_system import Log, Programs, world
from tests.support.stages import INTERPRETER, SITE
from tests.support.wheels import wheel

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


@dataclass
class Recorder(FakeManager):
    """Remembers the contexts that it was called with."""

    contexts: list[InstallContext] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.before_install = self.contexts.append


A, B = pin("a==1.0"), pin("b==1.0")
AB = resolution_of("a==1.0", "b==1.0")


@pytest.fixture
def manager() -> Recorder:
    return Recorder({"a==1.0": package("a"), "b==1.0": package("b")}, resolved=AB)


@pytest.fixture
def area(request_: EnvironmentRequest, manager: Recorder) -> StagingArea:
    return staging_area(replace(request_, manager=manager))[0]


def test_manager_gets_empty_environment_at_final_path(
    area: StagingArea, manager: Recorder
) -> None:
    def look(context: InstallContext) -> None:
        assert (context.environment / "bin/python").readlink() == INTERPRETER
        assert list((context.environment / SITE).iterdir()) == []
        assert list(context.scratch.iterdir()) == []
        (context.environment / "share").mkdir()
        (context.scratch / "left").touch()
        manager.contexts.append(context)

    manager.before_install = look
    area.fetch(AB, [A])
    area.build(AB, B)

    first, second = manager.contexts
    assert first.environment == second.environment == area.request.environment
    assert (first.builds, second.builds) == (False, True)
    assert not first.environment.exists()
    assert not {first.scratch, second.scratch} & set(area.request.staging.iterdir())


def test_pwd_of_a_manager_is_the_directory_of_the_app(
    area: StagingArea, manager: Recorder
) -> None:
    area.fetch(AB, [A])

    (context,) = manager.contexts
    assert context.environ["PWD"] == str(context.app_dir)


def test_wheels_become_roots(area: StagingArea) -> None:
    fetched, unbuilt = area.fetch(AB, [A, B])

    assert unbuilt == frozenset()
    assert [(each.pin, each.may_be_built) for each in fetched] == [(A, False), (B, False)]
    for each in fetched:
        assert (each.root.final, each.root.line) == (area.request.environment, "3.14")
        names = sorted(path.name for path in each.root.site_packages.iterdir())
        assert names == [f"{each.pin.name}-1.0.dist-info", f"{each.pin.name}.py"]


def test_wheels_that_pip_fetched_become_roots(
    area: StagingArea, manager: Recorder, tmp_path: Path
) -> None:
    wheel(tmp_path, "a", "1.0", {"a.py": "# of pip"})

    def download(context: InstallContext) -> None:
        context.wheels.mkdir()
        (tmp_path / "a-1.0-py3-none-any.whl").rename(context.wheels / "a-1.0-py3-none-any.whl")

    manager.before_install = download
    manager.index = {}

    (fetched,), _ = area.fetch(AB, [A])

    assert (fetched.root.site_packages / "a.py").read_text() == "# of pip"


def test_wheel_that_is_not_pinned_is_ignored(area: StagingArea, manager: Recorder) -> None:
    def more(context: InstallContext) -> None:
        manager.before_install = lambda _: None
        manager.install(AB, [B], context, area.run)

    manager.before_install = more

    fetched, _ = area.fetch(AB, [A])

    assert [each.pin for each in fetched] == [A]


def test_second_wheel_of_one_name_breaks_contract(area: StagingArea, manager: Recorder) -> None:
    def another(context: InstallContext) -> None:
        info = context.uv_cache / "archive-v0/another/a-2.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Name: a\nVersion: 2.0\n")

    manager.before_install = another

    with pytest.raises(ContractBroken, match="fetched twice: a"):
        area.fetch(AB, [A])


def test_missing_wheel_breaks_contract(area: StagingArea, manager: Recorder) -> None:
    del manager.index["b==1.0"]

    with pytest.raises(ContractBroken, match="pinned and not installed: b"):
        area.fetch(AB, [A, B])


def test_names_without_wheel_are_returned(area: StagingArea, manager: Recorder) -> None:
    manager.without_wheel = frozenset("b")

    assert area.fetch(AB, [A, B]) == ((), frozenset("b"))


def test_app_that_its_manager_leaves_out_is_tried_once_with_a_warning(
    request_: EnvironmentRequest, manager: Recorder
) -> None:
    manager.left_out = "b"
    area, _, log = staging_area(replace(request_, manager=manager))
    pins = [A._replace(by_itself=True), B._replace(by_itself=True)]

    resolution = AB._replace(pins=tuple(pins))
    installed = area.install(resolution, pins)
    again = area.build_all(resolution, pins, installed)

    assert [each.pin.name for each in installed] == [each.pin.name for each in again] == ["a"]
    assert log.lines.count("b is left out") == 1


def test_environment_with_built_distribution_becomes_root(area: StagingArea) -> None:
    built = area.build(AB, A)

    assert built
    assert (built.pin, built.may_be_built) == (A, True)
    assert (built.root.site_packages / "a.py").read_text() == "# a"
    assert not area.request.environment.exists()


def test_nothing_is_left_of_failed_installation(area: StagingArea, manager: Recorder) -> None:
    def fail(context: InstallContext) -> None:
        manager.contexts.append(context)
        raise InterruptedError

    manager.before_install = fail
    for run in (lambda: area.fetch(AB, [A]), lambda: area.build(AB, A)):
        with pytest.raises(InterruptedError):
            run()

    for context in manager.contexts:
        assert not context.environment.exists()
        assert not context.scratch.exists()


def test_nothing_is_being_removed_after_close(area: StagingArea) -> None:
    for _ in range(3):
        area.fetch(AB, [A])

    area.close()

    assert [path for path in area.request.staging.iterdir() if "discarded" in path.name] == []


def test_link_in_place_of_environment_is_removed(
    area: StagingArea, manager: Recorder, tmp_path: Path
) -> None:
    (tmp_path / "kept").mkdir()

    def replace_environment(context: InstallContext) -> None:
        shutil.rmtree(context.environment)
        context.environment.symlink_to(tmp_path / "kept")
        raise InterruptedError

    manager.before_install = replace_environment

    with pytest.raises(InterruptedError):
        area.build(AB, A)
    area.close()

    assert not area.request.environment.is_symlink()
    assert (tmp_path / "kept").is_dir()


def test_directories_of_manager_are_outside_environment(
    area: StagingArea, manager: Recorder
) -> None:
    area.build(AB, A)

    (context,) = manager.contexts
    assert context.cache is not None
    for path in (context.tool, context.scratch, context.cache, context.uv_cache, context.wheels):
        assert path.is_relative_to(area.request.staging)
    assert (context.uv, context.python) == (area.request.uv, "3.14.6")
    assert context.app_dir == area.request.app.directory


def test_pip_is_copied_only_if_needed(area: StagingArea, manager: Recorder) -> None:
    area.fetch(AB, [A])
    assert not manager.contexts[0].tool.exists()
    area.fetch(AB._replace(from_files_alone=False), [A])
    assert manager.contexts[1].tool.is_dir()


def test_notes_stay_for_installing(area: StagingArea, manager: Recorder) -> None:
    area.build(AB, A)
    manager.contexts[0].notes["index"] = "https://example.org"
    area.fetch(AB, [B])

    assert manager.contexts[1].notes == {"index": "https://example.org"}


def test_variables_are_those_of_manager_processes(area: StagingArea, manager: Recorder) -> None:
    area.build(AB, A)

    (context,) = manager.contexts
    assert context.environ["PIP_INDEX_URL"] == ENVIRON["PIP_INDEX_URL"]
    assert context.environ["VIRTUAL_ENV"] == str(area.request.environment)
    assert context.environ["TMPDIR"] == str(context.scratch)
    assert "PYTHONPATH" not in context.environ


BUILT = Resolution(
    (pin("a==1.0", by_itself=True), pin("b==1.0", by_itself=True)), from_files_alone=True, by="uv"
)


def checked(area: StagingArea) -> tuple[StagingArea, list[tuple[str, ...]]]:
    """Return *area*, and the packages of each check after foreign code."""
    checks: list[tuple[str, ...]] = []
    request = replace(area.request, after_foreign_code=lambda names: checks.append(tuple(names)))
    return replace(area, request=request), checks


def test_everything_is_checked_between_builds_and_wheels(
    area: StagingArea, manager: Recorder
) -> None:
    area, checks = checked(area)
    first, second = BUILT.pins[0], B
    resolution = Resolution((first, second), from_files_alone=True, by="uv")

    def look(context: InstallContext) -> None:
        checks.append(("builds" if context.builds else "fetches",))

    manager.before_install = look

    installed = area.install(resolution, resolution.pins)

    assert [each.pin for each in installed] == [first, second]
    assert checks == [("builds",), ("a",), ("fetches",)]


def test_everything_is_checked_between_two_builds(area: StagingArea, manager: Recorder) -> None:
    area, checks = checked(area)
    manager.before_install = lambda _context: checks.append(("builds",))

    area.install(BUILT, BUILT.pins)

    assert checks == [("builds",), ("a",), ("builds",), ("b",)]


def test_wheels_alone_need_no_check(area: StagingArea) -> None:
    area, checks = checked(area)

    area.install(AB, AB.pins)

    assert checks == []


def test_each_build_has_its_own_cache_and_tools_are_made_again(
    area: StagingArea, manager: Recorder
) -> None:
    def use(context: InstallContext) -> None:
        assert context.cache is not None
        assert not context.cache.exists()
        context.cache.mkdir(parents=True)
        (context.cache / "poisoned").touch()
        (context.tool / "poisoned.py").touch()
        manager.contexts.append(context)

    manager.before_install = use
    area.install(BUILT, BUILT.pins)

    assert len({context.cache for context in manager.contexts}) == len(manager.contexts) == 2
    assert not manager.contexts[0].tool.exists()


@pytest.mark.parametrize("how", ["content", "mode", "new file", "link"])
def test_distribution_that_another_build_changed_is_installed_again(
    area: StagingArea, manager: Recorder, how: str
) -> None:
    def poison(context: InstallContext) -> None:
        manager.contexts.append(context)
        for root in area.request.staging.glob("root-*-a"):
            file = root / SITE / "a.py"
            if len(manager.contexts) == 2:
                if how == "content":
                    # Also its size and its time stay.
                    status = file.stat()
                    file.write_text("# b")
                    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
                elif how == "mode":
                    file.chmod(0o755)
                elif how == "new file":
                    (file.parent / "sitecustomize.py").touch()
                else:
                    file.unlink()
                    file.symlink_to("/etc/passwd")

    manager.before_install = poison

    installed = area.install(BUILT, BUILT.pins)

    assert manager.calls == ["build a", "build b", "build a"]
    names = sorted(path.name for path in installed[0].root.site_packages.iterdir())
    assert names == ["a-1.0.dist-info", "a.py"]
    assert (installed[0].root.site_packages / "a.py").read_text() == "# a"


def test_distribution_that_changed_before_later_builds_is_installed_again(
    area: StagingArea, manager: Recorder
) -> None:
    resolution = Resolution((BUILT.pins[0], B), from_files_alone=True, by="uv")
    manager.without_wheel = frozenset("b")

    def poison(context: InstallContext) -> None:
        if not context.builds:
            for file in area.request.staging.glob(f"root-*-a/{SITE}/a.py"):
                file.write_text("# evil")

    manager.before_install = poison

    installed = area.install(resolution, resolution.pins)

    assert manager.calls == ["build a", "fetch b", "build b", "build a"]
    assert (installed[0].root.site_packages / "a.py").read_text() == "# a"


def test_builds_that_always_change_others_stop_the_build(
    area: StagingArea, manager: Recorder
) -> None:
    names = ("aardvark", "evil")
    manager.index = {f"{name}==1.0": package(name) for name in names}
    pins = tuple(pin(f"{name}==1.0", by_itself=True) for name in names)

    def poison(context: InstallContext) -> None:
        del context
        for file in area.request.staging.glob(f"root-*/{SITE}/*.py"):
            file.write_text(file.read_text() + "#")

    manager.before_install = poison

    with pytest.raises(BuildsInterfere) as raised:
        area.install(Resolution(pins, from_files_alone=True, by="uv"), pins)

    assert raised.value.packages
    assert set(raised.value.packages) < set(names)


def test_log_names_the_package_that_wrote_into_the_layers_directory(
    request_: EnvironmentRequest, tmp_path: Path
) -> None:
    @dataclass
    class Running(FakeManager):
        def install(
            self, resolution: Resolution, pins: Sequence[Pin], context: InstallContext, run: Run
        ) -> frozenset[str]:
            run(Command(("uv", "pip", "install"), {}, Path("/"), shown="uv pip install"))
            return super().install(resolution, pins, context, run)

    manager = Running({"a==1.0": package("a")})
    area, programs, log = staging_area(replace(request_, manager=manager))

    def answer(_: Command) -> Outcome:
        (tmp_path / "evil.toml").touch()
        return Outcome(0, "", ended=1)

    programs.answer = answer

    area.build(AB, A)

    assert log.lines[1].startswith(
        "The directory of the image's layers was changed by the build of a\n"
    )
    assert log.lines[2] == "Ended 1 background process that the build of a left running"


@pytest.mark.parametrize("line", ["a==1.0", "./libs/a"])
def test_what_resolving_leaves_in_the_app_stays_only_if_a_package_is_part_of_it(
    request_: EnvironmentRequest, line: str
) -> None:
    local = line.startswith("./")

    @dataclass
    class Resolving(FakeManager):
        def resolve(self, context: InstallContext, run: Run) -> Resolution:
            run(Command(("pip",), {}, context.scratch))
            return Resolution((A._replace(line=line),), from_files_alone=False, by="pip")

    area, programs, log = staging_area(replace(request_, manager=Resolving({})))
    new = request_.app.top / "new.py"

    def answer(_: Command) -> Outcome:
        new.touch()
        return Outcome(0, "  Getting requirements to build wheel: started\n")

    programs.answer = answer

    area.resolve()

    assert new.exists() is local
    assert area.snapshot.written == ({"new.py"} if local else set())
    warning = "The build of a package wrote into the app's directory\nRemoved: new.py."
    assert any(line.startswith(warning) for line in log.lines) is not local


@pytest.mark.parametrize(
    ("output", "ran_code"),
    [
        ("Collecting a\n  Downloading a-1.0-py3-none-any.whl\n", False),
        ("Collecting a\n  Installing build dependencies: started\n", True),
        ("   Building a==1.0\n", True),
    ],
)
def test_resolving_that_ran_code_is_followed_by_check(
    request_: EnvironmentRequest, output: str, *, ran_code: bool
) -> None:
    class Resolving(FakeManager):
        def resolve(self, context: InstallContext, run: Run) -> Resolution:
            run(Command(("pip", "install", "--dry-run"), {}, context.scratch))
            return AB

    area, _, _ = staging_area(replace(request_, manager=Resolving({})), output)
    area, checks = checked(area)

    assert area.resolve() == AB
    assert checks == ([()] if ran_code else [])


def test_silent_resolving_is_followed_by_check(request_: EnvironmentRequest) -> None:
    class Resolving(FakeManager):
        def resolve(self, context: InstallContext, run: Run) -> Resolution:
            run(Command(("uv", "pip", "compile", "--quiet"), {}, context.scratch))
            return AB

    area, checks = checked(staging_area(replace(request_, manager=Resolving({})))[0])

    area.resolve()

    assert checks == [()]


def test_changed_configuration_is_restored_with_warning(
    request_: EnvironmentRequest, manager: Recorder, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".netrc").write_text("machine ours")
    environ = {**ENVIRON, "HOME": str(home)}
    request = replace(request_, manager=manager, environ=environ)
    area, _, log = staging_area(request)

    def poison(context: InstallContext) -> None:
        if context.builds:
            (home / ".netrc").write_text("machine theirs")
            (home / ".config/pip").mkdir(parents=True, exist_ok=True)
            (home / ".config/pip/pip.conf").write_text("[global]\nindex-url = https://evil\n")

    manager.before_install = poison

    area.build_all(BUILT, BUILT.pins[:1])

    assert (home / ".netrc").read_text() == "machine ours"
    assert not (home / ".config/pip/pip.conf").exists()
    assert any("The build of a changed files that other tools use" in each for each in log.lines)


@pytest.mark.parametrize(
    ("line", "is_of_app"),
    [
        ("a==1.0", False),
        ("a @ git+https://example.org/a@main", False),
        ("a @ https://example.org/a.tar.gz", False),
        ("a @ file:///workspace/a", True),
        ("-e ./a", True),
        ("./a", True),
        ('# lock\n[[packages]]\nname = "a"\n\n[packages.directory]\npath = "a"\n', True),
    ],
)
def test_files_in_app_are_removed_if_package_is_not_part_of_it(
    area: StagingArea, manager: Recorder, line: str, *, is_of_app: bool
) -> None:
    left = area.request.app.directory / "left.py"
    manager.before_install = lambda _: left.touch()
    built = BUILT.pins[0]._replace(line=line)

    area.build_all(BUILT._replace(pins=(built,)), [built])

    assert left.exists() == is_of_app
    assert area.snapshot.written == ({"left.py"} if is_of_app else set())


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
    assert "layers was changed by uv pip install evil" in log.lines[-1]
    assert "evil.toml" in log.lines[-1]


def test_hidden_command_prints_nothing(request_: EnvironmentRequest) -> None:
    area, _, log = staging_area(request_, "Hello")

    area.run(Command(("pip",), {}, Path("/")))

    assert log.lines == []


def test_free_threaded_environment_has_own_directory(
    request_: EnvironmentRequest, manager: Recorder
) -> None:
    interpreter = Path("/layers/python/bin/python3.14t")
    area, _, _ = staging_area(replace(request_, manager=manager, interpreter=interpreter))

    (fetched,), _ = area.fetch(AB, [A])

    assert fetched.root.site_packages == fetched.root.path / "lib/python3.14t/site-packages"
    assert fetched.root.site_packages.is_dir()
