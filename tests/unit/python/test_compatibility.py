"""The Python versions that a package manager accepts, compared with the resolved one."""

from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.errors.python_releases import PythonOutsideRange
from cnb_python.errors.python_requests import InvalidPythonRange
from cnb_python.python.origin import Origin
from cnb_python.python.request import parse_version
from cnb_python.python.resolver import (
    check_manager_requests,
    manager_requests,
    release_warnings,
    resolve,
)
from cnb_python.python.specifiers import parse_constraint, parse_specifier
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
        ("requirements.txt", []),
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


def test_the_range_of_setup_py_counts_if_it_is_installed(tmp_path: Path) -> None:
    files: Files = {"setup.py": 'setup(python_requires="<3.13")'}

    assert required(tmp_path / "a", "setup.py", files) == ["<3.13"]
    assert required(tmp_path / "b", "requirements.txt", files) == []


def test_a_range_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    files: Files = {"pyproject.toml": PROJECT.replace(">=3.12", "3.12.*")}

    for name in ("uv.lock", "pdm.lock", "pyproject.toml"):
        with pytest.raises(InvalidPythonRange):
            required(tmp_path / name, name, {**files, name: files.get(name, "")})
    assert required(tmp_path / "a", "requirements.txt", files) == []


def test_a_range_of_poetry_is_a_bound_of_another_version(tmp_path: Path) -> None:
    files: Files = {"pyproject.toml": PROJECT.replace(">=3.12", "3.11.*"), "poetry.lock": ""}
    app = read_app(write_files(tmp_path, files))
    asked = (parse_version("3.13", Origin(".python-version", 1)),)
    bounds = manager_requests(app, "poetry.lock")
    resolution = resolve(asked, INVENTORY, AMD64, TODAY, bounds=bounds)

    with pytest.raises(PythonOutsideRange) as caught:
        check_manager_requests(resolution, bounds, INVENTORY, AMD64, TODAY)

    assert caught.value.origin == ".python-version, line 1"
    assert caught.value.range_origin == "requires-python in pyproject.toml, line 2"
    assert caught.value.fit == "3.11"


def test_the_newest_release_of_a_line_within_the_bounds_is_chosen() -> None:
    asked = (parse_version("3.13", Origin(".python-version", 1)),)
    newest = resolve(asked, INVENTORY, AMD64, TODAY).release.version
    bounds = (parse_specifier(f"<{newest}", Origin("pyproject.toml", 2)),)

    resolution = resolve(asked, INVENTORY, AMD64, TODAY, bounds=bounds)

    assert resolution.release.version.startswith("3.13.")
    assert resolution.release.version != newest
    outdated = release_warnings(resolution, TODAY)[-1]
    assert "excludes newer releases" in outdated.body[-1]


def test_a_range_that_was_chosen_and_the_bounds_are_met_together() -> None:
    asked = (parse_constraint("^3", Origin("mise.toml", 2)),)
    bounds = (parse_specifier("<3.13", Origin("pyproject.toml", 2)),)

    assert resolve(asked, INVENTORY, AMD64, TODAY, bounds=bounds).line.minor == "3.11"


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
