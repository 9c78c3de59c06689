"""Normalizes versions of packages, which files may write in any way."""

from packaging.utils import canonicalize_version


def normalized_version(text: str, *, keep_zeros: bool = False) -> str:
    """Return the version *text* as PEP 440 normalizes it; as it is if it is no version.

    Without zeros at the end unless *keep_zeros*.

    >>> normalized_version("1.0-RC1"), normalized_version("of a fork")
    ('1rc1', 'of a fork')
    """
    try:
        return canonicalize_version(text, strip_trailing_zero=not keep_zeros)
    except ValueError:  # thousands of digits, which Python does not read as a number
        return text
