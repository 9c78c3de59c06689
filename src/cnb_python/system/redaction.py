"""Keeps credentials out of what is shown."""

import re

# Anything between the scheme and the @ of an address: user:password, a token, or a user alone.
_CREDENTIALS = re.compile(r"(?P<scheme>\b[a-zA-Z][\w+.-]*://)[^\s/'\"<>]+@")


def redact(text: str) -> str:
    """Return *text* with the credentials of every address in it replaced.

    >>> redact("Looking in https://user:secret@example.org/simple")
    'Looking in https://****@example.org/simple'
    """
    return _CREDENTIALS.sub(r"\g<scheme>****@", text)
