"""Removes secrets from all output. Which values are secrets: `secret_values`."""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

MASK = "****"
# The text between the scheme and the @ of a URL: user:password, a token, or only a user. Not what
# stands for that in advice.
_CREDENTIALS = re.compile(
    r"(?<=[\w+.-]://)(?!(?:USER:(?:TOKEN|PASSWORD)|(?:\$\{\w+\}:)?\$\{\w+\})@)[^\s/'\"<>]+@"
)
# A URL, and its query without the punctuation of the sentence around it. The query is optional so
# that a match always gets past the URL: looking for it again and again takes quadratic time.
_URL = re.compile(
    r"(?P<address>https?://[^\s'\"<>?#]*)(?P<query>\?(?:[^\s'\"<>#,)\]]|[,)\]](?!\s|$))+)?"
)
# The query of an address without its host, as pip prints it before another attempt.
_QUERY = re.compile(r"(?<=[\w/.-])\?(?=[\w.~%\[\]-]{1,99}=)(?:[^\s'\"<>#,)\]]|[,)\]](?!\s|$))+")
# Pages that messages link to, where `/auth/` is a chapter. No index is at such an address.
_DOCUMENTATION = (
    r"(?:docs|help|developers?|learn)\.|[\w-]+\.readthedocs\.(?:io|org)/"
    r"|github\.com/[\w.-]+/[\w.-]+/(?:blob|tree|issues|wiki|discussions)/"
)
# Hosts whose addresses have a token in the path, and segments that say that one follows.
# https://help.cloudsmith.io/docs/entitlements https://packagecloud.io/docs#token_auth
# https://gemfury.com/help/install-from-pypi https://docs.anaconda.com/anacondaorg/
_PATH_TOKEN = re.compile(
    r"(?P<before>(?<!/)//(?:[^\s/@'\"<>]*@)?(?:"
    r"dl\.cloudsmith\.io/(?!public/|basic/)"
    r"|packagecloud\.io/priv/"
    r"|(?:\w+\.)?fury\.io/(?=[^\s/'\"<>?#]+/[^\s/'\"<>?#])"
    r"|api\.packagr\.app/"
    r"|(?!"
    + _DOCUMENTATION
    + r")[\w.-]+(?::\d+)?/(?:[\w.-]+/)*?(?:t|priv|tokens?|api-?key|access-token|auth)/"
    r"))[^\s/'\"<>?#]+",
    re.IGNORECASE,
)
# Where text was cut, which may have left the beginning of a secret: `program_output` and messages.
_CUT = re.compile(r"…| \[and [\d,]+ more bytes\]")
_MOST_CUTS = 200
# Credentials without the @ that ended them.
_CUT_CREDENTIALS = re.compile(r"(?<=://)[^\s/'\"<>@]+(?=…| \[and [\d,]+ more bytes\])")
# Of a secret whose end was cut off; fewer say little, and begin many words.
_SHORTEST_PART = 4
_LONGEST_PART = 16 * 1024
_PORT = re.compile(r"\d*")


def parts_of(address: str) -> SplitResult:
    """Return the parts of the URL *address*; all are empty if it is malformed.

    >>> parts_of("https://example.org/a.whl").path, parts_of("https://[example").netloc
    ('/a.whl', '')
    """
    try:
        return urlsplit(address)
    except ValueError:  # a part of an IPv6 address
        return urlsplit("")


def local_path(url: str) -> Path | None:
    """Return the path of a `file:` URL or an absolute path, None for another URL."""
    if url.startswith("/"):
        return Path(url)
    parts = parts_of(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def shown(url: str) -> str:
    """Return *url* without user, password and query, and without a token in its path.

    >>> shown("https://me:secret@mirror.example/python.tar.gz?token=1")
    'https://mirror.example/python.tar.gz'
    """
    scheme, mark, address = url.partition("://") if "://" in url else ("", "", url)
    for login in credentials(address):
        # Also with characters that end the part with the host: `me:se/cr#et@host`.
        address = address.removeprefix(f"{login}@")
    try:
        parts = urlsplit(f"{scheme}{mark}{address}")
    except ValueError:
        return "(a malformed URL)"
    if not parts.netloc:
        # `user:secret@host/path`, without a scheme.
        return without_path_token(f"//{address.rpartition('@')[2].partition('?')[0]}")[2:]
    host = parts.netloc.rpartition("@")[2]
    return without_path_token(urlunsplit(parts._replace(netloc=host, query="", fragment="")))


def redact(text: str, secrets: tuple[str, ...] = ()) -> str:
    """Return *text* with *secrets*, and the credentials and the query of each URL, replaced.

    So is what is left of one at a place where the text was cut: see `_CUT`.
    Takes time in proportion to the length of *text*, whatever it is.

    >>> redact("Looking in https://user:secret@example.org/simple")
    'Looking in https://****@example.org/simple'
    """
    text = _without(text, secrets)
    if "://" in text:
        text = _CREDENTIALS.sub(f"{MASK}@", text)
        text = _CUT_CREDENTIALS.sub(MASK, text)
        text = without_path_token(_URL.sub(_without_query, text))
    return _QUERY.sub(f"?{MASK}", text) if "?" in text else text


def without_path_token(text: str) -> str:
    """Return *text* without tokens that are a part of the path of a URL."""
    return _PATH_TOKEN.sub(rf"\g<before>{MASK}", text) if "//" in text else text


def credentials(address: str) -> Iterator[str]:
    """Yield what may be credentials before the @ of *address*, a URL without its scheme.

    With a `/`, `?` or `#` only if it cannot be a path.
    """
    authority = re.split(r"[/?#]", address, maxsplit=1)[0]
    if "@" in authority:
        yield authority.rpartition("@")[0]
    _, colon, port = authority.partition(":")
    whole = address.rpartition("@")[0]
    if whole and colon and (len(authority) >= len(whole) or not _PORT.fullmatch(port)):
        yield whole


def _without_query(url: re.Match[str]) -> str:
    return f"{url['address']}?{MASK}" if url["query"] else url["address"]


def _without(text: str, secrets: tuple[str, ...]) -> str:
    """Return *text* with *secrets* replaced, also where they overlap or are cut."""
    cuts = [cut.start() for cut in islice(_CUT.finditer(text), _MOST_CUTS)]
    spans = sorted(
        span
        for secret in secrets
        for span in (*_places(secret, text), *_beginnings(secret, text, cuts))
    )
    parts, end = [], 0
    for start, stop in spans:
        if start >= end:
            parts += [text[end:start], MASK]
        end = max(end, stop)
    return "".join((*parts, text[end:])) if spans else text


def _beginnings(secret: str, text: str, cuts: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield where the beginning of *secret* is followed by one of *cuts*."""
    part = secret[:_SHORTEST_PART]
    for cut in cuts:
        start = text.find(part, max(0, cut - min(len(secret) - 1, _LONGEST_PART)), cut)
        while start >= 0:
            if secret.startswith(text[start:cut]):
                yield start, cut
                break
            start = text.find(part, start + 1, cut)


def _places(secret: str, text: str) -> Iterator[tuple[int, int]]:
    start = text.find(secret)
    while start >= 0:
        yield start, start + len(secret)
        start = text.find(secret, start + len(secret))
