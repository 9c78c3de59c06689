"""Which apps take part."""

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
def test_what_looks_like_python_takes_part_and_asks_for_python(tmp_path: Path, name: str) -> None:
    app_dir = tmp_path / "app"
    app_dir.mkdir()
    (app_dir / name).touch()
    said: list[str] = []

    assert detect(context(app_dir), said.append) == PASS
    plan = tomli.loads((tmp_path / "plan.toml").read_text())
    assert plan == {"provides": [{"name": "python"}], "requires": [{"name": "python"}]}
    assert said == []


def test_what_does_not_says_why_and_leaves_the_plan_alone(tmp_path: Path) -> None:
    app_dir = tmp_path / "app"
    app_dir.mkdir()
    (app_dir / "package.json").touch()
    said: list[str] = []

    assert detect(context(app_dir), said.append) == FAIL
    assert not (tmp_path / "plan.toml").exists()
    assert said == [
        "No Python app: found neither a requirements file, a lock file nor Python code."
    ]


def test_an_app_in_a_directory_is_hinted_at(tmp_path: Path) -> None:
    app_dir = tmp_path / "app"
    for name in ("services/api/uv.lock", "web/package.json", "worker/requirements.txt"):
        (app_dir / name).parent.mkdir(parents=True)
        (app_dir / name).touch()
    said: list[str] = []

    assert detect(context(app_dir), said.append) == FAIL
    assert said[1] == (
        "There is one in services/api and in worker: choose with BP_PYTHON_PROJECT=services/api"
    )


@pytest.mark.parametrize("value", ["services/api", "not/there"])
def test_a_directory_that_is_named_takes_part(tmp_path: Path, value: str) -> None:
    app_dir = tmp_path / "app"
    app_dir.mkdir()

    assert detect(context(app_dir, BP_PYTHON_PROJECT=value), lambda _: None) == PASS


def test_the_name_of_the_setting_is_the_same_everywhere() -> None:
    assert settings.PROJECT == PROJECT
    assert REQUIREMENTS in {one.variable for one in settings.TABLE}


def test_requirements_files_that_are_named_take_part(tmp_path: Path) -> None:
    app_dir = tmp_path / "app"
    app_dir.mkdir()

    assert detect(context(app_dir, **{REQUIREMENTS: "deps/base.in"}), lambda _: None) == PASS
