"""`direct_url.json`: where a distribution that is from no index came from.

https://packaging.python.org/en/latest/specifications/direct-url/
"""

import json
from typing import NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit


class Origin(NamedTuple):
    """What the file says."""

    content: bytes
    """The file in one form, without password and query; empty where the image has none."""
    directory: str
    """The directory on disk it was installed from, empty where it was none."""
    is_repository: bool


NOWHERE = Origin(b"", "", is_repository=False)


def read(content: bytes) -> Origin:
    """Return what *content* says. What is not understood is left out: it may hold a token.

    Of an installation from a directory it is kept only where it is editable, which tools ask for:
    elsewhere it names a place that the image need not have.
    """
    try:
        said = json.loads(content)
        parts = urlsplit(said["url"])
        user, _, host = parts.netloc.rpartition("@")
    except ValueError, TypeError, KeyError, AttributeError, RecursionError:
        return NOWHERE
    if not isinstance(said, dict):
        return NOWHERE
    # `ssh://git@...` is no secret and needed. A query is a signature or a token as a rule.
    netloc = f"git@{host}" if user == "git" else host
    said["url"] = urlunsplit(parts._replace(netloc=netloc, query=""))
    directory = said.get("dir_info")
    is_editable = isinstance(directory, dict) and directory.get("editable") is True
    text = json.dumps(said, sort_keys=True, separators=(",", ":"))
    return Origin(
        text.encode() if directory is None or is_editable else b"",
        unquote(parts.path) if directory is not None and parts.scheme == "file" else "",
        "vcs_info" in said,
    )
