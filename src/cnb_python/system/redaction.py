"""Removes credentials from all output."""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit, urlunsplit

# The text between the scheme and the @ of a URL: user:password, a token, or only a user.
_CREDENTIALS = re.compile(r"(?P<scheme>\b[a-zA-Z][\w+.-]*://)[^\s/'\"<>]+@")
# To the end of the URL, without the punctuation of the sentence around it.
_QUERY = re.compile(r"(?P<address>\bhttps?://[^\s'\"<>?#]*\?)(?:[^\s'\"<>#,)\]]|[,)\]](?!\s|$))+")
_MASK = "****"
# Variables with URLs, which may have credentials, and those for passwords.
_ADDRESSES = re.compile(
    r"PIP_(INDEX|EXTRA_INDEX|FIND|PROXY|PYPI)\w*|UV_(DEFAULT_INDEX|EXTRA_INDEX_URL|FIND_LINKS)"
    r"|UV_INDEX\w*|\w+_PROXY|PDM_PYPI_URL|PIPENV_PYPI_MIRROR"
)
_PASSWORD = re.compile(
    r"(UV_INDEX|POETRY_HTTP_BASIC)_\w*_PASSWORD|POETRY_PYPI_TOKEN_\w+|PDM_\w*PASSWORD"
)
_WORD = re.compile(r"\b[a-zA-Z][\w+.-]*://[^\s'\"<>]+")
_PORT = re.compile(r"\d*")
# Shorter secrets are parts of too many words.
_SHORTEST = 4


def local_path(url: str) -> Path | None:
    """Return the path of a `file:` URL or an absolute path, None for another URL."""
    if url.startswith("/"):
        return Path(url)
    return Path(unquote(urlsplit(url).path)) if urlsplit(url).scheme == "file" else None


def shown(url: str) -> str:
    """Return *url* without user, password and query, which may be secret.

    >>> shown("https://me:secret@mirror.example/python.tar.gz?token=1")
    'https://mirror.example/python.tar.gz'
    """
    try:
        address = urlsplit(url)
    except ValueError:
        return "(a malformed URL)"
    if not address.netloc:
        # `user:secret@host/path`, without a scheme.
        return url.rpartition("@")[2].partition("?")[0]
    host = address.netloc.rpartition("@")[2]
    return urlunsplit(address._replace(netloc=host, query="", fragment=""))


def redact(text: str, secrets: tuple[str, ...] = ()) -> str:
    """Return *text* with *secrets*, and the credentials and the query of each URL, replaced.

    >>> redact("Looking in https://user:secret@example.org/simple")
    'Looking in https://****@example.org/simple'
    """
    if secrets:
        text = re.sub("|".join(map(re.escape, secrets)), _MASK, text)
    return _QUERY.sub(rf"\g<address>{_MASK}", _CREDENTIALS.sub(rf"\g<scheme>{_MASK}@", text))


def secrets_of(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the secrets in the URLs and passwords of *environ*, the longest first.

    `redact` does not recognise all forms in which tools print them: without a scheme, or with a
    `/` in the password.
    """
    secrets: set[str] = set()
    for name, value in environ.items():
        upper = name.upper().replace("-", "_")
        if _PASSWORD.fullmatch(upper):
            secrets.update(_spellings(value))
        elif _ADDRESSES.fullmatch(upper):
            secrets.update(secret for word in value.split() for secret in _secrets(word))
    return _ordered(secrets)


def secrets_in(text: str) -> tuple[str, ...]:
    """Return the secrets in the URLs of *text*, the longest first."""
    return _ordered({secret for word in _WORD.findall(text) for secret in _secrets(word)})


def as_secrets(passwords: Iterable[str]) -> tuple[str, ...]:
    """Return *passwords* in every spelling in which tools may print them, the longest first."""
    return _ordered({spelling for password in passwords for spelling in _spellings(password)})


def _ordered(secrets: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted((text for text in secrets if len(text) >= _SHORTEST), key=_longest_first))


def _longest_first(secret: str) -> tuple[int, str]:
    return -len(secret), secret


def _secrets(word: str) -> Iterator[str]:
    address = word.partition("://")[2] or word
    for credentials in _credentials(address):
        user, _, password = credentials.partition(":")
        yield from _spellings(credentials)
        # As in the header of a request.
        yield b64encode(unquote(credentials).encode(errors="surrogateescape")).decode()
        # A user without a password is a token; with a password it is a name, often an ordinary
        # word.
        yield from _spellings(password or user)
    query = address.partition("?")[2].partition("#")[0]
    for _, value in parse_qsl(query):
        yield from _spellings(value)
    for field in query.split("&"):
        yield from _spellings(field.partition("=")[2])


def _credentials(address: str) -> Iterator[str]:
    """Yield what may be credentials before the @; with a `/` only if it cannot be a path."""
    authority = re.split(r"[/?#]", address, maxsplit=1)[0]
    if "@" in authority:
        yield authority.rpartition("@")[0]
    _, colon, port = authority.partition(":")
    whole = address.rpartition("@")[0]
    if whole and colon and (len(authority) >= len(whole) or not _PORT.fullmatch(port)):
        yield whole


def _spellings(secret: str) -> tuple[str, ...]:
    plain = unquote(secret)
    return secret, plain, quote(plain, safe="")
