"""The app's Python and the libraries linked into it, read from the interpreter."""

import json
import re
import sqlite3
import ssl
import sys
from pathlib import Path
from typing import Annotated

import pytest
import tomli
from packaging.licenses import canonicalize_license_expression
from pydantic import BaseModel, ConfigDict, Field

from cnb_python.sbom import interpreter
from cnb_python.sbom.interpreter import component, linked_libraries
from tests.support.elf_files import elf

Facts = dict[str, object]
SQLITE: Facts = {"_sqlite3": {"file": "", "values": {"sqlite_version": "3.53.1"}}}


def program(directory: Path, content: bytes) -> Path:
    """Write the program of an interpreter; return its path."""
    for name in ("bin", "lib"):
        (directory / name).mkdir()
    path = directory / "bin/python3.14"
    path.write_bytes(content)
    return path


def versions(facts: Facts, path: Path) -> dict[str, str]:
    return {each.name: each.version for each in linked_libraries(json.dumps(facts), path)}


def test_libraries_of_this_interpreter_are_found(capsys: pytest.CaptureFixture[str]) -> None:
    """It is of the kind that apps get."""
    exec(interpreter.probe(), {})

    listed = versions(json.loads(capsys.readouterr().out), Path(sys.executable).resolve())

    assert listed["openssl"] == ssl.OPENSSL_VERSION.split()[1]
    assert listed["sqlite"] == sqlite3.sqlite_version
    told = {"bzip2", "expat", "mpdecimal", "ncurses", "openssl", "sqlite", "xz", "zlib", "zstd"}
    assert told <= {name for name in listed if re.fullmatch(r"\d+(\.\d+)+", listed[name])}
    assert listed["libffi"] == ""


def test_python_has_a_cpe_and_contains_its_libraries(tmp_path: Path) -> None:
    libraries = linked_libraries(json.dumps(SQLITE), program(tmp_path, b""))

    python = component("3.14.6", "ab" * 32, libraries)

    assert python.purl == "pkg:generic/python@3.14.6"
    assert python.cpe == "cpe:2.3:a:python:python:3.14.6:*:*:*:*:*:*:*"
    assert [each.cpe for each in python.contains] == [
        "cpe:2.3:a:sqlite:sqlite:3.53.1:*:*:*:*:*:*:*"
    ]


def test_prerelease_is_the_update_of_a_cpe() -> None:
    assert component("3.15.0b2", "", ()).cpe == "cpe:2.3:a:python:python:3.15.0:b2:*:*:*:*:*:*"


def test_library_of_the_system_is_left_out(tmp_path: Path) -> None:
    path = program(tmp_path, elf(needed=["libsqlite3.so.0", "libc.so.6"]))

    assert versions(SQLITE, path) == {}


def test_library_that_python_brings_is_listed(tmp_path: Path) -> None:
    path = program(tmp_path, elf(needed=["libsqlite3.so.0"]))
    (tmp_path / "lib/libsqlite3.so.0").touch()

    assert versions(SQLITE, path) == {"sqlite": "3.53.1"}


def test_library_of_the_system_that_a_module_loads_is_left_out(tmp_path: Path) -> None:
    module = tmp_path / "_sqlite3.so"
    module.write_bytes(elf(needed=["libsqlite3.so.0"]))
    facts: Facts = {"_sqlite3": {"file": str(module), "values": {"sqlite_version": "3.53.1"}}}

    assert versions(facts, program(tmp_path, elf())) == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"\x005.8.1\x00", "5.8.1"),
        (b"\x005.8.1\x00 \x005.8.1\x00", "5.8.1"),
        (b"\x005.8.1\x00 \x005.6.0\x00", ""),
        (b"x5.8.1\x00", ""),
        (b"", ""),
    ],
)
def test_version_in_the_program_counts_if_it_is_clear(
    tmp_path: Path, text: bytes, expected: str
) -> None:
    path = program(tmp_path, b"code" + text + b"more")

    assert versions({"_lzma": {"file": "", "values": {}}}, path) == {"xz": expected}


def test_version_is_read_in_the_shared_library_of_python(tmp_path: Path) -> None:
    path = program(tmp_path, elf(needed=["libpython3.14.so.1.0"]))
    text = b"...bzip2/libbzip2: internal error\x001.0.8, 13-Jul-2019\x00"
    (tmp_path / "lib/libpython3.14.so.1.0").write_bytes(text)

    assert versions({"_bz2": {"file": "", "values": {}}}, path) == {"bzip2": "1.0.8"}


@pytest.mark.parametrize(
    ("backend", "expected"), [("editline", "libedit"), ("readline", "readline")]
)
def test_library_behind_readline_is_the_one_it_reports(
    tmp_path: Path, backend: str, expected: str
) -> None:
    facts: Facts = {"readline": {"file": "", "values": {"backend": backend}}}

    assert list(versions(facts, program(tmp_path, b""))) == [expected]


def test_warnings_of_the_interpreter_do_not_matter(tmp_path: Path) -> None:
    printed = f"Warning: one\n{json.dumps(SQLITE)}\nWarning: two\n"

    assert len(linked_libraries(printed, program(tmp_path, b""))) == 1


@pytest.mark.parametrize("printed", ["", "3.14.6\n", "[]", '{"_ssl": 3}', '{"_ssl": {"file": 1}}'])
def test_other_output_gives_no_libraries(tmp_path: Path, printed: str) -> None:
    assert linked_libraries(printed, program(tmp_path, b"")) == ()


class Row(BaseModel):
    """A library that CPython is linked with."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9]+$")]
    module: str
    attribute: str = ""
    text: str = ""
    near: str = ""
    within: int = 0
    only_if: Annotated[list[str], Field(alias="if", min_length=2, max_length=2)] = ["", ""]
    license: str
    cpe: Annotated[str, Field(pattern=r"^([a-z_]+:[a-z0-9]+)?$")] = ""
    shared: Annotated[str, Field(pattern=r"^lib")]


def test_table_is_sorted_and_has_valid_rows() -> None:
    table = tomli.loads(interpreter.TABLE.read_text())["library"]
    rows = [Row.model_validate(row) for row in table]

    assert [row.name for row in rows] == sorted({row.name for row in rows})
    for row in rows:
        assert canonicalize_license_expression(row.license) == row.license
        assert not row.text or (row.near and row.within and re.compile(row.text).groups == 1)
