"""What is said when the store fails in a way that nobody could mend on the spot."""

import pytest

from cnb_python.errors.machine import DamagedStore


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("its archive has changed", "It is damaged: its archive has changed."),
        ("", "It is damaged: a part of it is missing."),
    ],
)
def test_a_damaged_store_says_what_is_wrong_and_how_to_do_without(reason: str, said: str) -> None:
    message = DamagedStore(reason).describe()

    assert message.body == (said,)
    assert any("--clear-cache" in step for step in message.steps)
