"""Messages about the cache."""

import pytest

from cnb_python.errors.machine import DamagedStore


@pytest.mark.parametrize(
    ("reason", "line"),
    [
        ("its archive has changed", "Found: its archive has changed."),
        ("", "Found: a part of it is missing."),
    ],
)
def test_damaged_store_names_reason_and_how_to_build_without_it(reason: str, line: str) -> None:
    message = DamagedStore(reason).describe()

    assert message.body == (line,)
    assert any("--clear-cache" in fix for fix in message.fixes)
