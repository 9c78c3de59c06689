"""The output of NLTK's downloader shows why it failed."""

import pytest

from cnb_python.app_steps.nltk import cause, short_reason


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("ValueError: Error loading punk: Package 'punk' not found in index", "unknown"),
        ("ValueError: Error loading x: <urlopen error [Errno -2] Name not known>", "network"),
        ("ValueError: Error loading x: Security Violation: SSRF attempt to 10.0.0.1", "network"),
        ("ValueError: Error loading x: HTTP Error 503: Unavailable", "network"),
        ("ValueError: Error loading x: HTTP Error 404: File not found", "index"),
        ("ParseError: mismatched tag: line 6, column 2", "index"),
        ("ValueError: Integrity check failed for 'x': size mismatch", "damaged"),
        ("ValueError: Error with downloaded zip file", "damaged"),
        ("PermissionError: [Errno 13] Permission denied", "other"),
    ],
)
def test_cause_is_recognized_by_the_message(message: str, expected: str) -> None:
    assert cause(message) == expected


def test_short_reason_drops_repeated_names() -> None:
    message = "ValueError: Error loading punk: Package 'punk'\n  not found in index"
    assert short_reason("punk", message) == "Package 'punk' not found in index"
