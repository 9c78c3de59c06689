"""The digest of a project that is installed from its directory."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cnb_python.errors.locks import PathOutsideApp
from cnb_python.managers import fingerprint

PLAIN = """
[project]
name = "app"
version = "1"
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in (
        ("pyproject.toml", PLAIN),
        ("README.md", "# App"),
        ("src/app/__init__.py", "version = 1"),
        ("src/app/views.py", "1"),
        (".git/HEAD", "ref: refs/heads/main"),
        (".git/refs/heads/main", "a" * 40),
        (".venv/pyvenv.cfg", "home"),
    ):
        write(tmp_path / name, text)
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def counts(project: Path, change: Callable[[Path], object], *, is_editable: bool = True) -> bool:
    before = fingerprint.project_digest(project, is_editable=is_editable)
    change(project)
    return fingerprint.project_digest(project, is_editable=is_editable) != before


def code(project: Path) -> None:
    write(project / "src/app/views.py", "2")


def test_code_of_editable_project_does_not_count(project: Path) -> None:
    assert not counts(project, code)


@pytest.mark.parametrize(
    ("name", "target"),
    [("src/pages", "app"), ("link.py", "src/app/views.py"), ("README.txt", "x")],
)
def test_links_of_editable_project_count(project: Path, name: str, target: str) -> None:
    """The digest is part of what a build compares with the previous image."""
    assert counts(project, lambda directory: (directory / name).symlink_to(target))


def test_digest_of_editable_project_is_that_of_older_releases(project: Path) -> None:
    (project / "src/pages").symlink_to("app")
    (project / "data.csv").symlink_to("nowhere")
    digest = fingerprint.project_digest(project, is_editable=True)

    assert digest == "3234811cf487dc197a23c62fb507324fa482ad003bdba89a5debd1ef0596cbcc"


def test_code_of_copied_project_counts(project: Path) -> None:
    assert counts(project, code, is_editable=False)


@pytest.mark.parametrize(
    "name",
    [
        *("pyproject.toml", "README.md", "LICENSE", "setup.cfg", "MANIFEST.in", "setup.py"),
        *("other.py", "src/other.py", "src/new/__init__.py", "src/app/sub/__init__.py"),
    ],
)
def test_files_that_metadata_and_backends_read_count(project: Path, name: str) -> None:
    assert counts(project, lambda path: write(path / name, PLAIN + "# 2"))


@pytest.mark.parametrize(
    "name",
    [".venv/new", "src/app/__pycache__/x.pyc", "app.egg-info/PKG-INFO", ".git/objects/1"],
)
def test_generated_files_do_not_count(project: Path, name: str) -> None:
    assert not counts(project, lambda path: write(path / name, "1"))
    assert not counts(project, lambda path: write(path / name, "2"), is_editable=False)


@pytest.mark.parametrize(
    "table",
    [
        PLAIN.replace('version = "1"', 'dynamic = ["version"]'),
        PLAIN.replace("hatchling.build", "maturin"),
        PLAIN + "[tool.hatch.build.hooks.custom]\n",
        PLAIN + "[tool.setuptools]\next-modules = []\n",
        PLAIN.replace("[project]", "[tool.poetry]"),
        PLAIN.replace('build-backend = "hatchling.build"', 'backend-path = ["."]'),
        "no TOML",
        "",
    ],
)
def test_code_counts_if_the_backend_may_read_it(project: Path, table: str) -> None:
    write(project / "pyproject.toml", table)

    assert counts(project, code)


def test_commit_counts_if_the_version_may_come_from_it(project: Path) -> None:
    write(project / "pyproject.toml", PLAIN.replace('version = "1"', 'dynamic = ["version"]'))

    assert counts(project, lambda path: write(path / ".git/refs/heads/main", "b" * 40))
    assert counts(project, lambda path: write(path / ".git/refs/tags/v1", "b" * 40))


def test_links_count_by_their_target(project: Path) -> None:
    (project / "data").symlink_to("/nowhere")

    def turn(path: Path) -> None:
        (path / "data").unlink()
        (path / "data").symlink_to("/elsewhere")

    assert counts(project, turn, is_editable=False)


def test_missing_directory_has_a_digest_of_its_own(project: Path) -> None:
    gone = fingerprint.project_digest(project / "gone", is_editable=True)

    assert gone != fingerprint.project_digest(project, is_editable=True)


@pytest.mark.parametrize("name", ["../shared", "libs/../../shared", "gone/../.."])
def test_path_outside_the_app_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(PathOutsideApp) as caught:
        fingerprint.source_path(name, "uv.lock", tmp_path / "app", tmp_path / "app")

    assert (caught.value.file, caught.value.path) == ("uv.lock", name)


def test_path_in_the_same_repository_is_allowed(tmp_path: Path) -> None:
    app = tmp_path / "services/api"

    assert fingerprint.source_path("../../libs", "uv.lock", app, tmp_path) == tmp_path / "libs"


def test_link_to_the_root_of_the_build_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "all").symlink_to("/")

    with pytest.raises(PathOutsideApp):
        fingerprint.source_path("all", "uv.lock", tmp_path, tmp_path)


def test_project_or_archive_of_the_build_image_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "opt").mkdir()
    for name in ("opt/pyproject.toml", "six-1.0-py3-none-any.whl"):
        (tmp_path / name).touch()
    app = tmp_path / "app"

    for path in (tmp_path / "opt", tmp_path / "six-1.0-py3-none-any.whl"):
        assert fingerprint.source_path(str(path), "uv.lock", app, app) == path
