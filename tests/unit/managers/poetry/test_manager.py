"""Poetry: its inputs, the commands that it runs, and its failures."""

from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.config.settings import Settings
from cnb_python.errors.base import Failure
from cnb_python.errors.inputs import UnreadableToml
from cnb_python.errors.locks import LockWithoutProject, StaleLock, UnknownGroup
from cnb_python.errors.packages.install import InstallFailed
from cnb_python.errors.programs import AppNotInstallable, LockTooNew, UnknownPoetryKey
from cnb_python.managers.base import AppLeftOut, NeedsResolving
from cnb_python.managers.poetry import pyproject as poetry_pyproject
from cnb_python.managers.poetry.manager import Poetry
from cnb_python.managers.tool import Program
from tests.support.fake_tools import PYTHON, FakeTools, context_of, installed_lines, write_app
from tests.support.installing import resolve_and_install

HASH = "a" * 64
PYPROJECT = '[project]\nname = "My.Shop"\n[tool.poetry]\npackage-mode = true\n'
LOCK = '[[package]]\nname = "six"\n[metadata]\nlock-version = "2.1"\n'
SIX = f'six==1.17.0 ; python_version >= "3.11" \\\n    --hash=sha256:{HASH}\n'


def shop(directory: Path, pyproject: str = PYPROJECT, lock: str = LOCK) -> Path:
    return write_app(directory, [("pyproject.toml", pyproject), ("poetry.lock", lock)])


def inputs(directory: Path, settings: Settings | None = None, **environ: str) -> str:
    manager = Poetry(settings or Settings(), processor="x86_64")
    needs = manager.resolve_from_files(read_app(directory), PYTHON, environ)
    assert isinstance(needs, NeedsResolving)
    assert needs.fingerprint
    assert needs.log_line == "Exporting poetry.lock with Poetry"
    return needs.fingerprint


def test_poetry_lock_is_the_deciding_file(tmp_path: Path) -> None:
    directory = shop(tmp_path)

    assert Poetry().deciding_files(read_app(directory)) == ("poetry.lock",)
    (directory / "poetry.lock").unlink()
    assert Poetry().deciding_files(read_app(directory)) == ()


def test_lock_without_pyproject_is_refused(tmp_path: Path) -> None:
    directory = shop(tmp_path)
    (directory / "pyproject.toml").unlink()

    with pytest.raises(LockWithoutProject, match=r"pyproject\.toml"):
        Poetry().check(read_app(directory))


def test_unreadable_pyproject_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableToml, match="line 1"):
        Poetry().check(read_app(shop(tmp_path, "<<<<<<<")))


def test_inputs_ignore_indexes_passwords_and_other_files(tmp_path: Path) -> None:
    directory = shop(tmp_path)

    before = inputs(directory)

    assert inputs(directory, PIP_INDEX_URL="https://other.example/") == before
    assert inputs(directory, POETRY_HTTP_BASIC_OURS_PASSWORD="new") == before
    (directory / "pyproject.toml").write_text(PYPROJECT + "[tool.ruff]\nline-length = 9\n")
    (directory / "notes.txt").write_text("new")
    assert inputs(directory) == before


@pytest.mark.parametrize(
    "change",
    [
        ("poetry.lock", LOCK + "# x"),
        ("pyproject.toml", PYPROJECT.replace("true", "false")),
        ("README.md", "It says."),
        ("shop/__init__.py", ""),
        ("poetry.toml", "[installer]\nno-binary = true\n"),
    ],
)
def test_inputs_depend_on_the_files_that_poetry_reads(
    tmp_path: Path, change: tuple[str, str]
) -> None:
    directory = shop(tmp_path)
    before = inputs(directory)

    write_app(tmp_path, [change])

    assert inputs(directory) != before


def test_inputs_ignore_code_of_the_app(tmp_path: Path) -> None:
    directory = write_app(shop(tmp_path).parent, [("shop/__init__.py", "x = 1")])
    before = inputs(directory)

    write_app(tmp_path, [("shop/__init__.py", "x = 2")])

    assert inputs(directory) == before


def test_inputs_depend_on_groups_and_extras(tmp_path: Path) -> None:
    directory = shop(tmp_path)
    chosen = {
        inputs(directory, Settings(groups=("a",))),
        inputs(directory, Settings(extras=("a",))),
    }

    assert len({*chosen, inputs(directory)}) == 3


def test_inputs_depend_on_code_of_local_packages(tmp_path: Path) -> None:
    lock = (
        '[[package]]\nname = "core"\n\n[package.source]\ntype = "directory"\nurl = "libs/core"\n'
    )
    directory = shop(tmp_path, lock=lock)
    core = write_app(tmp_path, [("libs/core/core.py", "x = 1")]) / "libs/core/core.py"
    before = inputs(directory)

    core.write_text("x = 2")

    assert inputs(directory) != before


def test_resolution_has_the_exported_packages_and_the_app(tmp_path: Path) -> None:
    tools = FakeTools()
    tools.answer("export", exported=SIX)
    settings = Settings(groups=("worker",), extras=("pg",))

    decision = Poetry(settings).resolve(context_of(shop(tmp_path)), tools)

    assert [(pin.name, pin.version, pin.is_cacheable) for pin in decision.pins] == [
        ("my-shop", "", False),
        ("six", "1.17.0", True),
    ]
    (words,) = tools.words("poetry")
    assert words[:7] == (
        *("--no-interaction", "--no-ansi", "export"),
        *("--with", "worker", "--extras", "pg"),
    )
    assert tools.ran[0].shown == "poetry export --with worker --extras pg"


def test_release_with_and_without_extra_is_one_pin(tmp_path: Path) -> None:
    tools = FakeTools()
    tools.answer("export", exported=SIX + SIX.replace("six", "six[more]"))
    directory = shop(tmp_path, PYPROJECT.replace("true", "false"))

    decision = Poetry().resolve(context_of(directory), tools)

    assert [pin.line for pin in decision.pins] == [f"six==1.17.0 --hash=sha256:{HASH}"]


def test_poetry_gets_directories_of_the_build_and_logins_of_the_user(tmp_path: Path) -> None:
    tools = FakeTools()
    context = context_of(
        shop(tmp_path),
        POETRY_HTTP_BASIC_OURS_USERNAME="me",
        POETRY_VIRTUALENVS_IN_PROJECT="true",
        POETRY_CONFIG_DIR="/home/me/.config",
    )

    Poetry().resolve(context, tools)

    environ = tools.ran[0].env
    assert environ["POETRY_HTTP_BASIC_OURS_USERNAME"] == "me"
    assert environ["POETRY_VIRTUALENVS_CREATE"] == "false"
    assert "POETRY_VIRTUALENVS_IN_PROJECT" not in environ
    assert Path(environ["POETRY_CONFIG_DIR"]).is_relative_to(context.scratch)


def test_uv_installs_packages_and_poetry_installs_the_app(tmp_path: Path) -> None:
    source = '[package.source]\ntype = "legacy"\nurl = "https://ours.example/simple"\n'
    lock = LOCK.replace("[metadata]", f'version = "1.17.0"\n{source}[metadata]')
    tools, context = FakeTools(), context_of(shop(tmp_path, lock=lock))
    login = "--extra-index-url https://me:word@ours.example/simple\n"
    tools.answer("export", exported=f"{login}\n{SIX}")

    decision = resolve_and_install(Poetry(), context, tools)

    assert {pin.name for pin in decision.pins} == {"six", "my-shop"}
    assert installed_lines(tools) == [f"six==1.17.0 --hash=sha256:{HASH}"]
    (uv,) = (command for command in tools.ran if command.argv[0] == "/uv")
    assert uv.env["UV_INDEX"] == "https://me:word@ours.example/simple"
    assert tools.words("poetry")[-1][2:] == ("install", "--only-root")
    assert not any("word" in word for command in tools.ran for word in command.argv)


def test_only_missing_pins_are_installed(tmp_path: Path) -> None:
    tools, context = FakeTools(), context_of(shop(tmp_path))
    tools.answer("export", exported=SIX)
    decision = Poetry().resolve(context, tools)
    tools.ran.clear()

    Poetry().install(decision, [pin for pin in decision.pins if pin.name == "six"], context, tools)

    assert tools.words("poetry") == []
    assert len(tools.ran) == 1


@pytest.mark.parametrize(
    ("output", "kind", "title"),
    [
        (
            "pyproject.toml changed significantly since poetry.lock was last generated. Run `",
            StaleLock,
            "poetry.lock is out of date",
        ),
        (
            "The lock file is not compatible with the current version of Poetry.\nUpgrade Poetry",
            LockTooNew,
            "poetry.lock was written by a newer Poetry",
        ),
        (
            "Group(s) not found: x (via --with)",
            UnknownGroup,
            "There is no group x in pyproject.toml",
        ),
        ("Extra [x] is not specified.", UnknownGroup, "There is no extra x in pyproject.toml"),
        (
            "  - Additional properties are not allowed ('requires-poetry' was unexpected)",
            UnknownPoetryKey,
            "Poetry does not know requires-poetry in pyproject.toml",
        ),
        ("something else", InstallFailed, "Poetry could not install the app's packages"),
    ],
)
def test_failure_of_poetry_is_recognised(
    tmp_path: Path, output: str, kind: type[Exception], title: str
) -> None:
    tools = FakeTools()
    tools.answer("export", output, code=1)

    with pytest.raises(kind) as raised:
        Poetry().resolve(context_of(shop(tmp_path)), tools)

    assert isinstance(raised.value, Failure)
    assert raised.value.describe().title == title


def install_app(directory: Path, *files: tuple[str, str]) -> None:
    """Install an app in which Poetry finds no package."""
    tools, context = FakeTools(), context_of(shop(directory))
    write_app(directory, files)
    output = "Error: The current project could not be installed: No file/folder found for my-shop"
    tools.answer("install", output, code=1)
    resolve_and_install(Poetry(), context, tools)


def test_app_without_a_package_is_left_out_with_a_warning(tmp_path: Path) -> None:
    code = "from importlib.metadata import PackageNotFoundError, version\nversion('my-shop')\n"

    with pytest.raises(AppLeftOut) as raised:
        install_app(tmp_path, ("Procfile", "web: python app.py my-shop\n"), ("app.py", code))

    text = "\n".join(raised.value.warning.body)
    assert "No file/folder found" in text
    assert "package-mode = false" in text


@pytest.mark.parametrize(
    ("file", "text", "needed_by"),
    [
        (
            "Procfile",
            "web: PORT=1 exec shop --port $PORT",
            "the process web of the Procfile runs shop, a script of it",
        ),
        (
            "src/app.py",
            "import importlib.metadata as m\nV = m.version('My_Shop')\n",
            "src/app.py reads its metadata: version('My_Shop')",
        ),
    ],
)
def test_app_without_a_package_is_refused_if_something_needs_one(
    tmp_path: Path, file: str, text: str, needed_by: str
) -> None:
    scripts = '[tool.poetry.scripts]\nshop = "shop:main"\n'

    with pytest.raises(AppNotInstallable) as raised:
        install_app(tmp_path, (file, text), ("pyproject.toml", PYPROJECT + scripts))

    assert raised.value.needed_by == needed_by
    assert any("No file/folder found" in line for line in raised.value.describe().body)


@pytest.mark.parametrize(
    ("requires", "setting", "versions"),
    [
        (">=1.8", "", ""),
        ("^1.8", "", ">=1.8,<2"),
        ("^1.7 || ^1.8", "", ">=1.8,<2"),
        ("^1.8", "2.1.3", "==2.1.3"),
        ("", "1.8.5", "==1.8.5"),
    ],
)
def test_poetry_release_follows_the_setting_then_requires_poetry(
    tmp_path: Path, requires: str, setting: str, versions: str
) -> None:
    directory = shop(tmp_path, f'{PYPROJECT}requires-poetry = "{requires}"\n')
    settings = Settings(poetry=setting)

    assert poetry_pyproject.read(directory).program(settings) == Program("poetry", versions)
    assert (inputs(directory, settings) == inputs(directory)) is not bool(setting)
