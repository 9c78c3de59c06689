"""Apps with a uv.lock: the fingerprint, the commands, the failures."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.config.settings import Settings
from cnb_python.errors.base import BuildpackError
from cnb_python.errors.inputs import NotAFile
from cnb_python.errors.locks import (
    LockWithoutProject,
    ProjectForOtherPython,
    StaleLock,
    UnknownGroup,
)
from cnb_python.errors.packages.install import UvRefused
from cnb_python.managers.base import InstallContext, NeedsResolving
from cnb_python.managers.uv.manager import UvProject
from cnb_python.system.interface import Command, Outcome
from tests.support.installing import resolve_and_install
from tests.support.trees import write_files

PYPROJECT = "[project]\nname = 'shop'\n[project.optional-dependencies]\nweb = []\n"
LOCK = """
[[package]]
name = "shop"
source = { editable = "." }

[[package]]
name = "core"
source = { directory = "libs/core" }

[[package]]
name = "tools"
source = { virtual = "tools" }
"""
EXPORTED = """
lock-version = "1.0"
created-by = "uv"
[[packages]]
name = "shop"
directory = { path = "%s", editable = true }
"""
STALE = """\
error: The lockfile at `uv.lock` needs to be updated, but `--locked` was provided.

hint: To update the lockfile, run `uv lock`.
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    files = {
        "pyproject.toml": PYPROJECT + "[build-system]\nbuild-backend = 'hatchling.build'\n",
        "uv.lock": LOCK,
        "libs/core/core.py": "1",
        "tools/pyproject.toml": "1",
        "tools/tool.py": "1",
        "shop/__init__.py": "1",
    }
    return write_files(tmp_path / "app", files)


def inputs(app: Path, manager: UvProject | None = None, python: str = "3.14.6", **env: str) -> str:
    result = (manager or UvProject()).resolve_from_files(read_app(app), python, env)
    assert isinstance(result, NeedsResolving)
    return result.fingerprint


@pytest.mark.parametrize(
    "name", ["uv.lock", "pyproject.toml", "uv.toml", "libs/core/core.py", "tools/pyproject.toml"]
)
def test_inputs_of_the_lock_change_the_fingerprint(app: Path, name: str) -> None:
    before = inputs(app)

    write_files(app, {name: "# another"})

    assert inputs(app) != before


def test_code_that_is_not_installed_does_not_change_the_fingerprint(app: Path) -> None:
    before = inputs(app)

    write_files(app, {"tools/tool.py": "2", "views.txt": "2"})

    assert inputs(app) == before


def test_python_groups_extras_and_variables_change_the_fingerprint(app: Path) -> None:
    result = [
        inputs(app),
        inputs(app, python="3.14.7"),
        inputs(app, UvProject(Settings(groups=("a",)))),
        inputs(app, UvProject(Settings(extras=("a",)))),
        inputs(app, UV_RESOLUTION="lowest"),
    ]

    assert len(set(result)) == len(result)


def test_password_does_not_change_the_fingerprint(app: Path) -> None:
    url = "https://{}index.example/simple"

    assert inputs(app, UV_DEFAULT_INDEX=url.format("me:secret@")) == inputs(
        app, UV_DEFAULT_INDEX=url.format("me:other@"), UV_INDEX_X_PASSWORD="other"
    )


def test_lock_above_a_member_changes_its_fingerprint(app: Path) -> None:
    write_files(app, {"libs/core/pyproject.toml": PYPROJECT})
    member = read_app(app, "libs/core")
    before = UvProject().resolve_from_files(member, "3.14.6", {})

    (app / "uv.lock").write_text("another", "utf-8")

    member = read_app(app, "libs/core")
    assert UvProject().resolve_from_files(member, "3.14.6", {}) != before
    assert UvProject().check(member) == ()


def test_uv_lock_without_pyproject_is_refused(app: Path) -> None:
    (app / "pyproject.toml").unlink()

    with pytest.raises(LockWithoutProject, match=r"pyproject\.toml"):
        UvProject().check(read_app(app))


def test_uv_lock_that_is_a_directory_is_refused(app: Path) -> None:
    (app / "uv.lock").unlink()
    (app / "uv.lock").mkdir()

    with pytest.raises(NotAFile):
        UvProject().check(read_app(app))


class Uv:
    """Returns its outcomes one after the other, and remembers the commands."""

    def __init__(self, *answers: Outcome) -> None:
        self.answers = list(answers)
        self.commands: list[Command] = []

    def __call__(self, command: Command, on_line: Callable[[str], None] | None = None) -> Outcome:
        del on_line
        self.commands.append(command)
        outcome = self.answers.pop(0) if self.answers else Outcome(0, "")
        argv = command.argv
        if not outcome.code and "export" in argv:
            lock = Path(argv[argv.index("--output-file") + 1])
            lock.write_text(EXPORTED % command.cwd, "utf-8")
        if not outcome.code and "--target" in argv:
            target = Path(argv[argv.index("--target") + 1])
            write_files(target, {"bin/uv": ""})
        return outcome


@pytest.fixture
def context(app: Path, tmp_path: Path) -> InstallContext:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return InstallContext(
        app_dir=app,
        environment=Path("/layers/venv"),
        tool=Path("/tools/pip"),
        cache=None,
        scratch=scratch,
        environ={"UV_FROZEN": "1", "UV_INDEX_X_PASSWORD": "secret", "PATH": "/bin"},
        python="3.14.6",
        uv=Path("/tools/uv"),
    )


def test_resolve_exports_the_lock_after_checking_it(context: InstallContext, app: Path) -> None:
    uv = Uv()

    decision = UvProject(Settings(groups=("g",), extras=("web",))).resolve(context, uv)

    (command,) = uv.commands
    assert command.shown == "uv export --locked --no-default-groups --group g --extra web"
    assert command.cwd == app
    assert "UV_FROZEN" not in command.env, "it would not be checked"
    assert command.env["UV_INDEX_X_PASSWORD"] == "secret"
    assert [(pin.name, pin.is_cacheable) for pin in decision.pins] == [("shop", False)]


def test_default_group_with_the_packages_of_the_app_is_exported(
    context: InstallContext, app: Path
) -> None:
    text = "[project]\nname = 'shop'\n[tool.uv]\ndefault-groups = ['main', 'dev']\n"
    (app / "pyproject.toml").write_text(text, "utf-8")
    uv = Uv()

    UvProject().resolve(context, uv)

    assert uv.commands[0].shown == "uv export --locked --no-default-groups --group main"
    (warning,) = UvProject().check(read_app(app))
    assert warning.title == "The packages of main are installed"
    assert UvProject(Settings(groups=("dev",))).check(read_app(app)) == ()


def test_resolve_and_install_runs_two_commands(context: InstallContext) -> None:
    uv = Uv()

    decision = resolve_and_install(UvProject(), context, uv)

    assert [command.note for command in uv.commands[1:]] == ["1 locked package"]
    assert decision.by == "uv"


def test_install_without_pins_runs_nothing(context: InstallContext) -> None:
    uv = Uv()

    UvProject().install(UvProject().resolve(context, uv), (), context, uv)

    assert len(uv.commands) == 1


def failed(context: InstallContext, output: str) -> BuildpackError:
    with pytest.raises(BuildpackError) as raised:
        UvProject().resolve(context, Uv(Outcome(2, output)))
    return raised.value


def test_stale_lock_is_refused_with_the_command_to_lock(context: InstallContext) -> None:
    error = failed(context, STALE)

    assert isinstance(error, StaleLock)
    assert error.describe().title == "uv.lock is out of date"
    assert "Run uv lock" in error.describe().steps[0]


def test_project_for_another_python_is_refused_with_both_versions(context: InstallContext) -> None:
    error = failed(
        context,
        "error: The requested interpreter resolved to Python 3.14.6, which is incompatible with "
        "the project's Python requirement: `>=3.15` (from workspace member `shop`'s "
        "`project.requires-python`).",
    )

    assert isinstance(error, ProjectForOtherPython)
    assert (error.requires, error.python) == (">=3.15", "3.14.6")
    assert "shop" in error.where


@pytest.mark.parametrize(
    ("output", "kind", "defined"),
    [
        (
            "error: Group `x` is not defined in the project's `dependency-groups` table",
            "group",
            (),
        ),
        (
            "error: Extra `x` is not defined in the `optional-dependencies` table for `shop`",
            "extra",
            ("web",),
        ),
    ],
)
def test_unknown_group_or_extra_is_refused_with_the_defined_ones(
    context: InstallContext, output: str, kind: str, defined: tuple[str, ...]
) -> None:
    error = failed(context, output)

    assert isinstance(error, UnknownGroup)
    assert (error.kind, error.name, error.available) == (kind, "x", defined)


def test_other_failure_is_shown_in_uvs_words(context: InstallContext) -> None:
    error = failed(context, "error: Failed to parse `uv.lock`\n  cause: line 3\n")

    assert isinstance(error, UvRefused)
    assert error.reasons == ("Failed to parse `uv.lock`", "cause: line 3")


WRONG = "error: Required uv version `==0.9.0` does not match the running version `0.13.8`."


def test_required_uv_is_installed_and_used(context: InstallContext) -> None:
    uv = Uv(Outcome(2, WRONG))

    resolve_and_install(UvProject(), context, uv)

    own = str(context.scratch / "required-uv/bin/uv")
    assert [command.argv[0] for command in uv.commands] == ["/tools/uv", "/tools/uv", own, own]
    assert "uv==0.9.0" in uv.commands[1].argv
    assert uv.commands[1].cwd == context.scratch, "where nothing asks for another uv"


def test_required_uv_that_does_not_exist_is_reported(context: InstallContext) -> None:
    uv = Uv(Outcome(2, WRONG), Outcome(1, "error: no version of uv==0.9.0"))

    with pytest.raises(UvRefused, match="uv==0"):
        UvProject().resolve(context, uv)
