"""The Python versions that a package manager accepts, compared with the resolved one."""

from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.errors.python import PythonOutsideRange
from cnb_python.python.origin import Origin
from cnb_python.python.request import parse_version
from cnb_python.python.resolver import check_manager_requests, manager_requests, resolve
from tests.support.inventory import AMD64, INVENTORY, TODAY
from tests.support.trees import Files, write_files

PROJECT = '[project]\nrequires-python = ">=3.12"\n'
POETRY = '[tool.poetry.dependencies]\npython = "^3.9"\n'
PIPENV = '{"_meta": {"requires": {"python_version": "3.13"}}}'


def required(directory: Path, deciding_file: str, files: Files) -> list[str]:
    app = read_app(write_files(directory / "app", files))
    return [str(request) for request in manager_requests(app, deciding_file)]


@pytest.mark.parametrize(
    ("deciding_file", "expected"),
    [
        *((name, [">=3.12"]) for name in ("uv.lock", "pdm.lock", "pylock.toml")),
        *((name, [">=3.12", "^3.9"]) for name in ("poetry.lock", "pyproject.toml")),
        *(("Pipfile.lock", ["3.13"]), ("Pipfile", ["3.13"])),
        *(("requirements.txt", []), ("setup.py", [])),
    ],
)
def test_each_manager_has_its_own_ranges(
    deciding_file: str, expected: list[str], tmp_path: Path
) -> None:
    files: Files = {"pyproject.toml": PROJECT + POETRY, "Pipfile.lock": PIPENV}

    assert required(tmp_path, deciding_file, files) == expected


def test_the_range_of_pylock_counts_only_if_it_is_installed(tmp_path: Path) -> None:
    files: Files = {"pylock.toml": "requires-python = '>=3.13'\n", "pyproject.toml": PROJECT}

    assert required(tmp_path, "pylock.toml", files) == [">=3.12", ">=3.13"]
    assert required(tmp_path, "uv.lock", files) == [">=3.12"]


def test_an_unreadable_file_is_left_to_the_manager(tmp_path: Path) -> None:
    assert required(tmp_path, "uv.lock", {"pyproject.toml": "["}) == []


def test_two_contradicting_files_are_both_named(tmp_path: Path) -> None:
    app = read_app(write_files(tmp_path, {"pyproject.toml": PROJECT}))
    asked = (parse_version("3.11", Origin(".python-version", 1)),)
    resolution = resolve(asked, INVENTORY, AMD64, TODAY)

    with pytest.raises(PythonOutsideRange) as caught:
        check_manager_requests(
            resolution, manager_requests(app, "uv.lock"), INVENTORY, AMD64, TODAY
        )

    failure = caught.value
    assert (failure.version, failure.asked) == ("3.11.10", "3.11")
    assert failure.origin == ".python-version, line 1"
    assert failure.range_origin == "requires-python in pyproject.toml, line 2"
    assert (failure.range, failure.fit) == (">=3.12", "3.13")


def test_a_range_without_releases_proposes_no_line(tmp_path: Path) -> None:
    text = '[project]\nrequires-python = ">=4"\n'
    app = read_app(write_files(tmp_path, {"pyproject.toml": text}))
    resolution = resolve((), INVENTORY, AMD64, TODAY)

    with pytest.raises(PythonOutsideRange) as caught:
        check_manager_requests(
            resolution, manager_requests(app, "uv.lock"), INVENTORY, AMD64, TODAY
        )

    assert caught.value.fit == ""


def test_files_that_agree_pass(tmp_path: Path) -> None:
    app = read_app(write_files(tmp_path, {"pyproject.toml": PROJECT}))

    check_manager_requests(
        resolve((), INVENTORY, AMD64, TODAY),
        manager_requests(app, "uv.lock"),
        INVENTORY,
        AMD64,
        TODAY,
    )
