"""Plain projects: what uv resolves for them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.config.settings import Settings
from cnb_python.errors.install import UvRefused
from cnb_python.errors.locks import UnknownGroup
from cnb_python.managers.base import InstallContext, NeedsResolving
from cnb_python.managers.pyproject.manager import PlainProject
from cnb_python.system.interface import Command, Outcome
from tests.support.installing import resolve_and_install
from tests.support.messages import explained
from tests.support.trees import write_files

PROJECT = "[project]\nname = 'shop'\n"
PACKAGE = PROJECT + "[build-system]\nrequires = []\n"
ANSWER = "lock-version = '1.0'\ncreated-by = 'uv'\npackages = []\n"


class Uv:
    """Resolves to nothing, and records its commands."""

    def __init__(self, answer: Outcome = Outcome(0, "")) -> None:  # noqa: B008 - a value
        self.answer = answer
        self.commands: list[Command] = []

    def __call__(self, command: Command, on_line: Callable[[str], None] | None = None) -> Outcome:
        del on_line
        self.commands.append(command)
        target = command.argv[command.argv.index("--output-file") + 1]
        Path(target).write_text(ANSWER, "utf-8")
        return self.answer


def context_of(app: Path) -> InstallContext:
    scratch = app / "scratch"
    scratch.mkdir()
    return InstallContext(
        app, Path("/layers/venv"), Path("/pip"), None, scratch, {}, "3.14.6", Path("/tools/uv")
    )


def compiled(app: Path, settings: Settings | None = None) -> tuple[str, str]:
    """Return the command in the log, and the requirements file of the build, if any."""
    uv, context = Uv(), context_of(app)
    resolve_and_install(PlainProject(settings or Settings()), context, uv)
    source = context.scratch / "project.in"
    return uv.commands[0].shown, source.read_text("utf-8") if source.exists() else ""


@pytest.mark.parametrize(
    "files",
    [
        {"setup.py": ""},
        {"pyproject.toml": PACKAGE},
        {"pyproject.toml": PROJECT + "[tool.uv]\npackage = true\n"},
        {"pyproject.toml": "[tool.poetry]\nname = 'x'\n"},
    ],
)
def test_package_is_installed_in_place(tmp_path: Path, files: dict[str, str]) -> None:
    app = write_files(tmp_path, files)

    assert compiled(app) == ("uv pip compile -e .", f"-e {app}\n")


@pytest.mark.parametrize("table", [PROJECT, PACKAGE + "[tool.uv]\npackage = false\n"])
def test_project_that_is_not_a_package_installs_its_dependencies_alone(
    tmp_path: Path, table: str
) -> None:
    app = write_files(tmp_path, {"pyproject.toml": table})

    assert compiled(app) == ("uv pip compile pyproject.toml", "")


def test_chosen_groups_and_extras_are_compiled(tmp_path: Path) -> None:
    chosen = Settings(groups=("g",), extras=("a", "b"))
    package = write_files(tmp_path / "package", {"pyproject.toml": PACKAGE})
    other = write_files(tmp_path / "other", {"pyproject.toml": PROJECT})

    assert compiled(package, chosen)[1] == f"-e {package}[a,b]\n"
    assert compiled(other, chosen)[0] == (
        "uv pip compile --extra a --extra b --group g pyproject.toml"
    )


@pytest.mark.parametrize("name", ["pyproject.toml", "setup.py"])
def test_each_build_resolves_with_a_warning(tmp_path: Path, name: str) -> None:
    app = read_app(write_files(tmp_path, {name: PROJECT}))

    needs = PlainProject().resolve_from_files(app, "3.14.6", {})

    assert isinstance(needs, NeedsResolving)
    assert needs.log_line == f"Resolving {name} with uv: it pins nothing"
    assert needs.fingerprint == ""
    (message,) = PlainProject().check(app)
    assert message.title == f"{name} pins nothing"
    assert "uv lock" in message.body[0]


def test_failed_resolution_has_the_reasons_of_uv(tmp_path: Path) -> None:
    app = write_files(tmp_path, {"setup.py": ""})
    uv = Uv(Outcome(1, "  \u00d7 No solution found\n"))

    with pytest.raises(UvRefused) as raised:
        PlainProject().resolve(context_of(app), uv)

    assert raised.value.reasons == ("No solution found",)


NAMED = f"""{PROJECT}
[project.optional-dependencies]
web = ["certifi"]
[dependency-groups]
prod = ["six"]
Tests_All = ["pytest"]
"""


@pytest.mark.parametrize("package", ["", "[build-system]\nrequires = []\n"])
@pytest.mark.parametrize(
    ("settings", "kind", "fix"),
    [
        (Settings(groups=("prd",)), "group", "Correct the setting, to prod."),
        (Settings(extras=("wbe",)), "extra", "Correct the setting, to web."),
        (Settings(groups=("zzz",)), "group", "Correct the setting."),
    ],
)
def test_unknown_group_or_extra_is_refused_before_anything_runs(
    tmp_path: Path, settings: Settings, kind: str, fix: str, package: str
) -> None:
    app = read_app(write_files(tmp_path, {"pyproject.toml": NAMED + package}))

    with pytest.raises(UnknownGroup) as raised:
        PlainProject(settings).check(app)

    failure = raised.value
    assert (failure.file, failure.kind) == ("pyproject.toml", kind)
    text = explained(failure)
    assert fix in text
    assert ("prod" if kind == "group" else "web") in text


@pytest.mark.parametrize(
    "settings",
    [
        Settings(groups=("prod", "tests.all"), extras=("web",)),
        Settings(groups=("PROD",), extras=("Web",)),
    ],
)
def test_names_are_compared_as_indexes_compare_them(tmp_path: Path, settings: Settings) -> None:
    app = read_app(write_files(tmp_path, {"pyproject.toml": NAMED}))

    assert PlainProject(settings).check(app)


@pytest.mark.parametrize(
    "text",
    [
        PROJECT + "dynamic = ['optional-dependencies']\n",
        "[tool.poetry]\nname = 'shop'\n[tool.poetry.extras]\nweb = []\n",
    ],
)
def test_extras_that_only_the_backend_knows_are_left_to_it(tmp_path: Path, text: str) -> None:
    app = read_app(write_files(tmp_path, {"pyproject.toml": text}))

    assert PlainProject(Settings(extras=("web",))).check(app)
