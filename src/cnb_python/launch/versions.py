"""Compares versions of installed packages: a fork's odd version counts as older than any."""

from packaging.version import Version


def is_at_least(version: str, since: str) -> bool:
    """Whether *version* is *since* or newer; False if it is no valid version.

    >>> is_at_least("25.1", "25.0.0"), is_at_least("a fork", "1")
    (True, False)
    """
    try:
        return Version(version) >= Version(since)
    except ValueError:  # also for thousands of digits
        return False
