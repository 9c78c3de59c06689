"""Bindings of type `pypi`: package indexes and the logins for them.

An address without a login may stand in the app's files; what a binding says reaches each tool in
the variables that it has for this, never as an argument: those can be seen by the whole machine.
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

# Who logs in with a token alone, by the custom of most indexes.
USER_OF_TOKENS = "__token__"
_ADDRESSES = (URL, INDEX_URL, EXTRA)
_DEFAULTS = {
    "PIP_INDEX_URL": ("PIP_INDEX_URL", "PIP_PYPI_URL"),
    "UV_DEFAULT_INDEX": ("UV_DEFAULT_INDEX", "UV_INDEX_URL"),
}
_EXTRAS = ("PIP_EXTRA_INDEX_URL", "UV_INDEX")


class Index(NamedTuple):
    """What one binding says."""

    binding: str
    address: str
    """Without a login; empty: the app's files say it, under the name."""
    is_extra: bool
    """It is asked besides the usual one."""
    name: str
    """What the app's files call it; empty: nothing there is for it."""
    user: str
    password: str
    """Both empty: everybody may read."""
    client_cert: str
    """The file of a client's certificate and key; empty: none."""

    def __repr__(self) -> str:
        return f"Index(binding={self.binding!r})"

    @property
    def host(self) -> str:
        """Of its address."""
        return urlsplit(self.address).hostname or ""

    @property
    def url(self) -> str:
        """The address with the login."""
        if not self.user:
            return self.address
        address = urlsplit(self.address)
        login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}"
        return urlunsplit(address._replace(netloc=f"{login}@{address.netloc}"))


def read(bindings: Iterable[Binding]) -> tuple[Index, ...]:
    """Return what *bindings*, checked ones of type `pypi`, say.

    Raises BadBinding, and SeveralBindings where two want to be the usual index.
    """
    found = tuple(map(_index, bindings))
    usual = tuple(one.binding for one in found if one.address and not one.is_extra)
    if len(usual) > 1:
        raise SeveralBindings("pypi", usual, URL)
    return found


def variables(
    indexes: Iterable[Index], environ: Mapping[str, str], output: Output
) -> Mapping[str, str]:
    """Return *environ* with what the tools are told of *indexes*; what was set already stays."""
    made = dict(environ)
    for index in indexes:
        output.line(f"{index.binding}: {_said(index)}")
        for name, value in _of_names(index):
            made[name] = made.get(name) or value
        if index.address and index.is_extra:
            for name in _EXTRAS:
                made[name] = f"{made.get(name, '')} {index.url}".strip()
        elif index.address:
            for name, others in _DEFAULTS.items():
                if stronger := next((one for one in others if made.get(one)), ""):
                    output.line(f"{index.binding}: {stronger} is set too, and counts")
                else:
                    made[name] = index.url
    return made


def _of_names(index: Index) -> Iterable[tuple[str, str]]:
    """Yield what does not depend on the address.

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
    """Return the address that *key* holds without its login, and that."""
    try:
        text = binding.secret(key).strip()
        # urlsplit leaves line breaks out without a word.
        address = urlsplit(text if text.isprintable() else "")
        _ = address.port
    except ValueError:  # its words would show the address
        address = urlsplit("")
    if address.scheme not in {"http", "https"} or not address.hostname or " " in address.geturl():
        raise BadBinding(binding.name, binding.type, key, "no address", ())
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
    if not secret or "\n" in secret:
        raise BadBinding(binding.name, binding.type, key, "no secret", ())
    return user or USER_OF_TOKENS, secret


def _said(index: Index) -> str:
    login = "with a login" if index.user else "without a login"
    named = f", called {index.name}" if index.name else ""
    if not index.address:
        return f"a login for the index called {index.name}"
    kind = "an index besides the usual one" if index.is_extra else "the usual index"
    return f"{kind}, {shown(index.address)}{named}, {login}"
