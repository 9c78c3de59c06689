"""The metadata of layers, from one build to the next."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnb_python.cnb import toml
from cnb_python.cnb.toml import Metadata, Unusable
from cnb_python.errors.base import ContractBroken

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
METADATA = st.dictionaries(TEXT, TEXT | st.booleans() | st.lists(TEXT, max_size=4), max_size=6)


@given(METADATA)
def test_written_unusablecomes_back(metadata: Metadata) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "venv.toml")
        toml.write(path, {"metadata": toml.checked(metadata, "venv.toml")})

        assert toml.read_metadata(path) == metadata


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("5.0", "its metadata has a value of another type: key"),
        ("{a = 1}", "its metadata has a value of another type: key"),
        ("2026-10-31", "its metadata has a value of another type: key"),
        ("['a', 1.0]", "its metadata has a list of other values than text: key"),
        ("[['a']]", "its metadata has a list of other values than text: key"),
    ],
)
def test_a_value_that_is_never_written_is_unusable(
    tmp_path: Path, value: str, reason: str
) -> None:
    path = tmp_path / "venv.toml"
    path.write_text(f"[metadata]\nfine = 'yes'\nkey = {value}\n")

    assert toml.read_metadata(path) == Unusable(reason)


def test_unusablethat_is_not_a_table_is_unusable(tmp_path: Path) -> None:
    path = tmp_path / "venv.toml"
    path.write_text("metadata = 'a'\n")

    assert toml.read_metadata(path) == Unusable(
        "venv.toml has another value in place of the table metadata"
    )


@pytest.mark.parametrize("content", [b"[meta", b"\xff\xfe", b"\0" * 10])
def test_a_damaged_file_is_unusable_with_a_reason(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "venv.toml"
    path.write_bytes(content)

    unusable = toml.read_metadata(path)

    assert isinstance(unusable, Unusable)
    assert unusable.reason.startswith("venv.toml cannot be read: ")


@pytest.mark.parametrize("content", ["", "[metadata]\n", "[types]\nlaunch = true\n"])
def test_a_file_without_unusableis_usable(tmp_path: Path, content: str) -> None:
    path = tmp_path / "venv.toml"
    path.write_text(content)

    assert toml.read_metadata(path) == {}


@pytest.mark.parametrize(
    "broken",
    [
        {"key": 5},
        {"key": 5.0},
        {"key": None},
        {"key": ["a", 1]},
        {"key": ("a",)},
        {"key": {"a": "b"}},
        {"key": "undecodable \udcff"},
        {"key": ["undecodable \udcff"]},
        {"undecodable \udcff": True},
    ],
)
def test_unusablethat_would_not_come_back_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises(ContractBroken, match=r"does not survive a build"):
        toml.checked({"fine": "yes"} | broken, "venv.toml")
