"""A build record is read back unchanged, or not at all."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnb_python.cnb import toml
from cnb_python.cnb.toml import Metadata
from cnb_python.layers.store import BuildRecord, record_of

CONTENTS, OUTCOME = frozenset({"python", "arch"}), frozenset({"layout"})
RECORD = BuildRecord(
    package_key={"python": "3.14", "arch": "amd64"},
    environment_key={"layout": "linked"},
    resolution="d" * 64,
    from_files_alone=True,
    python_patch="3.14.6",
    env="e" * 64,
    distributions={"six": "1.17.0", "zope-interface": "7.2"},
    layers={"venv": "1" * 64, "deps-00": "2" * 64},
    layer_sizes={"deps-00": "123"},
    largest={"zope-interface": "100", "six": "23"},
    manager_inputs="b" * 64,
    manifest="a" * 64,
    embedding=("six",),
    programs=("flask", "odd name"),
)
WORD = st.from_regex(r"[a-z0-9.+!-]{1,12}", fullmatch=True)
WORDS = st.dictionaries(WORD, WORD, max_size=4)


def read(table: Metadata) -> BuildRecord | None:
    return record_of(table, CONTENTS, OUTCOME)


def test_record_is_read_back_from_toml(tmp_path: Path) -> None:
    toml.write(tmp_path / "deps.toml", {"metadata": RECORD.metadata()})

    record = toml.read_metadata(tmp_path / "deps.toml")

    assert isinstance(record, dict)
    assert read(record) == RECORD


@pytest.mark.parametrize("embedding", [(), ("pyuwsgi", "six")])
def test_distributions_that_embed_python_are_read_back(embedding: tuple[str, ...]) -> None:
    record = RECORD._replace(embedding=embedding)

    assert read(record.metadata()) == record


def test_older_record_has_unknown_embedding() -> None:
    table = RECORD.metadata()
    del table["embedding"]

    assert read(table) == RECORD._replace(embedding=None)


def test_older_record_has_unknown_programs() -> None:
    table = RECORD.metadata()
    del table["programs"]

    assert read(table) == RECORD._replace(programs=None)


def test_empty_manager_inputs_are_not_written() -> None:
    """Older releases wrote no such field."""
    table = RECORD._replace(manager_inputs="").metadata()

    assert "inputs" not in table
    assert read(table) == RECORD._replace(manager_inputs="")


@given(WORDS, WORDS, WORDS, WORDS, st.booleans(), WORD)
def test_any_record_is_read_back(
    distributions: dict[str, str],
    layers: dict[str, str],
    sizes: dict[str, str],
    largest: dict[str, str],
    from_files_alone: bool,  # noqa: FBT001 - hypothesis gives it by position
    text: str,
) -> None:
    record = RECORD._replace(
        distributions=distributions,
        layers=layers,
        layer_sizes=sizes,
        largest=largest,
        from_files_alone=from_files_alone,
        resolution=text,
        python_patch="",
        manifest="",
    )

    assert read(record.metadata()) == record


def test_largest_distributions_keep_their_order() -> None:
    record = read(RECORD.metadata())

    assert record is not None
    assert list(record.largest) == ["zope-interface", "six"]


def test_order_of_mappings_does_not_change_metadata() -> None:
    turned = RECORD._replace(
        layers=dict(reversed(list(RECORD.layers.items()))),
        distributions=dict(reversed(list(RECORD.distributions.items()))),
    )

    assert list(turned.metadata().items()) == list(RECORD.metadata().items())


def test_record_for_the_image_has_no_store_fields() -> None:
    assert "manifest" not in RECORD._replace(manifest="").metadata()


@pytest.mark.parametrize("key", ["distributions", "layers", "sizes", "largest", "pure"])
def test_metadata_without_a_required_field_is_no_record(key: str) -> None:
    table = RECORD.metadata()
    del table[key]

    assert read(table) is None


@pytest.mark.parametrize(
    ("key", "value"), [("pure", "yes"), ("pure", []), ("layers", "deps-00 1"), ("sizes", True)]
)
def test_metadata_with_a_field_of_another_type_is_no_record(key: str, value: object) -> None:
    assert read({**RECORD.metadata(), key: value}) is None  # type: ignore[dict-item]  # on purpose


def test_empty_metadata_is_no_record() -> None:
    assert read({}) is None


def test_unknown_fields_of_a_key_are_ignored() -> None:
    record = read({**RECORD.metadata(), "later": "1"})

    assert record == RECORD
