"""Plain projects: what uv resolves for them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.config.settings import Settings
from cnb_python.errors.locks import PoetryProjectWithoutLock, UnknownGroup
from cnb_python.errors.packages.install import UvRefused
from cnb_python.errors.projects import OwnNameRequired
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
        {"pyproject.toml": "[tool.poetry]\npackage-mode = false\n[tool.uv]\npackage = true\n"},
    ],
)
def test_package_is_installed_in_place(tmp_path: Path, files: dict[str, str]) -> None:
    app = write_files(tmp_path, files)

    assert compiled(app) == ("uv pip compile -e .", f"-e {app}\n")


@pytest.mark.parametrize(
    "table",
    [
        PROJECT,
        PACKAGE + "[tool.uv]\npackage = false\n",
        PACKAGE + "[tool.poetry]\npackage-mode = false\n",
    ],
)
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


POETRY = "[tool.poetry]\nname = 'x'\n{}\n[tool.poetry.dependencies]\npython = '^3.12'\n{}\n"
NEEDS = "six = '*'\n[tool.poetry.group.web.dependencies]\nidna = '*'\n"
BACKEND = "[build-system]\nrequires = ['poetry-core']\nbuild-backend = '{}'\n"
MAIN = "[tool.poetry.group.main.dependencies]\nsix = '*'\n"
CORE = BACKEND.format("poetry.core.masonry.api")
HATCH = BACKEND.format("hatchling.build")
NO_PACKAGE = "package-mode = false"


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        (POETRY.format("", NEEDS), ()),
        (POETRY.format(NO_PACKAGE, NEEDS), ()),
        (POETRY.format(NO_PACKAGE, NEEDS) + CORE, ()),
        (POETRY.format("", NEEDS) + HATCH, ()),
        (POETRY.format(NO_PACKAGE, MAIN), ()),
        (PROJECT + POETRY.format("", NEEDS), ()),
        (PROJECT + POETRY.format(NO_PACKAGE, NEEDS) + CORE, ()),
        (POETRY.format("", NEEDS) + CORE, ("Web",)),
    ],
)
def test_packages_that_only_poetry_reads_need_its_lock(
    tmp_path: Path, text: str, groups: tuple[str, ...]
) -> None:
    app = read_app(write_files(tmp_path, {"pyproject.toml": text}))

    with pytest.raises(PoetryProjectWithoutLock) as raised:
        PlainProject(Settings(groups=groups)).check(app)

    table = "group.Web" if groups else "group.main" if MAIN in text else "poetry.dependencies"
    assert f"[tool.poetry.{table.removeprefix('poetry.')}" in raised.value.packages
    assert "poetry lock" in explained(raised.value)


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        (POETRY.format("", ""), ()),
        (POETRY.format(NO_PACKAGE, ""), ()),
        (POETRY.format("", NEEDS) + CORE, ()),
        (POETRY.format("", NEEDS) + BACKEND.format("poetry.masonry.api"), ()),
        (PROJECT + "dependencies = ['six']\n" + POETRY.format(NO_PACKAGE, NEEDS) + CORE, ()),
        (POETRY.format("", NEEDS) + CORE + "[dependency-groups]\nweb = ['idna']\n", ("web",)),
    ],
)
def test_packages_that_other_tools_read_need_no_lock_of_poetry(
    tmp_path: Path, text: str, groups: tuple[str, ...]
) -> None:
    app = read_app(write_files(tmp_path, {"pyproject.toml": text}))

    assert PlainProject(Settings(groups=groups)).check(app)


@pytest.mark.parametrize("requirement", ["shop", "Shop>=1", "shop ; sys_platform == 'linux'"])
def test_project_that_requires_its_own_name_is_refused(tmp_path: Path, requirement: str) -> None:
    text = f'{PROJECT}dependencies = ["six", "{requirement}"]\n'
    app = read_app(write_files(tmp_path, {"pyproject.toml": text}))

    with pytest.raises(OwnNameRequired) as raised:
        PlainProject().check(app)

    assert raised.value.requirement == requirement


SETUP = "from setuptools import setup\nsetup(name='Shop', install_requires={})\n"
DYNAMIC = "[project]\nname = 'shop'\ndynamic = ['dependencies']\n"
SETUP_CFG = "[metadata]\nname = shop\n[options]\ninstall_requires =\n    flask\n    shop>=1\n"
OF_POETRY = (
    "[tool.poetry]\nname = 'shop'\n[tool.poetry.dependencies]\nshop = '*'\n"
    "[build-system]\nbuild-backend = 'poetry.core.masonry.api'\n"
)


@pytest.mark.parametrize(
    ("files", "file"),
    [
        ({"setup.py": SETUP.format("['flask', 'SHOP>=1']")}, "setup.py"),
        ({"setup.py": SETUP.format("'flask\\nshop'")}, "setup.py"),
        ({"setup.py": "REQUIRES = ['shop']\n" + SETUP.format("REQUIRES")}, "setup.py"),
        ({"setup.py": "import setuptools", "setup.cfg": SETUP_CFG}, "setup.cfg"),
        ({"pyproject.toml": DYNAMIC, "setup.cfg": SETUP_CFG}, "setup.cfg"),
        ({"pyproject.toml": OF_POETRY}, "pyproject.toml"),
        (
            {"pyproject.toml": f"{PROJECT}[project.optional-dependencies]\nWeb = ['shop']\n"},
            "pyproject.toml",
        ),
    ],
)
def test_own_name_is_refused_wherever_requirements_are_written(
    tmp_path: Path, files: dict[str, str], file: str
) -> None:
    app = read_app(write_files(tmp_path, files))

    with pytest.raises(OwnNameRequired) as raised:
        PlainProject(Settings(extras=("web",)) if "Web" in str(files) else Settings()).check(app)

    assert (raised.value.file, raised.value.name.lower()) == (file, "shop")


@pytest.mark.parametrize(
    "files",
    [
        # An extra that is not chosen, a group in which the project itself is meant, and what
        # setuptools ignores.
        {"pyproject.toml": f"{PROJECT}[project.optional-dependencies]\nweb = ['shop']\n"},
        {"pyproject.toml": f"{PROJECT}[dependency-groups]\ndev = ['shop']\n"},
        {"pyproject.toml": PROJECT, "setup.cfg": SETUP_CFG},
        {"setup.py": SETUP.format("requirements()")},
        {"setup.py": SETUP.format("['shop-core', 'shop[all]', 1]")},
    ],
)
def test_own_name_elsewhere_is_accepted(tmp_path: Path, files: dict[str, str]) -> None:
    app = read_app(write_files(tmp_path, files))

    assert PlainProject(Settings(groups=("dev",)) if "dev" in str(files) else Settings()).check(
        app
    )


@pytest.mark.parametrize("requirement", ["shop[all]", "shop [all]", "shop-core", "sho.p"])
def test_requirement_with_extras_or_of_a_similar_name_is_accepted(
    tmp_path: Path, requirement: str
) -> None:
    text = f'{PROJECT}dependencies = ["{requirement}"]\n'
    app = read_app(write_files(tmp_path, {"pyproject.toml": text}))

    assert PlainProject().check(app)


def test_backend_that_is_not_editable_is_installed_as_a_copy(tmp_path: Path) -> None:
    app = write_files(tmp_path, {"pyproject.toml": PACKAGE})
    old = "AttributeError: module 'poetry.masonry.api' has no attribute 'build_editable'"
    answers = [Outcome(1, old), Outcome(0, "")]
    uv, context = Uv(), context_of(app)

    def run(command: Command, on_line: Callable[[str], None] | None = None) -> Outcome:
        uv(command, on_line)
        return answers.pop(0)

    PlainProject().resolve(context, run)

    shown = [command.shown for command in uv.commands]
    assert shown == ["uv pip compile -e .", "uv pip compile ."]
    assert (context.scratch / "project.in").read_text("utf-8") == f"{app}\n"


def test_required_uv_is_fetched_and_used(tmp_path: Path) -> None:
    app = write_files(tmp_path, {"pyproject.toml": PROJECT})
    wrong = "error: Required uv version `==0.9.0` does not match the running version `0.13.8`."
    ran: list[tuple[str, ...]] = []
    context = context_of(app)

    def run(command: Command, on_line: Callable[[str], None] | None = None) -> Outcome:
        del on_line
        ran.append(command.argv)
        if "--target" in command.argv:
            write_files(context.scratch, {"required-uv/bin/uv": ""})
            return Outcome(0, "")
        if command.argv[0] == "/tools/uv":
            return Outcome(2, wrong)
        target = command.argv[command.argv.index("--output-file") + 1]
        Path(target).write_text(ANSWER, "utf-8")
        return Outcome(0, "")

    PlainProject().resolve(context, run)

    own = str(context.scratch / "required-uv/bin/uv")
    assert [argv[0] for argv in ran] == ["/tools/uv", "/tools/uv", own]
    assert "uv==0.9.0" in ran[1]


DEFAULT_GROUPS = "[tool.uv]\ndefault-groups = ['main', 'dev']\n[dependency-groups]\nmain = []\n"


def test_default_group_with_the_packages_of_the_app_is_installed(tmp_path: Path) -> None:
    app = write_files(tmp_path, {"pyproject.toml": PROJECT + DEFAULT_GROUPS})
    warning, _ = PlainProject().check(read_app(app))

    assert warning.title == "The packages of main are installed"
    assert "BP_PYTHON_GROUPS=main" in warning.body[-1]
    assert compiled(app) == ("uv pip compile --group main pyproject.toml", "")


GROUPS = """
[project.optional-dependencies]
web = []
old = []
all = []
[dependency-groups]
plain = ['six', 'shop']
more = ['Shop[web,all]>=1', {include-group = 'plain'}, "shop[old] ; python_version < '3'"]
odd = ["shop[web] ; sys_platform ~= 'x'"]
none = ['shop-core']
url = ['shop @ https://example.org/shop.zip']
"""
NEVER = "shop ; python_version < '0'\n"


@pytest.mark.parametrize(
    ("groups", "options", "is_removed"),
    [
        (("plain",), "--group plain", True),
        (("more",), "--extra all --extra web --group more", True),
        (("odd",), "--group odd", True),
        (("none",), "--group none", False),
        (("url",), "--group url", False),
    ],
)
def test_group_that_names_the_project_means_no_package_of_an_index(
    tmp_path: Path, groups: tuple[str, ...], options: str, *, is_removed: bool
) -> None:
    """As `uv lock`: the project itself is meant, with the extras that stand there."""
    app = write_files(tmp_path, {"pyproject.toml": PROJECT + GROUPS})
    uv, context = Uv(), context_of(app)
    own = replace(context, environ={"UV_OVERRIDE": "/own.txt"})

    PlainProject(Settings(groups=groups)).resolve(own, uv)

    (command,) = uv.commands
    assert command.shown == f"uv pip compile {options} pyproject.toml"
    file = context.scratch / "overrides.txt"
    assert (file.read_text("utf-8") == NEVER) if is_removed else not file.exists()
    words = [word for word in command.argv if word.endswith(".txt")]
    assert words == (["/own.txt", str(file)] if is_removed else [])


@pytest.mark.parametrize(
    ("sources", "is_removed"),
    [("{workspace = true}", True), ("{path = '../shop'}", False), ("{index = 'own'}", False)],
)
def test_source_says_that_a_package_of_the_same_name_is_meant(
    tmp_path: Path, sources: str, *, is_removed: bool
) -> None:
    text = f"{PROJECT}{GROUPS}[tool.uv.sources]\nShop = {sources}\n"
    app = write_files(tmp_path, {"pyproject.toml": text})
    uv = Uv()

    PlainProject(Settings(groups=("plain",))).resolve(context_of(app), uv)

    assert ("--override" in uv.commands[0].argv) == is_removed


def test_package_that_is_installed_needs_no_override(tmp_path: Path) -> None:
    app = write_files(tmp_path, {"pyproject.toml": PACKAGE + GROUPS})
    uv = Uv()

    PlainProject(Settings(groups=("plain",))).resolve(context_of(app), uv)

    assert "--override" not in uv.commands[0].argv


def test_all_default_groups_are_those_that_are_not_for_development(tmp_path: Path) -> None:
    text = (
        PROJECT + "[tool.uv]\ndefault-groups = 'all'\n[dependency-groups]\nweb = []\ntests = []\n"
    )
    app = write_files(tmp_path, {"pyproject.toml": text})

    assert compiled(app)[0] == "uv pip compile --group web pyproject.toml"


def test_default_groups_do_not_count_beside_dependencies(tmp_path: Path) -> None:
    text = PROJECT + "dependencies = ['six']\n" + DEFAULT_GROUPS
    app = write_files(tmp_path, {"pyproject.toml": text})

    assert len(PlainProject().check(read_app(app))) == 1
    assert compiled(app)[0] == "uv pip compile pyproject.toml"


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
