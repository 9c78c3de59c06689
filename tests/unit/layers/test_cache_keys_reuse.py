"""When the previous build's layer is used again, and what is said when it is not."""

from dataclasses import dataclass

import pytest

from cnb_python.cnb.layer import Empty, Restored
from cnb_python.layers.cache_keys import LayerKey, Rebuild, Reuse, decide, differences, part


@dataclass(frozen=True, slots=True)
class Key(LayerKey):
    python: str = part("Python release")
    arch: str = part("architecture")


WANTED = Key(python="3.14.6", arch="amd64")


def test_a_key_is_metadata_of_text_alone() -> None:
    assert WANTED.metadata() == {"python": "3.14.6", "arch": "amd64"}


def test_an_equal_key_leaves_no_reason() -> None:
    assert differences(WANTED.metadata(), WANTED) == ()


def test_every_reason_is_given_in_the_order_of_the_fields() -> None:
    assert differences({"arch": "arm64", "python": "3.13.1"}, WANTED) == (
        "the Python release has changed from 3.13.1 to 3.14.6",
        "the architecture has changed from arm64 to amd64",
    )


def test_a_field_that_was_not_known_then_is_a_reason() -> None:
    (reason,) = differences({"python": "3.14.6"}, WANTED)

    assert reason == "the architecture has changed from (none) to amd64"


def test_a_field_that_is_not_known_now_is_a_reason() -> None:
    (reason,) = differences({**WANTED.metadata(), "later": "1"}, WANTED)

    assert reason == "it was made by another release of this buildpack"


@pytest.mark.parametrize("value", [True, ["amd64"], []])
def test_another_kind_of_value_is_a_reason(value: object) -> None:
    assert len(differences({**WANTED.metadata(), "arch": value}, WANTED)) == 1


@pytest.mark.parametrize("has_contents", [True, False])
def test_an_equal_key_means_reuse_wherever_the_contents_are(*, has_contents: bool) -> None:
    state = Restored(WANTED.metadata(), has_contents=has_contents)

    assert decide(state, WANTED) == Reuse(has_contents)


def test_a_layer_that_was_not_there_is_made_without_a_reason() -> None:
    assert decide(Empty(""), WANTED) == Rebuild(())


def test_a_layer_that_cannot_be_read_is_made_anew_for_that_reason() -> None:
    assert decide(Empty("it is not TOML"), WANTED) == Rebuild(("it is not TOML",))
