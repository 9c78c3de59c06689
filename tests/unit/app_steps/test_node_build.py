"""A build script of `package.json` that nothing has run is noticed."""

from copy import replace
from pathlib import Path

import pytest

from cnb_python.app_steps import node_build
from cnb_python.cnb.context import BuildContext
from cnb_python.config.build_commands import BuildCommand
from tests.support.fake_build import context
from tests.support.trees import Files, write_files

BUILD = '{"scripts": {"build": "vite build"}}'


def missing(directory: Path, files: Files, below: str = "", path: str = "/nonexistent") -> str:
    made: BuildContext = replace(context(directory), environ={"PATH": path})
    write_files(made.app_dir, files)
    return node_build.missing_script(made, made.app_dir / below)


@pytest.mark.parametrize(
    ("content", "script"),
    [
        (BUILD, "build"),
        ('{"scripts": {"heroku-postbuild": "make"}}', "heroku-postbuild"),
        ('{"scripts": {"test": "vitest"}}', ""),
        ('{"scripts": {"build": ""}}', ""),
        ('{"scripts": {"build": 1}}', ""),
        ('{"scripts": []}', ""),
        ("[]", ""),
        ("{", ""),
    ],
)
def test_build_script_is_read(tmp_path: Path, content: str, script: str) -> None:
    assert missing(tmp_path, {"package.json": content}) == script


def test_package_json_at_the_top_of_a_repository_counts(tmp_path: Path) -> None:
    assert missing(tmp_path, {"package.json": BUILD, "api/app.py": ""}, "api") == "build"


def test_node_on_path_ran_it(tmp_path: Path) -> None:
    write_files(tmp_path, {"bin/node": ""})
    assert missing(tmp_path, {"package.json": BUILD}, path=f"{tmp_path}/bin") == ""


def test_layer_of_a_node_buildpack_ran_it(tmp_path: Path) -> None:
    made = context(tmp_path)
    layers = tmp_path / "layers/own"
    write_files(tmp_path / "layers", {"node_engine/node/bin/node": "", "own/x": ""})
    write_files(made.app_dir, {"package.json": BUILD})
    inside = made._replace(layers_dir=layers, environ={})
    assert node_build.missing_script(inside, made.app_dir) == ""


def test_program_of_a_package_of_the_app_ran_nothing(tmp_path: Path) -> None:
    # The layer with the packages is on disk only in some builds.
    made = context(tmp_path)._replace(layers_dir=tmp_path / "layers/own", environ={})
    write_files(made.app_dir, {"package.json": BUILD})
    write_files(tmp_path / "layers", {"own/venv/bin/node": ""})
    assert node_build.missing_script(made, made.app_dir) == "build"


@pytest.mark.parametrize(
    ("run", "script"),
    [
        *((f"cd web && {each}", "") for each in ("npm ci", "yarn", "pnpm i", "bun x vite build")),
        ("nodeenv .node && .node/bin/node build.js", ""),
        ("python manage.py compilemessages", "build"),
        ("rm -r node_modules", "build"),
    ],
)
def test_command_of_the_build_may_have_run_it(tmp_path: Path, run: str, script: str) -> None:
    made: BuildContext = replace(context(tmp_path), environ={})
    write_files(made.app_dir, {"package.json": BUILD})
    command = BuildCommand("web", run, None, ("dist",))
    assert node_build.missing_script(made, made.app_dir, (command,)) == script


@pytest.mark.parametrize("hook", ["bin/pre_compile", "bin/post_compile"])
def test_hook_may_have_run_it(tmp_path: Path, hook: str) -> None:
    assert missing(tmp_path, {"package.json": BUILD, hook: "#!/bin/sh\n"}) == ""
    assert missing(tmp_path / "b", {}) == ""


def test_directory_or_pipe_in_its_place_is_no_script(tmp_path: Path) -> None:
    assert missing(tmp_path, {"package.json/x": ""}) == ""
