"""What a package manager insists on, beside who asked."""

from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.errors.python import PythonOutsideRange
from cnb_python.python.origin import Origin
from cnb_python.python.request import parse_version
from cnb_python.python.resolver import bounds, check_bounds, resolve
from tests.support.inventory import AMD64, INVENTORY, TODAY
from tests.support.trees import Files, write_files

PROJECT = '[project]\nrequires-python = ">=3.12"\n'
POETRY = '[tool.poetry.dependencies]\npython = "^3.9"\n'
PIPENV = '{"_meta": {"requires": {"python_version": "3.13"}}}'


def insisted(directory: Path, deciding_file: str, files: Files) -> list[str]:
    app = read_app(write_files(directory / "app", files))
    return [str(one) for one in bounds(app, deciding_file)]


@pytest.mark.parametrize(
    ("deciding_file", "expected"),
    [
        *((name, [">=3.12"]) for name in ("uv.lock", "pdm.lock", "pylock.toml")),
        *((name, [">=3.12", "^3.9"]) for name in ("poetry.lock", "pyproject.toml")),
        *(("Pipfile.lock", ["3.13"]), ("Pipfile", ["3.13"])),
        *(("requirements.txt", []), ("setup.py", [])),
    ],
)
def test_each_manager_insists_on_what_it_would_refuse(
    deciding_file: str, expected: list[str], tmp_path: Path
) -> None:
    files: Files = {"pyproject.toml": PROJECT + POETRY, "Pipfile.lock": PIPENV}

    assert insisted(tmp_path, deciding_file, files) == expected


def test_a_standard_lock_s_range_binds_whoever_installs_it(tmp_path: Path) -> None:
    files: Files = {"pylock.toml": "requires-python = '>=3.13'\n", "pyproject.toml": PROJECT}

    assert insisted(tmp_path, "pylock.toml", files) == [">=3.12", ">=3.13"]
    assert insisted(tmp_path, "uv.lock", files) == [">=3.12"]


def test_what_cannot_be_read_is_left_for_the_manager(tmp_path: Path) -> None:
    assert insisted(tmp_path, "uv.lock", {"pyproject.toml": "["}) == []


def test_two_files_that_disagree_are_both_named(tmp_path: Path) -> None:
    app = read_app(write_files(tmp_path, {"pyproject.toml": PROJECT}))
    asked = (parse_version("3.11", Origin(".python-version", 1)),)
    resolution = resolve(asked, INVENTORY, AMD64, TODAY)

    with pytest.raises(PythonOutsideRange) as caught:
        check_bounds(resolution, bounds(app, "uv.lock"), INVENTORY, AMD64, TODAY)

    failure = caught.value
    assert (failure.version, failure.asked) == ("3.11.10", "3.11")
    assert failure.origin == ".python-version, line 1"
    assert failure.range_origin == "requires-python in pyproject.toml, line 2"
    assert (failure.range, failure.fit) == (">=3.12", "3.13")


def test_a_range_that_nothing_satisfies_proposes_nothing(tmp_path: Path) -> None:
    text = '[project]\nrequires-python = ">=4"\n'
    app = read_app(write_files(tmp_path, {"pyproject.toml": text}))
    resolution = resolve((), INVENTORY, AMD64, TODAY)

    with pytest.raises(PythonOutsideRange) as caught:
        check_bounds(resolution, bounds(app, "uv.lock"), INVENTORY, AMD64, TODAY)

    assert caught.value.fit == ""


def test_files_that_agree_are_fine(tmp_path: Path) -> None:
    app = read_app(write_files(tmp_path, {"pyproject.toml": PROJECT}))

    check_bounds(
        resolve((), INVENTORY, AMD64, TODAY), bounds(app, "uv.lock"), INVENTORY, AMD64, TODAY
    )
