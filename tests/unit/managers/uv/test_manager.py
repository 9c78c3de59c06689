"""An app with a `uv.lock`: what it depends on, what uv is asked, and what uv says."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.config.settings import Settings
from cnb_python.errors.base import BuildpackError
from cnb_python.errors.inputs import NotAFile
from cnb_python.errors.install import UvRefused
from cnb_python.errors.locks import (
    LockWithoutProject,
    ProjectForOtherPython,
    StaleLock,
    UnknownGroup,
)
from cnb_python.managers.base import InstallContext, NeedsResolving
from cnb_python.managers.uv.manager import UvProject
from cnb_python.system.interface import Command, Outcome
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
    found = (manager or UvProject()).resolve_from_files(read_app(app), python, env)
    assert isinstance(found, NeedsResolving)
    return found.fingerprint


@pytest.mark.parametrize(
    "name", ["uv.lock", "pyproject.toml", "uv.toml", "libs/core/core.py", "tools/pyproject.toml"]
)
def test_what_its_answer_depends_on_is_part_of_the_inputs(app: Path, name: str) -> None:
    before = inputs(app)

    write_files(app, {name: "# another"})

    assert inputs(app) != before


def test_code_that_is_installed_from_nowhere_is_not(app: Path) -> None:
    before = inputs(app)

    write_files(app, {"tools/tool.py": "2", "views.txt": "2"})

    assert inputs(app) == before


def test_python_groups_extras_and_variables_are(app: Path) -> None:
    found = [
        inputs(app),
        inputs(app, python="3.14.7"),
        inputs(app, UvProject(Settings(groups=("a",)))),
        inputs(app, UvProject(Settings(extras=("a",)))),
        inputs(app, UV_RESOLUTION="lowest"),
    ]

    assert len(set(found)) == len(found)


def test_a_password_is_not(app: Path) -> None:
    url = "https://{}index.example/simple"

    assert inputs(app, UV_DEFAULT_INDEX=url.format("me:secret@")) == inputs(
        app, UV_DEFAULT_INDEX=url.format("me:other@"), UV_INDEX_X_PASSWORD="other"
    )


def test_of_a_member_the_lock_above_counts(app: Path) -> None:
    write_files(app, {"libs/core/pyproject.toml": PYPROJECT})
    member = read_app(app, "libs/core")
    before = UvProject().resolve_from_files(member, "3.14.6", {})

    (app / "uv.lock").write_text("another", "utf-8")

    member = read_app(app, "libs/core")
    assert UvProject().resolve_from_files(member, "3.14.6", {}) != before
    assert UvProject().check(member) == ()


def test_a_lock_needs_what_it_was_made_from(app: Path) -> None:
    (app / "pyproject.toml").unlink()

    with pytest.raises(LockWithoutProject, match=r"pyproject\.toml"):
        UvProject().check(read_app(app))


def test_a_lock_that_is_no_file_is_refused(app: Path) -> None:
    (app / "uv.lock").unlink()
    (app / "uv.lock").mkdir()

    with pytest.raises(NotAFile):
        UvProject().check(read_app(app))


class Uv:
    """Answers as it is told, one answer after the other, and remembers what it was asked."""

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
def place(app: Path, tmp_path: Path) -> InstallContext:
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


def test_uv_checks_its_lock_and_says_what_it_holds(place: InstallContext, app: Path) -> None:
    uv = Uv()

    decision = UvProject(Settings(groups=("g",), extras=("web",))).resolve(place, uv)

    (command,) = uv.commands
    assert command.shown == "uv export --locked --no-default-groups --group g --extra web"
    assert command.cwd == app
    assert "UV_FROZEN" not in command.env, "it would not be checked"
    assert command.env["UV_INDEX_X_PASSWORD"] == "secret"
    assert [(pin.name, pin.is_cacheable) for pin in decision.pins] == [("shop", False)]


def test_deciding_and_installing_are_two_commands(place: InstallContext) -> None:
    uv = Uv()

    decision = UvProject().resolve_and_install(place, uv)

    assert [one.shown for one in uv.commands[1:]] == ["uv pip install (1 locked)"]
    assert decision.by == "uv"


def test_nothing_is_started_for_an_app_without_packages(place: InstallContext) -> None:
    uv = Uv()

    UvProject().install(UvProject().resolve(place, uv), (), place, uv)

    assert len(uv.commands) == 1


def failed(place: InstallContext, output: str) -> BuildpackError:
    with pytest.raises(BuildpackError) as raised:
        UvProject().resolve(place, Uv(Outcome(2, output)))
    return raised.value


def test_a_stale_lock_is_told_with_its_command(place: InstallContext) -> None:
    error = failed(place, STALE)

    assert isinstance(error, StaleLock)
    assert error.describe().title == "uv.lock is out of date"
    assert "Run uv lock" in error.describe().steps[0]


def test_a_project_for_another_python_is_told_with_both(place: InstallContext) -> None:
    error = failed(
        place,
        "error: The requested interpreter resolved to Python 3.14.6, which is incompatible with "
        "the project's Python requirement: `>=3.15` (from workspace member `shop`'s "
        "`project.requires-python`).",
    )

    assert isinstance(error, ProjectForOtherPython)
    assert (error.requires, error.python) == (">=3.15", "3.14.6")
    assert "shop" in error.where


@pytest.mark.parametrize(
    ("output", "kind", "known"),
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
def test_unknown_groups_and_extras_are_told_with_the_known_ones(
    place: InstallContext, output: str, kind: str, known: tuple[str, ...]
) -> None:
    error = failed(place, output)

    assert isinstance(error, UnknownGroup)
    assert (error.kind, error.name, error.available) == (kind, "x", known)


def test_anything_else_is_told_in_its_own_words(place: InstallContext) -> None:
    error = failed(place, "error: Failed to parse `uv.lock`\n  cause: line 3\n")

    assert isinstance(error, UvRefused)
    assert error.reasons == ("Failed to parse `uv.lock`", "cause: line 3")


WRONG = "error: Required uv version `==0.9.0` does not match the running version `0.13.8`."


def test_the_uv_that_the_app_asks_for_is_fetched_and_used(place: InstallContext) -> None:
    uv = Uv(Outcome(2, WRONG))

    UvProject().resolve_and_install(place, uv)

    own = str(place.scratch / "uv/bin/uv")
    assert [one.argv[0] for one in uv.commands] == ["/tools/uv", "/tools/uv", own, own]
    assert "uv==0.9.0" in uv.commands[1].argv
    assert uv.commands[1].cwd == place.scratch, "where nothing asks for another uv"


def test_a_uv_that_does_not_exist_is_told(place: InstallContext) -> None:
    uv = Uv(Outcome(2, WRONG), Outcome(1, "error: no version of uv==0.9.0"))

    with pytest.raises(UvRefused, match="uv==0"):
        UvProject().resolve(place, uv)
