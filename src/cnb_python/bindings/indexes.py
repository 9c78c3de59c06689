"""Bindings of type `pypi`: package indexes and the logins for them.

The app's files may have the URL without the login. The login reaches each tool in variables, never
in arguments, which all users of the machine can read.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from cnb_python.bindings.schema import (
    CLIENT_CERT,
    EXTRA,
    INDEX_URL,
    NAME,
    PASSWORD,
    TOKEN,
    URL,
    USERNAME,
    only_key,
)
from cnb_python.cnb.bindings import Binding
from cnb_python.errors.config import BadBinding, SeveralBindings
from cnb_python.system.interface import Output
from cnb_python.system.redaction import shown

# The user for a login with only a token, as most indexes expect it.
USER_OF_TOKENS = "__token__"
_ADDRESSES = (URL, INDEX_URL, EXTRA)
_DEFAULTS = {
    "PIP_INDEX_URL": ("PIP_INDEX_URL", "PIP_PYPI_URL"),
    "UV_DEFAULT_INDEX": ("UV_DEFAULT_INDEX", "UV_INDEX_URL"),
}
_EXTRAS = ("PIP_EXTRA_INDEX_URL", "UV_INDEX")


class Index(NamedTuple):
    """The index, or the login for an index, in one binding."""

    binding: str
    address: str
    """The URL without a login; empty: the app's files have it, under the name."""
    is_extra: bool
    """Whether it is searched in addition to the usual index."""
    name: str
    """Its name in the app's files; empty: it is not there."""
    user: str
    password: str
    """Both are empty if it needs no login."""
    client_cert: str
    """The path of a client certificate with its key; empty: none."""

    def __repr__(self) -> str:
        return f"Index(binding={self.binding!r})"

    @property
    def host(self) -> str:
        """The host of the URL."""
        return urlsplit(self.address).hostname or ""

    @property
    def url(self) -> str:
        """The URL with the login."""
        if not self.user:
            return self.address
        address = urlsplit(self.address)
        login = f"{_quoted(self.user)}:{_quoted(self.password)}"
        return urlunsplit(address._replace(netloc=f"{login}@{address.netloc}"))


def _quoted(text: str) -> str:
    # The bytes of the file: a password need not be UTF-8.
    return quote(text.encode(errors="surrogateescape"), safe="")


def read_indexes(bindings: Iterable[Binding]) -> tuple[Index, ...]:
    """Return the indexes in *bindings*, which are checked ones of type `pypi`.

    Raises BadBinding, and SeveralBindings if there are two usual indexes.
    """
    indexes = tuple(map(_index, bindings))
    usual = tuple(index.binding for index in indexes if index.address and not index.is_extra)
    if len(usual) > 1:
        raise SeveralBindings("pypi", usual, URL)
    return indexes


def index_variables(
    indexes: Iterable[Index], environ: Mapping[str, str], output: Output
) -> Mapping[str, str]:
    """Return *environ* with the tools' variables for *indexes*, except those that are set."""
    variables = dict(environ)
    for index in indexes:
        output.line(f"{index.binding}: {_summary(index)}")
        for name, value in _of_names(index):
            variables[name] = variables.get(name) or value
        if index.address and index.is_extra:
            for name in _EXTRAS:
                variables[name] = f"{variables.get(name, '')} {index.url}".strip()
        elif index.address:
            for name, names in _DEFAULTS.items():
                if stronger := next(filter(variables.get, names), ""):
                    output.line(f"{index.binding}: not used, since {stronger} is set")
                else:
                    variables[name] = index.url
    return variables


def _of_names(index: Index) -> Iterable[tuple[str, str]]:
    """Yield the variables that do not depend on the URL.

    https://docs.astral.sh/uv/concepts/indexes/#providing-credentials-directly
    https://python-poetry.org/docs/repositories/#configuring-credentials
    """
    if index.client_cert:
        yield "PIP_CLIENT_CERT", index.client_cert
        yield "SSL_CLIENT_CERT", index.client_cert
    if not index.name:
        return
    name = re.sub(r"[^A-Z0-9]", "_", index.name.upper())
    if index.user:
        for prefix in ("UV_INDEX", "POETRY_HTTP_BASIC"):
            yield f"{prefix}_{name}_USERNAME", index.user
            yield f"{prefix}_{name}_PASSWORD", index.password
    if index.client_cert:
        yield f"POETRY_CERTIFICATES_{name}_CLIENT_CERT", index.client_cert


def _index(binding: Binding) -> Index:
    keys = binding.secrets.keys()
    name = binding.secret(NAME).strip() if NAME in keys else ""
    if NAME in keys and not re.search(r"[A-Za-z0-9]", name):
        raise BadBinding(binding.name, binding.type, NAME, "no name", ())
    if name and not keys & set(_ADDRESSES):
        kind, address, inside = "", "", ("", "")
    else:
        kind = only_key(binding, *_ADDRESSES)
        address, inside = _address(binding, kind)
    user, password = _login(binding) or inside
    if name and not (address or user or CLIENT_CERT in keys):
        raise BadBinding(binding.name, binding.type, USERNAME, "missing key", (USERNAME, TOKEN))
    cert = str(binding.secrets[CLIENT_CERT]) if CLIENT_CERT in keys else ""
    return Index(binding.name, address, kind == EXTRA, name, user, password, cert)


def _address(binding: Binding, key: str) -> tuple[str, tuple[str, str]]:
    """Return the URL in *key* without its login, and the login (user, password)."""
    try:
        text = binding.secret(key).strip()
        # urlsplit silently removes line breaks.
        address = urlsplit(text if text.isprintable() else "")
        _ = address.port
    except ValueError:  # its message would show the URL
        address = urlsplit("")
    if address.scheme not in {"http", "https"} or not address.hostname or " " in address.geturl():
        raise BadBinding(binding.name, binding.type, key, "not an address", ())
    bare = urlunsplit(address._replace(netloc=address.netloc.rpartition("@")[2]))
    return bare, (unquote(address.username or ""), unquote(address.password or ""))


def _login(binding: Binding) -> tuple[str, str] | None:
    keys = binding.secrets.keys()
    if not keys & {USERNAME, PASSWORD, TOKEN}:
        return None
    user = binding.secret(USERNAME).strip() if USERNAME in keys else ""
    if not keys & {PASSWORD, TOKEN}:
        raise BadBinding(binding.name, binding.type, PASSWORD, "missing key", (PASSWORD, TOKEN))
    key = only_key(binding, PASSWORD, TOKEN)
    if not user and key == PASSWORD:
        raise BadBinding(binding.name, binding.type, USERNAME, "missing key", (USERNAME,))
    secret = binding.secret(key).strip() if key == TOKEN else binding.secret(key)
    if not secret or not {"\n", "\0"}.isdisjoint(secret + user):
        raise BadBinding(binding.name, binding.type, key, "not one line", ())
    return user or USER_OF_TOKENS, secret


def _summary(index: Index) -> str:
    login = "with a login" if index.user else "without a login"
    named = f", called {index.name}" if index.name else ""
    if not index.address:
        return f"a login for the index called {index.name}"
    kind = "an index besides the usual one" if index.is_extra else "the usual index"
    return f"{kind}, {shown(index.address)}{named}, {login}"
