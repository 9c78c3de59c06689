"""When a layer of the previous build is reused, and the reasons if not."""

from dataclasses import dataclass

import pytest

from cnb_python.cnb.layer import Empty, Restored
from cnb_python.layers.cache_keys import LayerKey, Rebuild, Reuse, decide, differences, part


@dataclass(frozen=True, slots=True)
class Key(LayerKey):
    python: str = part("Python release")
    arch: str = part("architecture")


WANTED = Key(python="3.14.6", arch="amd64")


def test_key_metadata_has_strings_only() -> None:
    assert WANTED.metadata() == {"python": "3.14.6", "arch": "amd64"}


def test_equal_key_has_no_differences() -> None:
    assert differences(WANTED.metadata(), WANTED) == ()


def test_differences_follow_the_order_of_the_fields() -> None:
    assert differences({"arch": "arm64", "python": "3.13.1"}, WANTED) == (
        "the Python release has changed from 3.13.1 to 3.14.6",
        "the architecture has changed from arm64 to amd64",
    )


def test_field_missing_in_metadata_is_a_difference() -> None:
    (reason,) = differences({"python": "3.14.6"}, WANTED)

    assert reason == "the architecture has changed from (none) to amd64"


def test_unknown_field_in_metadata_is_a_difference() -> None:
    (reason,) = differences({**WANTED.metadata(), "later": "1"}, WANTED)

    assert reason == "it was made by another release of this buildpack"


@pytest.mark.parametrize("value", [True, ["amd64"], []])
def test_value_of_another_type_is_a_difference(value: object) -> None:
    assert len(differences({**WANTED.metadata(), "arch": value}, WANTED)) == 1


@pytest.mark.parametrize("has_contents", [True, False])
def test_equal_key_is_reused_with_or_without_contents(*, has_contents: bool) -> None:
    state = Restored(WANTED.metadata(), has_contents=has_contents)

    assert decide(state, WANTED) == Reuse(has_contents)


def test_new_layer_is_rebuilt_without_a_reason() -> None:
    assert decide(Empty(""), WANTED) == Rebuild(())


def test_unreadable_layer_is_rebuilt_with_a_reason() -> None:
    assert decide(Empty("it is not TOML"), WANTED) == Rebuild(("it is not TOML",))
