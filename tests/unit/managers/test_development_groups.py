"""Which groups, extras and files each manager adds for tests and development."""

from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.config.settings import DEFAULTS, Settings
from cnb_python.errors.choosing import BadDependencyGroup
from cnb_python.errors.locks import UnknownGroup
from cnb_python.managers.base import Manager
from cnb_python.managers.development import requirement_groups
from cnb_python.managers.pdm.manager import Pdm
from cnb_python.managers.pip.manager import Pip
from cnb_python.managers.pipenv.manager import Pipenv
from cnb_python.managers.poetry.manager import Poetry
from cnb_python.managers.pylock.manager import Pylock
from cnb_python.managers.pyproject.manager import PlainProject
from cnb_python.managers.registry import RYE_LOCK, with_development
from cnb_python.managers.standard_library.manager import StandardLibrary
from cnb_python.managers.uv.manager import UvProject
from tests.support.messages import explained
from tests.support.trees import Files, write_files

PROJECT = """\
[project]
name = "app"
optional-dependencies = { Test = ["pytest"], docs = ["sphinx"] }
[dependency-groups]
docs = ["sphinx"]
dev = ["pytest"]
lint = ["ruff"]
"""


@pytest.mark.parametrize(
    ("kind", "files", "settings", "added"),
    [
        (UvProject, {"pyproject.toml": PROJECT}, {}, ("group dev", "extra Test")),
        (
            UvProject,
            {"pyproject.toml": f"{PROJECT}[tool.uv]\ndefault-groups = ['lint']\n"},
            {},
            ("group dev", "group lint", "extra Test"),
        ),
        (
            UvProject,
            {"pyproject.toml": f"{PROJECT}[tool.uv]\ndefault-groups = 'all'\n"},
            {},
            ("group docs", "group dev", "group lint", "extra Test"),
        ),
        (UvProject, {"pyproject.toml": "[tool.uv]\ndev-dependencies = ['a']"}, {}, ("group dev",)),
        (UvProject, {"pyproject.toml": PROJECT}, {"groups": ("Dev",)}, ("extra Test",)),
        (
            UvProject,
            {"pyproject.toml": PROJECT},
            {"dev_groups": ("lint",), "dev_extras": ("docs",)},
            ("group lint", "extra docs"),
        ),
        (UvProject, {"pyproject.toml": "[project]\nname = 'app'\n"}, {}, ()),
        (Pdm, {"pyproject.toml": PROJECT}, {}, ("group dev", "extra Test")),
        (
            Pdm,
            {"pyproject.toml": "[tool.pdm.dev-dependencies]\ntest = ['a']\nlint = ['b']\n"},
            {},
            ("group test",),
        ),
        (
            Poetry,
            {
                "pyproject.toml": "[tool.poetry.group.test.dependencies]\na = '1'\n"
                "[tool.poetry.group.docs.dependencies]\na = '1'\n"
                "[tool.poetry.dev-dependencies]\na = '1'\n"
            },
            {},
            ("group dev", "group test"),
        ),
        (
            Pipenv,
            {"Pipfile": "[packages]\na = '*'\n[dev-packages]\nb = '*'\n[tests]\nc = '*'\n"},
            {},
            ("group dev", "group tests"),
        ),
        (Pipenv, {"Pipfile": "[packages]\na = '*'\n[dev-packages]\n"}, {}, ()),
        (
            Pylock,
            {"pylock.toml": "dependency-groups = ['dev', 'docs']\nextras = ['testing']\n"},
            {},
            ("group dev", "extra testing"),
        ),
        (
            Pylock,
            {
                "pylock.toml": "dependency-groups = ['dev']\n",
                "pylock.dev.toml": "",
                "pylock.Test.toml": "",
                "pylock.docs.toml": "",
            },
            {},
            ("pylock.Test.toml", "pylock.dev.toml"),
        ),
        (Pylock, {"pylock.dev.toml": ""}, {}, ()),
        (PlainProject, {"pyproject.toml": PROJECT}, {}, ("group dev", "extra Test")),
        (PlainProject, {"setup.py": ""}, {}, ()),
        (
            Pip,
            dict.fromkeys(
                (
                    *("requirements.txt", "requirements-dev.txt", "test-requirements.txt"),
                    *("requirements/tests.txt", "requirements-docs.txt", "requirements_dev.in"),
                ),
                "",
            ),
            {},
            ("requirements-dev.txt", "test-requirements.txt", "requirements/tests.txt"),
        ),
        (
            Pip,
            {"requirements.txt": "", "requirements-dev.txt": "", "ci.txt": ""},
            {"dev_requirements": ("ci.txt",)},
            ("ci.txt",),
        ),
        (
            Pip,
            {"base.txt": "", "requirements-dev.txt": ""},
            {"requirements": ("base.txt", "requirements-dev.txt")},
            (),
        ),
        (
            Pip,
            {"requirements.txt": "", "requirements-test.txt": "", "pyproject.toml": PROJECT},
            {},
            ("requirements-test.txt", "group dev"),
        ),
        (
            Pip,
            {"requirements.txt": "", "pyproject.toml": PROJECT},
            {"dev_groups": ("lint",), "groups": ("lint",)},
            ("group lint",),
        ),
        (StandardLibrary, {"main.py": "import os\n"}, {}, ()),
    ],
)
def test_manager_adds_what_has_a_usual_name_or_a_setting_names(
    tmp_path: Path,
    kind: type[Manager],
    files: Files,
    settings: dict[str, tuple[str, ...]],
    added: tuple[str, ...],
) -> None:
    app = read_app(write_files(tmp_path, files))
    chosen = Settings._make(DEFAULTS)._replace(**settings)  # type: ignore[arg-type]  # all are lists
    manager = StandardLibrary() if kind is StandardLibrary else kind(chosen)  # type: ignore[call-arg]  # of each manager

    combined, names = with_development(manager, app)

    assert names == added
    assert (combined == manager) is (added == ())


def test_lock_of_rye_has_one_for_development(tmp_path: Path) -> None:
    files = {RYE_LOCK: "", "requirements-dev.lock": ""}
    app = read_app(write_files(tmp_path, files))

    _, names = with_development(Pip(deciding_file=RYE_LOCK), app)

    assert names == ("requirements-dev.lock",)


def groups_of(directory: Path, table: str, *names: str) -> str:
    write_files(directory, {"pyproject.toml": f"[dependency-groups]\n{table}\n"})
    return requirement_groups.text(directory, names)


def test_groups_beside_requirements_include_others(tmp_path: Path) -> None:
    table = """
Dev-Tools = ["pytest >= 8 ; python_version > '3'", { include-group = "lint" }]
lint = ["ruff"]
"""

    text = groups_of(tmp_path, table, "dev_tools", "lint")

    assert text == 'pytest>=8; python_version > "3"\nruff\nruff\n'


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ("dev = [{ include-group = 'lint' }]", "Dependency group 'lint' not found"),
        ("dev = [{ include-group = 'test' }]\ntest = [{ include-group = 'dev' }]", "Cyclic"),
        ("dev = ['not a requirement !']", "Expected semicolon"),
        ("dev = [{ path = '.' }]", "Invalid dependency group item"),
        ("dev = [1]", "Invalid dependency group item"),
        ("dev = 'pytest'", "a string rather than a list"),
        ("dev = 1", "not a sequence type"),
        ("dev = []\nDev = []", "Duplicate dependency group names: dev (dev, Dev)"),
    ],
)
def test_bad_group_is_an_error(tmp_path: Path, table: str, problem: str) -> None:
    with pytest.raises(BadDependencyGroup) as caught:
        groups_of(tmp_path, table, "dev")

    assert caught.value.group == "dev"
    assert problem in caught.value.problem
    explained(caught.value)


def test_group_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownGroup) as caught:
        groups_of(tmp_path, "dev = ['pytest']", "Ci")

    assert (caught.value.name, caught.value.available) == ("Ci", ("dev",))


def test_groups_of_production_stay_chosen(tmp_path: Path) -> None:
    text = "[dependency-groups]\nweb = ['a']\ndev = ['b']\n[tool.uv]\ndefault-groups = ['web']\n"
    app = read_app(write_files(tmp_path, {"pyproject.toml": text}))

    whole, _ = UvProject().with_development(app)

    assert whole.settings.groups == ("web", "dev")
