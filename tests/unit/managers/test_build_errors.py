"""The Debian and Ubuntu packages with what a build lacks."""

from pathlib import Path
from typing import Literal

import pytest

from cnb_python.managers.build_errors import UNKNOWN, SystemPackages, system_packages

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
