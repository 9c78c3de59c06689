"""Which apps pass detection, and what it prints for the others."""

from pathlib import Path

import pytest
import tomli

from cnb_python.cnb.context import Buildpack, DetectContext, Platform, Target
from cnb_python.config import settings
from cnb_python.detect import FAIL, PASS, PROJECT, REQUIREMENTS, detect


def context(app_dir: Path, **environ: str) -> DetectContext:
    return DetectContext(
        app_dir=app_dir,
        buildpack=Buildpack("cnb-python/python", "0.1.0", "0.12", app_dir),
        platform=Platform(app_dir, {}, ()),
        target=Target("linux", "amd64", "", "", ""),
        exec_env="production",
        environ=environ,
        plan_path=app_dir.parent / "plan.toml",
    )


@pytest.mark.parametrize("name", ["requirements.txt", "uv.lock", "manage.py", "requirments.txt"])
def test_a_python_app_passes_and_requires_python(tmp_path: Path, name: str) -> None:
    app_dir = tmp_path / "app"
    app_dir.mkdir()
    (app_dir / name).touch()
    lines: list[str] = []

    assert detect(context(app_dir), lines.append) == PASS
    plan = tomli.loads((tmp_path / "plan.toml").read_text())
    assert plan == {"provides": [{"name": "python"}], "requires": [{"name": "python"}]}
    assert lines == []


def test_another_app_fails_with_a_reason_and_without_a_plan(tmp_path: Path) -> None:
    app_dir = tmp_path / "app"
    app_dir.mkdir()
    (app_dir / "package.json").touch()
    lines: list[str] = []

    assert detect(context(app_dir), lines.append) == FAIL
    assert not (tmp_path / "plan.toml").exists()
    assert lines == [
        "No Python app: no requirements file, no lock file and no Python code at the top."
    ]


def test_apps_in_directories_are_named_with_the_setting(tmp_path: Path) -> None:
    app_dir = tmp_path / "app"
    for name in ("services/api/uv.lock", "web/package.json", "worker/requirements.txt"):
        (app_dir / name).parent.mkdir(parents=True)
        (app_dir / name).touch()
    lines: list[str] = []

    assert detect(context(app_dir), lines.append) == FAIL
    assert lines[1] == (
        "Python apps are in services/api, worker: choose one with BP_PYTHON_PROJECT=services/api"
    )


@pytest.mark.parametrize("value", ["services/api", "not/there"])
def test_a_named_project_directory_passes(tmp_path: Path, value: str) -> None:
    app_dir = tmp_path / "app"
    app_dir.mkdir()

    assert detect(context(app_dir, BP_PYTHON_PROJECT=value), lambda _: None) == PASS


def test_the_names_of_settings_are_those_of_the_table() -> None:
    assert settings.PROJECT == PROJECT
    assert REQUIREMENTS in {setting.variable for setting in settings.TABLE}


def test_named_requirements_files_pass(tmp_path: Path) -> None:
    app_dir = tmp_path / "app"
    app_dir.mkdir()

    assert detect(context(app_dir, **{REQUIREMENTS: "deps/base.in"}), lambda _: None) == PASS
