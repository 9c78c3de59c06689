"""Keeps credentials out of what is shown."""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit, urlunsplit


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


# Anything between the scheme and the @ of an address: user:password, a token, or a user alone.
_CREDENTIALS = re.compile(r"(?P<scheme>\b[a-zA-Z][\w+.-]*://)[^\s/'\"<>]+@")
# To the end of the address, without the punctuation of a sentence that ends there.
_QUERY = re.compile(r"(?P<address>\bhttps?://[^\s'\"<>?#]*\?)(?:[^\s'\"<>#,)\]]|[,)\]](?!\s|$))+")
_MASK = "****"
# Variables whose addresses carry credentials, and uv's for user and password.
_ADDRESSES = re.compile(
    r"PIP_(INDEX|EXTRA_INDEX|FIND|PROXY|PYPI)\w*|UV_(DEFAULT_INDEX|EXTRA_INDEX_URL|FIND_LINKS)"
    r"|UV_INDEX\w*|\w+_PROXY|PDM_PYPI_URL|PIPENV_PYPI_MIRROR"
)
_PASSWORD = re.compile(
    r"(UV_INDEX|POETRY_HTTP_BASIC)_\w*_PASSWORD|POETRY_PYPI_TOKEN_\w+|PDM_\w*PASSWORD"
)
_WORD = re.compile(r"\b[a-zA-Z][\w+.-]*://[^\s'\"<>]+")
_PORT = re.compile(r"\d*")
# Shorter ones are parts of too many words.
_SHORTEST = 4


def redact(text: str, secrets: tuple[str, ...] = ()) -> str:
    """Return *text* with the credentials and the query of every address, and *secrets*, replaced.

    >>> redact("Looking in https://user:secret@example.org/simple")
    'Looking in https://****@example.org/simple'
    """
    if secrets:
        text = re.sub("|".join(map(re.escape, secrets)), _MASK, text)
    return _QUERY.sub(rf"\g<address>{_MASK}", _CREDENTIALS.sub(rf"\g<scheme>{_MASK}@", text))


def secrets_of(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return what no tool may show of the addresses in *environ*, the longest first.

    Tools show some of them in forms that nobody can tell from an ordinary text: without a scheme,
    or with a `/` in the password.
    """
    found: set[str] = set()
    for name, value in environ.items():
        upper = name.upper().replace("-", "_")
        if _PASSWORD.fullmatch(upper):
            found.update(_spellings(value))
        elif _ADDRESSES.fullmatch(upper):
            found.update(one for word in value.split() for one in _secrets(word))
    return _ordered(found)


def secrets_in(text: str) -> tuple[str, ...]:
    """Return what no tool may show of the addresses in *text*, the longest first."""
    return _ordered({one for word in _WORD.findall(text) for one in _secrets(word)})


def as_secrets(passwords: Iterable[str]) -> tuple[str, ...]:
    """Return *passwords* in every spelling in which they might be shown, the longest first."""
    return _ordered({one for password in passwords for one in _spellings(password)})


def _ordered(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted((one for one in found if len(one) >= _SHORTEST), key=_longest_first))


def _longest_first(secret: str) -> tuple[int, str]:
    return -len(secret), secret


def _secrets(word: str) -> Iterator[str]:
    address = word.partition("://")[2] or word
    for credentials in _credentials(address):
        user, _, password = credentials.partition(":")
        yield from _spellings(credentials)
        # As the header of a request has it.
        yield b64encode(unquote(credentials).encode(errors="surrogateescape")).decode()
        # A user alone is a token; with a password it is a name, and often an ordinary word.
        yield from _spellings(password or user)
    query = address.partition("?")[2].partition("#")[0]
    for _, value in parse_qsl(query):
        yield from _spellings(value)
    for field in query.split("&"):
        yield from _spellings(field.partition("=")[2])


def _credentials(address: str) -> Iterator[str]:
    """What may stand before the @: with a `/` in it only where that can be no path."""
    authority = re.split(r"[/?#]", address, maxsplit=1)[0]
    if "@" in authority:
        yield authority.rpartition("@")[0]
    _, colon, rest = authority.partition(":")
    whole = address.rpartition("@")[0]
    if whole and colon and (len(authority) >= len(whole) or not _PORT.fullmatch(rest)):
        yield whole


def _spellings(secret: str) -> tuple[str, ...]:
    plain = unquote(secret)
    return secret, plain, quote(plain, safe="")
