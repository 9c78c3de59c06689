"""Splits addresses, which files may write in any way."""

from urllib.parse import SplitResult, urlsplit


def parts_of(address: str) -> SplitResult:
    """Return the parts of the URL *address*; all are empty if it is malformed.

    >>> parts_of("https://example.org/a.whl").path, parts_of("https://[example").netloc
    ('/a.whl', '')
    """
    try:
        return urlsplit(address)
    except ValueError:  # a part of an IPv6 address
        return urlsplit("")
