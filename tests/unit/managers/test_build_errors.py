"""The Debian and Ubuntu packages with what a build lacks."""

from pathlib import Path
from typing import Literal

import pytest

from cnb_python.errors.base import Failure
from cnb_python.errors.packages.building import MissingForBuild, SourceBuildFailed
from cnb_python.errors.packages.finding import WrongPython
from cnb_python.managers.build_errors import (
    UNKNOWN,
    SystemPackages,
    build_failure,
    system_packages,
)
from tests.support.messages import explained

type Kind = Literal["header", "library", "program"]


@pytest.mark.parametrize(
    ("kind", "name", "debian"),
    [
        ("header", "libpq-fe.h", "libpq-dev"),
        ("header", "openssl/aes.h", "libssl-dev"),
        ("library", "xmlsec1", "libxmlsec1-dev"),
        ("library", "MYSQLCLIENT", "default-libmysqlclient-dev"),
        ("library", "hdf5", "libhdf5-dev"),
        ("program", "krb5-config", "libkrb5-dev"),
        ("program", "Rust", "cargo"),
    ],
)
def test_missing_thing_leads_to_its_package(kind: Kind, name: str, debian: str) -> None:
    assert system_packages(kind, name).debian == debian


FRAME = """\
  \u00d7 Building wheel for dlib (pyproject.toml) did not run successfully.
  ╰─> [3 lines of output]
{}
      [end of output]
  ERROR: Failed building wheel for dlib
"""
LINE = "=" * 80


def failed(output: str) -> Failure:
    failure = build_failure(FRAME.format(output), "3.14.6")
    assert isinstance(failure, Failure)
    assert explained(failure)
    return failure


def test_lines_that_frame_others_are_no_reason() -> None:
    failure = failed(f"{LINE}\nThe model is not there!\n{LINE}")

    assert isinstance(failure, SourceBuildFailed)
    assert failure.problem == "The model is not there!"


def test_cmake_in_the_words_of_a_package_is_named() -> None:
    failure = failed(f"{LINE}\nCMake is not installed on your system!\n{LINE}")

    assert isinstance(failure, MissingForBuild)
    assert (failure.kind, failure.name) == ("program", "CMake")


def test_python_that_is_too_new_for_pyo3_is_another_python() -> None:
    """Not a failed build: the line that helps is about the Python."""
    failure = failed(
        "error: the configured Python interpreter version (3.14) is newer than PyO3's maximum "
        "supported version (3.13)\n= help: please check if an updated version of PyO3 exists"
    )

    assert isinstance(failure, WrongPython)
    assert (failure.requirement, failure.needs) == ("dlib", ("<3.14",))


def test_package_may_have_another_name_in_ubuntu() -> None:
    assert system_packages("header", "jpeglib.h") == SystemPackages(
        "libjpeg62-turbo-dev", "libjpeg-turbo8-dev"
    )


@pytest.mark.parametrize("name", ["mine.h", "openssl", "PNG.H"])
def test_unknown_header_has_no_package(name: str) -> None:
    assert system_packages("header", name) == UNKNOWN


def test_table_with_one_row_is_read(tmp_path: Path) -> None:
    table = tmp_path / "table.toml"
    table.write_text('[[package]]\ndebian = "a"\nubuntu = "b"\nprograms = ["p"]\n')

    assert system_packages("program", "p", table) == SystemPackages("a", "b")
    assert system_packages("library", "p", table) == UNKNOWN
