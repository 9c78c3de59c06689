"""The table of packages that hold headers, libraries and programs: typed, sorted, unique."""

from collections import Counter
from typing import Annotated

import tomli
from pydantic import BaseModel, ConfigDict, Field

from cnb_python.managers.build_errors import TABLE

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9+.-]+$")]
Thing = Annotated[str, Field(pattern=r"^[\w./+-]+$")]


class Row(BaseModel):
    """What one package holds."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    debian: Name
    ubuntu: Name
    headers: list[Thing] = []
    libraries: list[Thing] = []
    pkg_config: list[Thing] = []
    cmake: list[Thing] = []
    programs: list[Thing] = []


def rows() -> list[Row]:
    return [Row.model_validate(row) for row in tomli.loads(TABLE.read_text())["package"]]


def test_rows_are_unique_and_sorted() -> None:
    names = [row.debian for row in rows()]

    assert names == sorted(set(names))
    assert len(names) > 150


def test_no_row_is_empty_and_all_are_sorted() -> None:
    for row in rows():
        columns = (row.headers, row.libraries, row.pkg_config, row.cmake, row.programs)
        assert any(columns), row.debian
        assert all(column == sorted(set(column)) for column in columns), row.debian


def test_no_file_is_in_two_packages() -> None:
    for held in (
        [name for row in rows() for name in row.headers],
        [name for row in rows() for name in row.programs],
        [
            name
            for row in rows()
            for name in {text.casefold() for text in (*row.libraries, *row.pkg_config, *row.cmake)}
        ],
    ):
        assert [name for name, times in Counter(held).items() if times > 1] == []
