"""Each input of a manager changes its fingerprint or the digest of the build settings.

Otherwise a build would reuse what a clean build would not make. Each row changes one input.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.managers.base import Manager, NeedsResolving
from cnb_python.managers.pdm.manager import Pdm
from cnb_python.managers.pipenv.manager import Pipenv
from cnb_python.managers.poetry.manager import Poetry
from cnb_python.managers.pylock.manager import Pylock
from cnb_python.managers.tool_settings import settings_digest
from cnb_python.managers.uv.manager import UvProject
from tests.support.trees import write_files

PYTHON = "3.14.6"
QUIET = {"PIP_CONFIG_FILE": "/dev/null"}
PLAIN = '[project]\nname = "shop"\nversion = "1"\n'
HATCH = """\
[project]
name = "shop"
dynamic = ["version"]
readme = "../README.md"
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[tool.hatch.version]
path = "../VERSION.py"
[tool.hatch.build.targets.wheel.force-include]
"../shared" = "shared"
"""
SCM = HATCH.replace('path = "../VERSION.py"', 'source = "vcs"').replace("hatchling", "hatch-vcs")
UV = """\
version = 1
[[package]]
name = "flat"
version = "1"
source = { registry = "wheels" }
wheels = [
    { path = "flat-1-py3-none-any.whl" },
]
[[package]]
name = "shop"
source = { editable = "." }
"""
PYLOCK = f"""\
lock-version = "1.0"
[[packages]]
name = "flat"
wheels = [{{ path = "wheels/flat-1-py3-none-any.whl", hashes = {{ sha256 = "{"a" * 64}" }} }}]
[[packages]]
name = "local"
[packages.directory]
path = "libs/local"
"""
POETRY = """\
[[package]]
name = "local"
[package.source]
type = "directory"
url = "libs/local"
"""
PDM = '[[package]]\nname = "local"\npath = "./libs/local"\n'
PIPFILE = json.dumps({"default": {"local": {"path": "libs/local"}}})
WHEEL = "wheels/flat-1-py3-none-any.whl"
LOCAL = "libs/local/local.py"
MANAGERS: dict[str, Manager] = {
    "uv": UvProject(processor="x"),
    "pylock": Pylock(processor="x"),
    "poetry": Poetry(processor="x"),
    "pdm": Pdm(processor="x"),
    "pipenv": Pipenv(processor="x"),
}
FILES = {
    "uv": {"uv.lock": UV, "pyproject.toml": HATCH},
    "pylock": {"pylock.toml": PYLOCK},
    "poetry": {"poetry.lock": POETRY, "pyproject.toml": HATCH},
    "pdm": {"pdm.lock": PDM, "pyproject.toml": HATCH},
    "pipenv": {"Pipfile.lock": PIPFILE, "Pipfile": ""},
}
BESIDE = {
    "app/libs/local/setup.py": "",
    f"app/{LOCAL}": "",
    f"app/{WHEEL}": "",
    "README.md": "",
    "VERSION.py": "",
    "shared/data.txt": "",
    ".git/HEAD": "ref: refs/heads/main",
    ".git/refs/heads/main": "a",
}
CHANGES: dict[str, tuple[str, ...]] = {
    "uv": (
        *("uv.lock", "pyproject.toml", "uv.toml", "../uv.toml", "shop.py", "../VERSION.py"),
        *("../README.md", "../shared/data.txt", WHEEL),
        *("UV_NO_BINARY_PACKAGE", "UV_NO_BINARY", "UV_NO_BUILD_PACKAGE", "UV_OFFLINE", "CFLAGS"),
        *("UV_CONFIG_SETTINGS", "CC", "UV_NO_BUILD_ISOLATION"),
    ),
    "pylock": (*("pylock.toml", LOCAL, WHEEL, "uv.toml", "UV_NO_BINARY_PACKAGE", "CFLAGS"),),
    "poetry": (
        *("poetry.lock", "pyproject.toml", "poetry.toml", "shop.py", LOCAL, "README.md"),
        *("../README.md", "../VERSION.py", "POETRY_INSTALLER_NO_BINARY", "CFLAGS"),
    ),
    "pdm": (
        *("pdm.lock", "pyproject.toml", "pdm.toml", "shop.py", LOCAL, "../VERSION.py"),
        *("../README.md", "../shared/data.txt", "PDM_NO_BINARY", "CFLAGS"),
    ),
    "pipenv": (*("Pipfile.lock", "Pipfile", LOCAL, "PIP_NO_BINARY", "PIPENV_X", "CFLAGS"),),
}
"""By manager: files and variables. Each is changed once."""
ROWS = [(name, change) for name, changes in CHANGES.items() for change in changes]


@pytest.fixture
def app(tmp_path: Path) -> Path:
    write_files(tmp_path, BESIDE)
    return tmp_path / "app"


def identity(manager: Manager, app: Path, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the fingerprint and the digest of the build settings, the parts of a cache key."""
    variables = {**QUIET, **environ}
    # The app is in a directory of a repository.
    above = read_app(app.parent)
    needs = manager.resolve_from_files(read_app(app)._replace(above=(above,)), PYTHON, variables)
    assert isinstance(needs, NeedsResolving)
    assert needs.fingerprint
    return needs.fingerprint, settings_digest(variables, app)


@pytest.mark.parametrize(("name", "change"), ROWS)
def test_each_input_counts(app: Path, name: str, change: str) -> None:
    manager = MANAGERS[name]
    write_files(app, FILES[name])
    before = identity(manager, app, {})
    assert identity(manager, app, {}) == before

    if change.isupper():
        assert identity(manager, app, {change: "1"}) != before
        return
    file = app / change
    old = file.read_text() if file.exists() else ""
    more = "[tool.poetry.extras]\nx = []\n" if change == "pyproject.toml" else "# changed\n"
    file.write_text(f"{old}\n" if change.endswith("ck") else f"{old}{more}")

    assert identity(manager, app, {}) != before


def test_state_of_git_above_counts_if_the_version_comes_from_there(app: Path) -> None:
    manager = MANAGERS["uv"]
    write_files(app, {**FILES["uv"], "pyproject.toml": SCM})
    before = identity(manager, app, {})

    (app.parent / ".git/refs/heads/main").write_text("b")

    assert identity(manager, app, {}) != before


@pytest.mark.parametrize(
    ("name", "file", "text"),
    [
        (
            "uv",
            "uv.lock",
            UV.replace('wheels"', 'https://flat.example"').replace("path =", "url ="),
        ),
        (
            "pipenv",
            "Pipfile.lock",
            json.dumps({"default": {"far": {"file": "https://h.example/far-1.0.whl"}}}),
        ),
    ],
)
def test_remote_file_without_hash_has_the_manager_run_each_time(
    app: Path, name: str, file: str, text: str
) -> None:
    """Only it can see whether the file was replaced."""
    write_files(app, {**FILES[name], file: text})

    needs = MANAGERS[name].resolve_from_files(read_app(app), PYTHON, QUIET)

    assert isinstance(needs, NeedsResolving)
    assert not needs.fingerprint
