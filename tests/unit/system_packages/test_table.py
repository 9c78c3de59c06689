"""The table of paths in its canonical form."""

from cnb_python.cnb import toml
from cnb_python.system_packages.paths import TABLE


def test_rows_are_sorted_and_complete() -> None:
    rows = toml.tables_at(toml.read(TABLE), "path")

    names = [str(row["variable"]) for row in rows]
    assert names == sorted(set(names))
    for row in rows:
        assert row["action"] in {"default", "append"}, row
        assert isinstance(row["paths"], list), row
        assert all(not str(path).startswith("/") for path in row["paths"]), row
        assert row.keys() <= {"variable", "action", "paths", "up", "after"}, row


def test_programs_of_packages_are_in_the_layer() -> None:
    for row in toml.tables_at(toml.read(TABLE), "made"):
        assert row.keys() == {"when", "argv", "output"}, row
        assert isinstance(row["argv"], list), row
        assert str(row["argv"][0]).startswith("@usr/"), row
