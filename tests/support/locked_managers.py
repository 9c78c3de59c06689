"""The sample apps of Poetry, PDM and Pipenv, and checks that hold for each of them."""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tests.support.builds import Builds, Built, fixture
from tests.support.lock_updates import assert_runs_nothing

type Images = Callable[[str], Built]
"""Returns the image of a sample app, by the app's name, built once per session."""

# No server listens there, so nothing can be downloaded.
NO_INDEX = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_FIND_LINKS": ""}


class Edit(NamedTuple):
    """A replacement in a file of an app."""

    file: str
    old: str
    new: str

    def of(self, app: Path) -> dict[str, str]:
        """Return the file of *app* after the replacement."""
        text = (app / self.file).read_text()
        assert self.old in text
        return {self.file: text.replace(self.old, self.new, 1)}


@dataclass(frozen=True)
class LockedManager:
    """A manager whose tool exports the lock file, and its sample app."""

    command: str
    title: str
    lock: str
    export: tuple[str, ...]
    """The commands of an export, as the log shows them."""
    packages: tuple[str, ...]
    """What the image has."""
    absent: tuple[str, ...]
    """What it does not have: other groups and extras, other Pythons' packages, the tool."""
    tool_files: tuple[str, ...]
    """Words in the names of the tool's own files."""
    chosen: Mapping[str, str]
    """Variables that choose a group or extra."""
    chosen_export: str
    chosen_packages: tuple[str, ...]
    """What the choice adds."""
    stale: Edit
    newer: Edit
    unknown: Mapping[str, str]
    """Variables that choose a name that the app does not declare."""
    unknown_title: str

    @property
    def app(self) -> Path:
        """The sample app."""
        return fixture(f"{self.command}_flask")

    def __str__(self) -> str:
        return self.command


POETRY = LockedManager(
    command="poetry",
    title="Poetry",
    lock="poetry.lock",
    export=("poetry export",),
    packages=("flask", "werkzeug", "gunicorn", "greeter"),
    absent=("pytest", "inflect", "tomli", "poetry"),
    tool_files=("poetry",),
    chosen={"BP_PYTHON_EXTRAS": "text", "BP_PYTHON_GROUPS": "dev"},
    chosen_export="poetry export --with dev --extras text",
    chosen_packages=("inflect", "pytest"),
    stale=Edit("pyproject.toml", "flask (>=3.1", "flask (>=3.0"),
    newer=Edit("poetry.lock", 'lock-version = "2.1"', 'lock-version = "3.0"'),
    unknown={"BP_PYTHON_GROUPS": "txet"},
    unknown_title="There is no group txet in pyproject.toml",
)
PDM = LockedManager(
    command="pdm",
    title="PDM",
    lock="pdm.lock",
    export=("pdm lock --check", "pdm export --prod"),
    packages=("flask", "werkzeug", "gunicorn", "greeter"),
    absent=("pytest", "inflect", "tomli", "pdm", "pdm-backend"),
    tool_files=("pdm",),
    chosen={"BP_PYTHON_EXTRAS": "text"},
    chosen_export="pdm export --prod --group text",
    chosen_packages=("inflect",),
    stale=Edit("pyproject.toml", "flask>=3.1", "flask>=3.0"),
    newer=Edit("pdm.lock", 'lock_version = "4.5', 'lock_version = "5.0'),
    unknown={"BP_PYTHON_EXTRAS": "txet"},
    unknown_title="There is no extra txet in pyproject.toml",
)
PIPENV = LockedManager(
    command="pipenv",
    title="Pipenv",
    lock="Pipfile.lock",
    export=("pipenv verify", "pipenv requirements --hash"),
    packages=("flask", "werkzeug", "gunicorn"),
    absent=("pytest", "inflect", "colorama", "pipenv", "pip", "virtualenv"),
    tool_files=("pipenv", "virtualenv"),
    chosen={"BP_PYTHON_GROUPS": "text"},
    chosen_export="pipenv requirements --hash --categories packages text",
    chosen_packages=("inflect",),
    stale=Edit("Pipfile", "==3.1.3", "==3.1.2"),
    newer=Edit("Pipfile.lock", '"pipfile-spec": 6', '"pipfile-spec": 7'),
    unknown={"BP_PYTHON_GROUPS": "txet"},
    unknown_title="There is no group txet in Pipfile.lock",
)


def assert_serves(built: Built, packages: Iterable[str], absent: Iterable[str]) -> None:
    """Check that the sample app answers, and which packages it finds."""
    with built.serve() as served:
        assert "Hello, world!" in served.fetch()
        health = served.fetch("/health")
    assert [name for name in packages if f'"{name}"' not in health] == []
    assert [name for name in absent if f'"{name}"' in health] == []


def assert_has_no_tool(built: Built, app: Path, words: Iterable[str]) -> None:
    """Check that no file with one of *words* is in the image of *app*, and `/tmp` is empty."""
    files = (path for word in words for path in built.root.rglob(f"*{word}*"))
    assert [path for path in files if "workspace" not in str(path)] == []
    assert built.scratch == []
    assert _names(built.workspace) == _names(app)


def assert_unchanged(builds: Builds, app: Path, before: Built) -> None:
    """Check that a build of *app* after *before*, without an index, runs and makes nothing."""
    again = builds.phases(app, before, env=NO_INDEX)
    assert again.code == 0, again.output
    assert "  Nothing changed: " in again.output
    assert_runs_nothing(again)
    assert {path.name for path in again.layers.iterdir() if path.is_dir()} == {"deps"}
    for layer in ("python", "venv", "deps-00"):
        assert _metadata(again, layer) == _metadata(before, layer)


def _names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def _metadata(built: Built, layer: str) -> object:
    return tomllib.loads((built.layers / f"{layer}.toml").read_text()).get("metadata")
