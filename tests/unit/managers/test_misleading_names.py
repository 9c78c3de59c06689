"""Requirements that fail because they name something other than a package."""

import sys

import pytest

from cnb_python.cnb import toml
from cnb_python.errors.base import BuildpackError
from cnb_python.errors.packages.building import SourceBuildFailed
from cnb_python.errors.packages.finding import NoSuchPackage, NoSuchVersion, WrongPython
from cnb_python.errors.packages.requirements import MisleadingName, NotAPackage
from cnb_python.managers.misleading_names import TABLE, better_failure
from cnb_python.managers.requirement_lines import normalized_name
from tests.support.messages import explained

PYTHON = "3.14.6"


@pytest.mark.parametrize(
    ("failure", "kind", "fix"),
    [
        (SourceBuildFailed("sklearn", "no", PYTHON), "renamed", "Write scikit-learn in its place"),
        (NoSuchPackage("PIL", "", ()), "renamed", "Write Pillow in its place"),
        (NoSuchVersion("jwt==2.8.0", ("1.4.0",)), "renamed", "Write PyJWT in its place"),
        (NoSuchPackage("pkg_resources==0.0.0", "", ()), "system", "Remove the line"),
        (NoSuchPackage("python==3.11", "", ()), "interpreter", ".python-version"),
        (WrongPython("dataclasses==0.8", (">=3.6,<3.7",), PYTHON), "module", "Remove the line"),
        (SourceBuildFailed("functools32", "no", PYTHON), "backport", "Remove the line"),
        (NoSuchPackage("sqlite3", "", ()), "module", "Remove the line"),
        (NoSuchPackage("conda==24.1", "", ()), "conda", "in a virtual environment"),
    ],
)
def test_name_is_explained_by_what_it_stands_for(
    failure: BuildpackError, kind: str, fix: str
) -> None:
    better = better_failure(failure)

    assert isinstance(better, MisleadingName)
    assert better.kind == kind
    text = explained(better)
    assert fix in text
    assert "Use another version" not in text


@pytest.mark.parametrize(
    "failure",
    [
        NoSuchPackage("company-tools==1.0", "", ()),
        # The app cannot change what a package requires.
        NoSuchPackage("sklearn", "lightgbm", ()),
        NoSuchPackage("./libs", "", ()),
        NotAPackage("yaml"),
    ],
)
def test_other_failures_stay(failure: BuildpackError) -> None:
    assert better_failure(failure) is failure


def test_table_is_canonical() -> None:
    document = toml.read(TABLE)
    kinds = ("renamed", "backport", "system", "conda")

    rows = [row for kind in kinds for row in toml.tables_at(document, kind)]

    names = [str(name) for row in rows for name in row["names"]]  # type: ignore[union-attr]
    assert list(document) == list(kinds)
    assert all(name == normalized_name(name) for name in names)
    assert len(names) == len(set(names))
    assert all(row["names"] == sorted(row["names"]) for row in rows)  # type: ignore[type-var,arg-type]
    # The standard library is known without the table.
    assert not {name.replace("-", "_") for name in names} & set(sys.stdlib_module_names)
