"""Finds the secrets of a build, in every spelling in which tools may print them.

They are what `redaction.redact` replaces: values of variables whose name says so, and the
credentials, queries and tokens in URLs.
"""

import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from urllib.parse import parse_qsl, quote, quote_plus, unquote

from cnb_python.system import json_text
from cnb_python.system.redaction import MASK, credentials, without_path_token

# Variables with the addresses of indexes, mirrors and proxies, and those for passwords.
_ADDRESSES = re.compile(
    r"PIP_(INDEX|EXTRA_INDEX|FIND|PROXY|PYPI)\w*|UV_(DEFAULT_INDEX|EXTRA_INDEX_URL|FIND_LINKS)"
    r"|UV_INDEX\w*|UV_PYTHON_INSTALL_MIRROR|\w+_PROXY|PDM_PYPI_URL|PIPENV_PYPI_MIRROR"
    r"|POETRY_REPOSITORIES_\w+_URL|BP_PYTHON_MIRROR|BP_DEPENDENCY_MIRROR\w*"
)
_PASSWORD = re.compile(
    r"(UV_INDEX|POETRY_HTTP_BASIC)_\w*_PASSWORD|POETRY_PYPI_TOKEN_\w+|PDM_\w*PASSWORD"
)
# Names of any other variable, of a binding's key or of a field of JSON.
_SECRET_NAME = re.compile(
    r"\w*(?:TOKEN|PASSWORD|PASSWD|PASSPHRASE|SECRETS?|CREDENTIALS?|API_?KEY)(?:_?\d+|_BASE|_VALUE)?"
    r"|(?:\w+_)?(?:KEY|PASS|PWD|PW|PAT|SALT|SAS|AUTH)(?:_?\d+|_BASE|_VALUE)?"
)
# A setting whose value holds other variables.
_WITH_VARIABLES = "BP_PYTHON_COLLECTSTATIC_ENV"
_NOT_SECRET = frozenset({"PWD", "OLDPWD"})
# https://servicebinding.io/spec/core/1.1.0/#well-known-secret-entries
_PUBLIC_FIELDS = frozenset(
    {
        *("HOST", "HOSTS", "HOSTNAME", "PORT", "NAME", "DATABASE", "DB", "USER", "USERNAME"),
        *("URI", "URL", "ENDPOINT", "REGION", "BUCKET", "CERTIFICATES", "CLIENT_CERT"),
        *("INDEX_URL", "EXTRA_INDEX_URL", "TYPE", "PROVIDER", "NETRC", ".NETRC"),
    }
)
_URL = re.compile(r"(?<![\w+.-])[a-zA-Z][\w+.-]{0,30}://[^\s'\"<>]+")
_VARIABLE = re.compile(r"\$\{(\w+)\}")
# Shorter secrets are parts of too many words.
_SHORTEST = 4
# What stands in any variable may be a word that tools print for another reason: `postgres` as the
# password of a database. Such values are replaced only beside their name.
_SHORTEST_ANYWHERE = 8
_ORDINARY = re.compile(
    r"[a-z]+|[A-Z]+|[A-Z][a-z]+|[a-z]{1,9}[._-]?[a-z]{1,9}|[\d.:-]+"
    r"|(?:~|\.{0,2})(?:/[\w.@+-]*)+|[a-z][\w+.-]*://\S*"
)
# Segments of a path that are no words: a digit between letters, or many characters with digits.
_TOKEN = re.compile(
    r"(?=.{6})[\w-]*[A-Za-z]\d+[A-Za-z][\w-]*|(?=[\w-]*[A-Za-z])(?=[\w-]*\d)[A-Za-z0-9_-]{20,}"
)
_ARCHIVES = (".whl", ".gz", ".zip", ".tgz", ".bz2", ".xz", ".zst", ".git", ".metadata")
# Passwords that say that the user is the token: https://docs.github.com/en/rest
_NO_PASSWORDS = frozenset({"", "x", "x-oauth-basic", "x-token-auth", "none", "null", "token"})
_DEEPEST = 20
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[^-]*+-----END CERTIFICATE-----")
# A private key of 16,384 bits has 200; a key store has binary data, which is not printed by lines.
_MOST_LINES = 300


def secrets_of(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the secrets in the values of *environ*, the longest first.

    `redact` does not recognise all forms in which tools print them: without a scheme, with a `/`
    in the password, or alone.
    """
    return _ordered(
        secret for name, value in environ.items() if value for secret in _of_variable(name, value)
    )


def secrets_in(text: str, environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return the secrets in the URLs of *text*, the longest first.

    Variables in them such as `${TOKEN}` have the values in *environ*, as tools replace them.
    """
    urls: Iterable[str] = set(_URL.findall(text))
    if environ is not None and "${" in text:
        urls = (_VARIABLE.sub(lambda name: environ.get(name[1]) or name[0], url) for url in urls)
    return _ordered(secret for url in urls for secret in _of_address(url))


def as_secrets(passwords: Iterable[str]) -> tuple[str, ...]:
    """Return *passwords* in every spelling in which tools may print them, the longest first."""
    return _ordered(spelling for password in passwords for spelling in _spellings(password))


def named_secrets(values: Mapping[str, str]) -> tuple[str, ...]:
    """Return the secrets in *values*, fields of a service's binding by their names.

    All values count but those of public fields, such as `host`; ordinary words only under the name
    of a secret.
    """
    return _ordered(
        secret for name, value in values.items() for secret in _of_field(name, value.strip())
    )


def shell_words(text: str) -> tuple[str, ...]:
    """Return the words of *text*, which a shell would pass on; none if a quote is not closed."""
    import shlex  # noqa: PLC0415 - for a setting that few builds have

    try:
        return tuple(shlex.split(text))
    except ValueError:
        return ()


def _of_variable(name: str, value: str) -> Iterator[str]:
    upper = name.upper().replace("-", "_")
    if name == _WITH_VARIABLES:
        for word in shell_words(value) or value.split():
            inner, _, text = word.partition("=")
            yield from _of_named(inner, text)
            yield from _of_any(text)
    if _PASSWORD.fullmatch(upper):
        yield from _spellings(value)
    elif _ADDRESSES.fullmatch(upper):
        for word in value.split():
            yield from _of_address(word)
    elif _SECRET_NAME.fullmatch(upper) and upper not in _NOT_SECRET:
        yield from _of_named(name, value)
    yield from _of_any(value)


def _of_named(name: str, value: str) -> Iterator[str]:
    """Yield the secrets in *value*, which is one by its *name*; it may have several lines.

    Not certificates, which are public: each spelling of each line takes time for all that is
    printed.
    """
    if "-----BEGIN CERT" in value and not (value := _CERTIFICATE.sub("", value).strip()):
        return
    if not _may_be_anywhere(value):
        yield from (f"{name}={value}", f"'{name}': '{value}'", f'"{name}": "{value}"')
        return
    yield from _spellings(value)
    lines = (line.strip() for line in value.splitlines() if "-----" not in line)
    for line in islice(filter(_may_be_anywhere, lines), _MOST_LINES):
        yield from _spellings(line)


def _of_any(value: str) -> Iterator[str]:
    """Yield the secrets in the URLs of *value*, and in its fields if it is JSON."""
    if "://" in value:
        for url in _URL.findall(value):
            yield from _of_service(url)
    if value.lstrip().startswith(("{", "[")):
        try:
            yield from _of_json(json_text.parse(value), "", 0)
        except json_text.InvalidJson:
            return


def _of_json(value: object, name: str, depth: int) -> Iterator[str]:
    """Yield the secrets in the fields of *value*, such as those of Cloud Foundry's services."""
    if depth > _DEEPEST:
        return
    match value:
        case dict():
            for key, each in value.items():
                yield from _of_json(each, str(key), depth + 1)
        case list():
            for each in value:
                yield from _of_json(each, name, depth + 1)
        case str():
            yield from _of_field(name, value, is_bound=False)
        case _:
            return


def _of_field(name: str, value: str, *, is_bound: bool = True) -> Iterator[str]:
    """Yield the secrets in *value*, whose *name* may say that it is one; *is_bound*: by a file."""
    upper = name.upper().replace("-", "_")
    if _SECRET_NAME.fullmatch(upper):
        if is_bound:
            yield from _spellings(value)
        yield from _of_named(name, value)
    elif is_bound and upper not in _PUBLIC_FIELDS and _may_be_anywhere(value):
        yield from _of_named(name, value)
    if is_bound and value.startswith(("{", "[")):
        # A key of a service account, or the nested credentials of a service.
        yield from _of_any(value)
    if "://" in value:
        for url in _URL.findall(value):
            yield from _of_address(url) if is_bound else _of_service(url)


def _of_service(url: str) -> Iterator[str]:
    """Yield the secrets of the URL of some service, apart from words such as `postgres`."""
    address = url.partition("://")[2]
    for login in credentials(address):
        yield _base64(unquote(login))
        yield from filter(_may_be_anywhere, _of_login(login))
    for value in _of_query(address):
        if _may_be_anywhere(value):
            yield from _spellings(value)


def _of_address(word: str) -> Iterator[str]:
    """Yield the secrets of the address of an index, a mirror or a proxy."""
    address = word.partition("://")[2] or word
    for login in credentials(address):
        # As in the header of a request.
        yield _base64(unquote(login))
        yield from _of_login(login)
        address = address.removeprefix(f"{login}@")
    for value in _of_query(address):
        yield from _spellings(value)
    for segment in _path_tokens(address):
        yield from _spellings(segment)


def _of_login(login: str) -> Iterator[str]:
    user, _, password = login.partition(":")
    yield from _spellings(login)
    # A user without a password is a token; with a password it is a name, often an ordinary word.
    if password.lower() in _NO_PASSWORDS or _TOKEN.fullmatch(user):
        yield from _spellings(user)
    if password.lower() not in _NO_PASSWORDS:
        yield from _spellings(password)


def _of_query(address: str) -> Iterator[str]:
    query = address.partition("?")[2].partition("#")[0]
    yield from (value for _, value in parse_qsl(query))
    yield from (field.partition("=")[2] for field in query.split("&"))


def _path_tokens(address: str) -> Iterator[str]:
    """Yield the segments of the path of *address* that look like tokens or stand for one.

    Digests and commits look like tokens too, so only addresses of directories may have others than
    those of known hosts.
    """
    if address.startswith("/"):
        return
    whole = f"//{re.split(r'[?#]', address, maxsplit=1)[0]}"
    masked = without_path_token(whole).split("/")[3:]
    for segment, shown in zip(whole.split("/")[3:], masked, strict=False):
        if shown == MASK or (_TOKEN.fullmatch(segment) and not whole.endswith(_ARCHIVES)):
            yield segment


def _may_be_anywhere(value: str) -> bool:
    return len(value) >= _SHORTEST_ANYWHERE and not _ORDINARY.fullmatch(value)


def _spellings(secret: str) -> Iterator[str]:
    """Yield *secret* as it is, as URLs have it, in Base64, and in quotes of several languages."""
    if _VARIABLE.search(secret):
        return
    plain = unquote(secret)
    for text in dict.fromkeys((secret, plain)):
        yield text
        yield from _quoted(text)
    content = _bytes(plain)
    for encoded in (quote(content, safe=""), quote(content), quote_plus(content)):
        yield encoded
        yield re.sub(r"%[0-9A-F]{2}", lambda code: code[0].lower(), encoded)
    if len(plain) >= _SHORTEST:
        for base64 in (_base64(plain), urlsafe_b64encode(content).decode()):
            yield base64
            # The last characters depend on what follows the secret.
            yield base64.rstrip("=")[:-1]


def _quoted(text: str) -> Iterator[str]:
    """Yield *text* as it stands in a string of Python, JSON, HTML or a shell."""
    if text.isascii() and text.isalnum():
        return
    import json  # noqa: PLC0415 - most secrets have no such characters
    from html import escape  # noqa: PLC0415 - as above

    in_json = json.dumps(text)[1:-1]
    backslashes = text.replace("\\", "\\\\")
    yield from (repr(text)[1:-1], repr(_bytes(text))[2:-1], escape(text))
    yield from (in_json, json.dumps(text, ensure_ascii=False)[1:-1], in_json.replace("/", "\\/"))
    yield from (backslashes, backslashes.replace("'", "\\'"), backslashes.replace('"', '\\"'))
    yield from (in_json.replace("\\", "\\\\"), text.replace("'", "'\"'\"'"))
    yield from (text.replace("'", "'\\''"), _bytes(text).decode("utf-8", "replace"))


def _base64(text: str) -> str:
    return b64encode(_bytes(text)).decode()


def _bytes(text: str) -> bytes:
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        return text.encode(errors="replace")


def _ordered(secrets: Iterable[str]) -> tuple[str, ...]:
    long_enough = {text for text in secrets if len(text) >= _SHORTEST and MASK not in text}
    return tuple(sorted(long_enough, key=lambda secret: (-len(secret), secret)))
