"""TOML documents: read, written and refused."""

import os
import tempfile
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnb_python.cnb import toml
from cnb_python.cnb.toml import Writable
from cnb_python.errors.inputs import UnreadableToml

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = (
    TEXT
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.dates(min_value=date(1000, 1, 1))
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4)
)


@given(st.dictionaries(TEXT, VALUES, max_size=6))
def test_a_written_document_is_read_back(table: Mapping[str, Writable]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "a.toml")
        toml.write(path, table)

        assert toml.read(path) == table


def test_control_characters_quotes_and_newlines_survive(tmp_path: Path) -> None:
    table = {'k"e\ny\0': "".join(map(chr, range(0x100))) + '\u2028\U0001f40d"\'\'\'"""\r\n'}

    toml.write(tmp_path / "a.toml", table)

    assert toml.read(tmp_path / "a.toml") == table


def test_tuples_are_written_as_arrays(tmp_path: Path) -> None:
    toml.write(tmp_path / "a.toml", {"list": ("a", "b"), "when": datetime(2026, 1, 2, tzinfo=UTC)})

    assert toml.read(tmp_path / "a.toml") == {
        "list": ["a", "b"],
        "when": datetime(2026, 1, 2, tzinfo=UTC),
    }


def test_dates_and_times_are_read() -> None:
    table = toml.parse("d = 2026-10-31\nt = 07:32:00\n", Path("a.toml"))

    assert table == {"d": date(2026, 10, 31), "t": time(7, 32)}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a = ", "Invalid value (at end of document)"),
        ("[a]\nb = 1\nb = 2\n", "Cannot overwrite a value (at line 3, column 6)"),
        ("\ufeffa = 1", "Invalid statement (at line 1, column 1)"),
        ("a = " + "[" * 2000, "it has more than 100 tables or lists inside each other"),
        ("a = " + "[" * 150 + "]" * 150, "it has more than 100 tables or lists"),
        (".".join("a" * 99) + " = 1\n" + ".".join("b" * 102) + " = 1", "more than 100 dots"),
        (f"[{' . '.join(['"a"'] * 102)}]", "more than 100 dots"),
        ("a = " + "9" * 5000, "Exceeds the limit"),
    ],
)
def test_an_error_is_refused_with_line_and_column(text: str, reason: str) -> None:
    with pytest.raises(UnreadableToml) as caught:
        toml.parse(text, Path("app", "pyproject.toml"))

    assert caught.value.path == Path("app", "pyproject.toml")
    assert reason in caught.value.reason


def test_a_file_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(b"a = 1\nb = '\xe9'\n")

    with pytest.raises(UnreadableToml) as caught:
        toml.read(path)

    assert caught.value.reason == "line 2 is not UTF-8 text"


def test_a_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("a = 1\n", encoding="utf-8-sig")

    assert toml.read(path) == {"a": 1}


def test_a_utf_16_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("a = 1\n", encoding="utf-16")

    with pytest.raises(UnreadableToml) as caught:
        toml.read(path)

    assert caught.value.reason.startswith("it is UTF-16 text")


def test_a_missing_file_and_a_directory_are_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableToml) as missing:
        toml.read(tmp_path / "none.toml")
    with pytest.raises(UnreadableToml) as directory:
        toml.read(tmp_path)

    assert missing.value.reason == "No such file or directory"
    assert directory.value.reason == "Is a directory"


def test_a_pipe_is_refused_without_reading(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.toml")

    with pytest.raises(UnreadableToml) as caught:
        toml.read(tmp_path / "a.toml")

    assert caught.value.reason == "it is a named pipe, not a file"


def test_a_value_that_toml_cannot_hold_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        toml.write(tmp_path / "a.toml", {"a": None})  # type: ignore[dict-item]  # the point

    assert list(tmp_path.iterdir()) == []


def test_values_that_are_not_tables_are_ignored() -> None:
    table = toml.parse("a = 1\nb = [{c = 1}, 2]\n[d]\ne = 1\n", Path("a.toml"))

    assert toml.table_at(table, "d") == {"e": 1}
    assert toml.table_at(table, "a") == {}
    assert toml.table_at(table, "none") == {}
    assert toml.tables_at(table, "b") == ({"c": 1},)
    assert toml.tables_at(table, "a") == ()
    assert toml.tables_at(table, "none") == ()
