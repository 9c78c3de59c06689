"""The types of service bindings that count here, and the keys that each may have."""

from collections.abc import Mapping

from cnb_python.cnb.bindings import Binding
from cnb_python.errors.config import BadBinding

URL, INDEX_URL, EXTRA = "url", "index-url", "extra-index-url"
USERNAME, PASSWORD, TOKEN = "username", "password", "token"
NAME, CLIENT_CERT = "name", "client-cert"
PIP_CONF, UV_TOML, NETRC, DOT_NETRC = "pip.conf", "uv.toml", "netrc", ".netrc"

# By type, in the order in which they are looked at; no keys: those of `ca-certificates` are names
# that users give, as with Paketo's buildpack of that name.
KINDS: Mapping[str, tuple[str, ...]] = {
    "pypi": (URL, INDEX_URL, EXTRA, NAME, USERNAME, PASSWORD, TOKEN, CLIENT_CERT),
    "pip": (PIP_CONF,),
    "uv": (UV_TOML,),
    "netrc": (NETRC, DOT_NETRC),
    "ca-certificates": (),
}


def checked(binding: Binding) -> Binding:
    """Return *binding*, one of `KINDS`. Raises BadBinding for a key that its type has not."""
    known = KINDS[binding.type.casefold()]
    for key in binding.secrets:
        # What editors and file systems leave behind is no key: .DS_Store, .pip.conf.swp.
        if known and key not in known and not key.startswith("."):
            raise BadBinding(binding.name, binding.type, key, "unknown key", known)
    return binding


def only_key(binding: Binding, *keys: str) -> str:
    """Return the one of *keys* that *binding* has. Raises BadBinding for none, or several."""
    found = [key for key in keys if key in binding.secrets]
    if not found:
        raise BadBinding(binding.name, binding.type, keys[0], "missing key", keys)
    if len(found) > 1:
        raise BadBinding(binding.name, binding.type, found[1], "said twice", keys)
    return found[0]
