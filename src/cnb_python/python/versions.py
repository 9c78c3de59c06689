"""Normalizes and compares versions of packages, which files may write in any way."""

from packaging.version import Version


def normalized_version(text: str, *, keep_zeros: bool = False) -> str:
    """Return the version *text* as PEP 440 normalizes it; as it is if it is no version.

    Without zeros at the end unless *keep_zeros*.

    >>> normalized_version("1.0-RC1"), normalized_version("of a fork")
    ('1rc1', 'of a fork')
    """
    # It loads subprocess and logging, which an unchanged build does without.
    from packaging.utils import canonicalize_version  # noqa: PLC0415

    try:
        return canonicalize_version(text, strip_trailing_zero=not keep_zeros)
    except ValueError:  # thousands of digits, which Python does not read as a number
        return text


def is_at_least(version: str, since: str) -> bool:
    """Whether *version* is *since* or newer; False if it is no valid version.

    >>> is_at_least("25.1", "25.0.0"), is_at_least("a fork", "1")
    (True, False)
    """
    try:
        return Version(version) >= Version(since)
    except ValueError:  # also for thousands of digits
        return False
