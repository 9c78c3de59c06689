"""What is remembered from one build to the next."""

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
def test_what_is_remembered_comes_back(remembered: Metadata) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "venv.toml")
        toml.write(path, {"metadata": toml.checked(remembered, "venv.toml")})

        assert toml.read_metadata(path) == remembered


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("5.0", "its metadata holds neither text, yes or no, nor a list: key"),
        ("{a = 1}", "its metadata holds neither text, yes or no, nor a list: key"),
        ("2026-10-31", "its metadata holds neither text, yes or no, nor a list: key"),
        ("['a', 1.0]", "its metadata holds a list of more than text: key"),
        ("[['a']]", "its metadata holds a list of more than text: key"),
    ],
)
def test_what_we_never_write_is_not_ours(tmp_path: Path, value: str, reason: str) -> None:
    path = tmp_path / "venv.toml"
    path.write_text(f"[metadata]\nfine = 'yes'\nkey = {value}\n")

    assert toml.read_metadata(path) == Unusable(reason)


def test_metadata_that_is_no_table_is_not_ours(tmp_path: Path) -> None:
    path = tmp_path / "venv.toml"
    path.write_text("metadata = 'a'\n")

    assert toml.read_metadata(path) == Unusable(
        "venv.toml has something else in place of its metadata"
    )


@pytest.mark.parametrize("content", [b"[meta", b"\xff\xfe", b"\0" * 10])
def test_a_damaged_file_is_a_reason_and_no_exception(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "venv.toml"
    path.write_bytes(content)

    found = toml.read_metadata(path)

    assert isinstance(found, Unusable)
    assert found.reason.startswith("venv.toml cannot be read: ")


@pytest.mark.parametrize("content", ["", "[metadata]\n", "[types]\nlaunch = true\n"])
def test_nothing_remembered_is_not_a_mistake(tmp_path: Path, content: str) -> None:
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
def test_what_would_not_come_back_is_not_written(broken: dict[str, object]) -> None:
    with pytest.raises(ContractBroken, match=r"does not survive a build"):
        toml.checked({"fine": "yes"} | broken, "venv.toml")
