"""The tables of shared libraries: typed, sorted, unique."""

from typing import Annotated

import tomli
from pydantic import BaseModel, ConfigDict, Field

from cnb_python.provision import libraries, native_libraries
from cnb_python.provision.libraries import Packages

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9+.-]+$")]
Library = Annotated[str, Field(pattern=r"^lib[\w+.-]+\.so[\d.]*$")]


class Row(BaseModel):
    """The libraries of one package."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    debian: Name
    ubuntu: Name | Annotated[str, Field(max_length=0)]
    files: Annotated[list[Library], Field(min_length=1)]


class PackageRow(BaseModel):
    """What one package of Python needs."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: Name
    loads: list[Library]
    unless: list[Name]
    instead: Annotated[str, Field(pattern=r"^([a-z0-9-]+(\[\w+\])?)?$")]


def library_rows() -> list[Row]:
    return [Row.model_validate(row) for row in tomli.loads(libraries.TABLE.read_text())["library"]]


def package_rows() -> list[PackageRow]:
    table = tomli.loads(native_libraries.TABLE.read_text())["package"]
    return [PackageRow.model_validate(row) for row in table]


def test_rows_are_sorted_and_unique() -> None:
    names = [row.debian for row in library_rows()]
    assert names == sorted(set(names))
    files = [name for row in library_rows() for name in row.files]
    assert len(files) == len(set(files))
    assert all(row.files == sorted(row.files) for row in library_rows())
    assert len(names) > 100
    packages = [row.name for row in package_rows()]
    assert packages == sorted(set(packages))


def test_every_library_that_a_package_loads_has_a_package_of_debian() -> None:
    held = Packages.read()
    assert [name for row in package_rows() for name in row.loads if name not in held] == []
    assert all(row.loads or row.instead for row in package_rows())
