"""The log shows values of settings without logins."""

import pytest

from cnb_python.config.kinds import Value, displayed


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("https://me:secret@mirror.example/p?sig=secret", "https://mirror.example/p"),
        ("me:secret@mirror.example/p", "mirror.example/p"),
        ("3.14", "3.14"),
        ("requirements/a@b.txt", "requirements/a@b.txt"),
        (("a", "b"), "a, b"),
        (True, "true"),
    ],
)
def test_a_login_is_not_displayed(value: Value, text: str) -> None:
    assert displayed(value) == text
