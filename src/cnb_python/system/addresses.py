"""Addresses of files, and what of them may be shown. Pure."""

from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit


def local_path(url: str) -> Path | None:
    """Return the file that *url* means (`file:` or an absolute path), None for one elsewhere."""
    if url.startswith("/"):
        return Path(url)
    return Path(unquote(urlsplit(url).path)) if urlsplit(url).scheme == "file" else None


def shown(url: str) -> str:
    """Return *url* without what may be secret in it: user, password, query.

    >>> shown("https://me:secret@mirror.example/python.tar.gz?token=1")
    'https://mirror.example/python.tar.gz'
    """
    try:
        address = urlsplit(url)
    except ValueError:
        return "(a malformed address)"
    if not address.netloc:
        # `user:secret@host/path`, the scheme forgotten.
        return url.rpartition("@")[2].partition("?")[0]
    host = address.netloc.rpartition("@")[2]
    return urlunsplit(address._replace(netloc=host, query="", fragment=""))
