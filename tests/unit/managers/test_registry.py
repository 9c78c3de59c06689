"""The choice of a package manager."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from cnb_python.app import App, python_signs, read_app
from cnb_python.config.settings import DEFAULTS
from cnb_python.errors.base import Message
from cnb_python.errors.choosing import (
    ChosenManagerMissing,
    DeclarationNotRead,
    NoRequirements,
    SeveralManagers,
)
from cnb_python.errors.locks import SeveralLocks
from cnb_python.managers.pip.manager import Pip
from cnb_python.managers.pylock.manager import Pylock
from cnb_python.managers.registry import FALLBACKS, MANAGERS, how_to_add, managers, select, unread
from cnb_python.managers.uv.manager import UvProject
from tests.support.messages import text_of
from tests.support.trees import Files, write_files


@dataclass(frozen=True)
class Other(Pip):
    """Another manager, as a later release has it."""

    name: str = "Other"
    deciding_file: str = "other.lock"

    def deciding_files(self, app: App) -> tuple[str, ...]:
        return (self.deciding_file,) if self.deciding_file in app.names else ()


def app_with(directory: Path, *names: str) -> App:
    for name in names:
        (directory / name).touch()
    return read_app(directory)


def refused(app: App) -> Message:
    with pytest.raises(NoRequirements) as raised:
        select(app)
    return raised.value.describe()


def test_requirements_txt_chooses_pip(tmp_path: Path) -> None:
    assert select(app_with(tmp_path, "requirements.txt", "app.py")).name == "pip"


def test_each_deciding_file_makes_detection_pass(tmp_path: Path) -> None:
    for manager in MANAGERS:
        assert manager.deciding_file in python_signs(
            app_with(tmp_path, manager.deciding_file).directory
        )


@pytest.mark.parametrize(
    "name", ["requirement.txt", "requirements.txt.txt", "Requirements.txt", "requirments.txt"]
)
def test_misspelt_requirements_file_is_answered_with_the_correct_name(
    tmp_path: Path, name: str
) -> None:
    message = refused(app_with(tmp_path, name, "app.py"))

    assert message.title == f"No requirements.txt, but {name}"
    assert f"git mv '{name}' requirements.txt" in message.fixes[0]


@pytest.mark.parametrize(
    ("name", "manager"),
    [
        ("poetry.lock", "poetry"),
        ("Pipfile.lock", "pipenv"),
        ("Pipfile", "pipenv"),
        ("pdm.lock", "pdm"),
    ],
)
def test_each_lock_file_chooses_its_manager(tmp_path: Path, name: str, manager: str) -> None:
    assert select(app_with(tmp_path, name, "pyproject.toml")).name == manager


SCRIPT = "import six\n# /// script\n# dependencies = ['six']\n# ///\n"


@pytest.mark.parametrize(
    ("name", "text", "fix"),
    [
        ("environment.yml", "", "an environment of conda"),
        ("environment.yaml", "", "names on PyPI"),
        ("pixi.toml", "", "a workspace of pixi"),
        ("setup.cfg", "[metadata]\nname = shop\n", 'build-backend = "setuptools.build_meta"'),
        ("requirements.in", "", "uv pip compile requirements.in -o requirements.txt"),
        ("main.py", SCRIPT, "uv export --script main.py -o requirements.txt"),
    ],
)
def test_packages_in_a_form_that_no_manager_reads_are_named(
    tmp_path: Path, name: str, text: str, fix: str
) -> None:
    (tmp_path / "app.py").touch()
    (tmp_path / name).write_text(text)

    with pytest.raises(DeclarationNotRead) as raised:
        select(read_app(tmp_path))

    assert raised.value.file == name
    assert fix in text_of(raised.value.describe())


@pytest.mark.parametrize(
    ("name", "text"), [("setup.cfg", "[flake8]\n"), ("main.py", "# /// scripts\n")]
)
def test_other_files_declare_no_packages(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)

    assert refused(read_app(tmp_path)).title == "No requirements.txt"


def test_lock_of_rye_is_a_requirements_file(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'shop'\n")
    app = app_with(tmp_path, "requirements.lock")
    manager = select(app)

    assert (manager.name, manager.deciding_files(app)) == ("pip", ("requirements.lock",))
    assert python_signs(tmp_path)
    (tmp_path / "uv.lock").touch()
    assert select(read_app(tmp_path)).name == "uv"


def test_requirements_files_of_other_names_choose_nothing(tmp_path: Path) -> None:
    message = refused(app_with(tmp_path, "requirements-dev.txt", "app.py"))

    assert "BP_PYTHON_REQUIREMENTS=requirements-dev.txt" in message.fixes[0]


def test_files_in_directory_requirements_are_offered(tmp_path: Path) -> None:
    (tmp_path / "requirements").mkdir()

    assert "-r requirements/production.txt" in refused(read_app(tmp_path)).fixes[1]


def test_pyproject_with_tool_settings_alone_chooses_nothing(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\n", "utf-8")

    message = refused(app_with(tmp_path, "app.py"))

    assert message.title == "No requirements.txt"
    assert "neither [project] nor [build-system]" in message.fixes[0]


@pytest.mark.parametrize(
    "table", ["[project]\nname = 'x'", "[build-system]\n", "[tool.poetry]\nname = 'x'"]
)
def test_pyproject_without_lock_chooses_project_last(tmp_path: Path, table: str) -> None:
    (tmp_path / "pyproject.toml").write_text(table, "utf-8")

    assert select(app_with(tmp_path, "app.py")).name == "project"
    assert select(app_with(tmp_path, "requirements.txt")).name == "pip"


def test_setup_py_chooses_project_last(tmp_path: Path) -> None:
    manager = select(app_with(tmp_path, "setup.py"))

    assert manager.name == "project"
    assert manager.deciding_files(read_app(tmp_path)) == ("setup.py",)


@pytest.mark.parametrize("name", ["pylock.toml", "pylock.web.toml"])
def test_pylock_chooses_pylock(tmp_path: Path, name: str) -> None:
    app = app_with(tmp_path, name, "pyproject.toml")

    assert select(app).deciding_files(app) == (name,)


def test_pylock_toml_comes_before_named_locks(tmp_path: Path) -> None:
    app = app_with(tmp_path, "pylock.toml", "pylock.dev.toml")

    assert Pylock().deciding_files(app) == ("pylock.toml",)
    assert Pylock().check(app) == ()


def test_several_named_locks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SeveralLocks) as raised:
        Pylock().check(app_with(tmp_path, "pylock.web.toml", "pylock.job.toml"))

    text = text_of(raised.value.describe())
    assert "- pylock.job.toml" in text
    assert "git mv pylock.job.toml pylock.toml" in text


@pytest.mark.parametrize(
    ("names", "deciding"),
    [
        (("pylock.web.toml", "pylock.dev.toml", "pylock.Test.toml"), ("pylock.web.toml",)),
        (("pylock.dev.toml",), ("pylock.dev.toml",)),
    ],
)
def test_lock_for_development_decides_only_alone(
    tmp_path: Path, names: tuple[str, ...], deciding: tuple[str, ...]
) -> None:
    assert Pylock().deciding_files(app_with(tmp_path, *names)) == deciding


def test_app_without_files_of_a_manager_is_told_its_files(tmp_path: Path) -> None:
    text = text_of(refused(app_with(tmp_path, "app.py", "README.md")))

    assert "contains README.md, app.py." in text
    assert "touch requirements.txt" in text


def test_unprintable_names_are_shown(tmp_path: Path) -> None:
    app = App(
        tmp_path, frozenset({"bad\udcff.py"}), frozenset(), frozenset(), contents={}, unreadable={}
    )

    text_of(refused(app)).encode("utf-8")


def test_long_listing_is_cut(tmp_path: Path) -> None:
    app = app_with(tmp_path, *(f"module{number}.py" for number in range(50)))

    assert "and 20 more" in text_of(refused(app))


def test_files_of_two_managers_are_refused(tmp_path: Path) -> None:
    app = app_with(tmp_path, "requirements.txt", "other.lock")

    with pytest.raises(SeveralManagers) as raised:
        select(app, (Pip(), Other()))

    text = text_of(raised.value.describe())
    assert "- requirements.txt (pip)" in text
    assert "- other.lock (Other)" in text
    assert "BP_PYTHON_MANAGER=pip" in text


def test_lock_of_a_workspace_counts_for_its_member(tmp_path: Path) -> None:
    (tmp_path / "api").mkdir()
    (tmp_path / "api/pyproject.toml").touch()
    (tmp_path / "uv.lock").touch()

    assert select(read_app(tmp_path, "api")).name == "uv"


def test_setting_chooses_among_several_managers(tmp_path: Path) -> None:
    app = app_with(tmp_path, "requirements.txt", "other.lock")

    assert select(app, (Pip(),), (Other(),), "Other").name == "Other"
    assert select(app, (Pip(), Other()), (), "pip").name == "pip"


@pytest.mark.parametrize(
    ("chosen", "problem"), [("Other", "other.lock"), ("new", "not a package")]
)
def test_chosen_manager_without_its_file_is_refused(
    tmp_path: Path, chosen: str, problem: str
) -> None:
    app = app_with(tmp_path, "requirements.txt")

    with pytest.raises(ChosenManagerMissing) as raised:
        select(app, (Pip(), Other()), (), chosen)

    text = text_of(raised.value.describe())
    assert text.startswith(f"BP_PYTHON_MANAGER={chosen}, ")
    assert problem in text
    assert "- requirements.txt (pip)" in text


def test_last_managers_are_chosen_if_no_other_is(tmp_path: Path) -> None:
    app = app_with(tmp_path, "requirements.txt", "other.lock")

    assert select(app, (Pip(),), (Other(),)).name == "pip"
    (tmp_path / "requirements.txt").unlink()
    assert select(read_app(tmp_path), (Pip(),), (Other(),)).name == "Other"


def test_lock_files_of_other_managers_are_returned(tmp_path: Path) -> None:
    app = app_with(tmp_path, "requirements.txt", "uv.lock", "Pipfile.lock", "setup.py")

    assert unread(app, Pip()) == ("uv.lock", "Pipfile.lock")
    assert unread(app, UvProject()) == ("Pipfile.lock",)


def test_directories_with_apps_are_offered(tmp_path: Path) -> None:
    for name in ("services/api/uv.lock", "worker/requirements.txt"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()

    message = refused(app_with(tmp_path, "tools.py"))

    assert "Apps in directories below it: services/api, worker" in message.body
    assert message.fixes[0] == "Choose the app's directory: BP_PYTHON_PROJECT=services/api"


def test_app_in_a_directory_is_offered_no_other(tmp_path: Path) -> None:
    (tmp_path / "api/lib").mkdir(parents=True)
    (tmp_path / "api/lib/setup.py").touch()

    message = refused(read_app(tmp_path, "api"))

    assert not any("BP_PYTHON_PROJECT" in fix for fix in message.fixes)


@pytest.mark.parametrize(
    ("files", "sentence", "line"),
    [
        (("requirements.txt",), "Add it to requirements.txt:", "gunicorn"),
        (("Pipfile", "Pipfile.lock"), "Add it with pipenv:", "pipenv install gunicorn"),
        (("pyproject.toml", "poetry.lock"), "Add it with poetry:", "poetry add gunicorn"),
        (("pyproject.toml", "uv.lock"), "Add it with uv:", "uv add gunicorn"),
        (("pyproject.toml", "pdm.lock"), "Add it with pdm:", "pdm add gunicorn"),
        (
            ("pylock.toml",),
            "Add it to the requirements that pylock.toml is made from, and lock again:",
            "gunicorn",
        ),
        (("pyproject.toml",), "Add it to `dependencies` in pyproject.toml:", "gunicorn"),
        (("setup.py",), "Add it to install_requires in setup.py:", "gunicorn"),
    ],
)
def test_package_is_added_where_the_manager_reads_it(
    tmp_path: Path, files: tuple[str, ...], sentence: str, line: str
) -> None:
    app = app_with(tmp_path, *files)
    if files == ("pyproject.toml",):
        (tmp_path / "pyproject.toml").write_text('[project]\nname = "shop"\nversion = "1"\n')
        app = read_app(tmp_path)

    assert how_to_add(select(app), app, "gunicorn") == (sentence, line)


def test_package_is_added_to_the_requirements_file_of_the_setting(tmp_path: Path) -> None:
    app = app_with(tmp_path, "web.txt")
    (pip, *_) = managers(DEFAULTS._replace(requirements=("web.txt",)))

    assert how_to_add(pip, app, "gunicorn") == ("Add it to web.txt:", "gunicorn")


def test_every_manager_has_a_way_to_add_a_package() -> None:
    expected = {"pip", "pipenv", "poetry", "uv", "pdm", "pylock", "project", "none"}

    assert {manager.name for manager in (*MANAGERS, *FALLBACKS)} == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"main.py": "import http.server\n"}, "none"),
        ({"main.py": "import shop\nshop.run()\n", "shop/__init__.py": "import json\n"}, "none"),
        ({"main.py": "from helpers import f\n", "helpers.py": "import os\n"}, "none"),
        ({"main.py": "import os\n", "pyproject.toml": "[tool.ruff]\n"}, "none"),
        ({"main.py": "import os\n", "requirements.txt": ""}, "pip"),
        ({"main.py": "import os\n", "pyproject.toml": "[project]\nname = 'a'\n"}, "project"),
    ],
)
def test_app_of_the_standard_library_alone_needs_no_file(
    tmp_path: Path, files: Files, expected: str
) -> None:
    assert select(read_app(write_files(tmp_path / "app", files))).name == expected


@pytest.mark.parametrize(
    "files",
    [
        {"main.py": "import flask\n"},
        {"main.py": "import shop\n", "shop/__init__.py": "from shop import web\n"}
        | {"shop/web.py": "def f():\n    import requests\n"},
        {"main.py": "import os\n", "requirments.txt": ""},
        {"main.py": "import os\n", "requirements-dev.txt": ""},
        {"main.py": "import os\n", "more.py": "import numpy\n"},
        {"main.py": "# nothing\n"},
        {"main.py": "import (\n"},
    ],
)
def test_app_that_needs_packages_needs_a_file(tmp_path: Path, files: Files) -> None:
    with pytest.raises(NoRequirements):
        select(read_app(write_files(tmp_path / "app", files)))


def test_app_without_requirements_is_warned_of_and_advised(tmp_path: Path) -> None:
    app = read_app(write_files(tmp_path / "app", {"main.py": "import os\n"}))
    manager = select(app)

    assert manager.check(app)[0].title == "The app names no packages"
    assert how_to_add(manager, app, "gunicorn") == (
        "Create requirements.txt with the line:",
        "gunicorn",
    )
    assert manager.resolve_from_files(app, "3.14.6", {}) == manager.resolve_from_files(
        app, "3.10.0", {"A": "b"}
    )
