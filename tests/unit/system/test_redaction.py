"""Credentials stay out of the log."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnb_python.system.redaction import redact


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://user:secret@host/simple", "https://****@host/simple"),
        ("https://token@host/simple", "https://****@host/simple"),
        ("https://user:p@ss@host/", "https://****@host/"),
        ("git+ssh://git@host/x.git", "git+ssh://****@host/x.git"),
        ("two: http://a:b@c http://d:e@f", "two: http://****@c http://****@f"),
        ("'https://a:b@host'", "'https://****@host'"),
        ("https://user:****@host", "https://****@host"),
    ],
)
def test_credentials_are_replaced(text: str, shown: str) -> None:
    assert redact(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "https://host/simple",
        "pkg @ https://host/a/b.whl",
        "https://host/@scope/name",
        "mail me@example.org",
        "",
    ],
)
def test_the_rest_is_left_alone(text: str) -> None:
    assert redact(text) == text


@given(st.from_regex(r"[a-zA-Z0-9:.%!$&*+=~-]{1,30}", fullmatch=True))
def test_no_credentials_survive(secret: str) -> None:
    assert redact(f"Looking in https://{secret}@host/simple") == (
        "Looking in https://****@host/simple"
    )
