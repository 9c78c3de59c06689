"""The types of service bindings that the buildpack reads, and the keys of each type."""

from collections.abc import Mapping

from cnb_python.cnb.bindings import Binding
from cnb_python.errors.config import BadBinding

URL, INDEX_URL, EXTRA = "url", "index-url", "extra-index-url"
USERNAME, PASSWORD, TOKEN = "username", "password", "token"
NAME, CLIENT_CERT = "name", "client-cert"
OSV, PATH = "osv", "path"
PIP_CONF, UV_TOML, NETRC, DOT_NETRC = "pip.conf", "uv.toml", "netrc", ".netrc"
DEPENDENCY_MAPPING, DEPENDENCY_MIRROR = "dependency-mapping", "dependency-mirror"
SERVICES, SERVICES_FILE = "VCAP_SERVICES", "VCAP_SERVICES_FILE_PATH"
"""Cloud Foundry's variables: the services of the app as JSON, or the file with that JSON."""

# The keys by type, in the order in which the types are applied. `ca-certificates` may have any
# keys, as with Paketo's buildpack of that name.
KINDS: Mapping[str, tuple[str, ...]] = {
    "pypi": (URL, INDEX_URL, EXTRA, NAME, USERNAME, PASSWORD, TOKEN, CLIENT_CERT),
    "pip": (PIP_CONF,),
    "uv": (UV_TOML,),
    "netrc": (NETRC, DOT_NETRC),
    "ca-certificates": (),
    OSV: (URL, PATH),
}
TYPES = frozenset({*KINDS, DEPENDENCY_MAPPING, DEPENDENCY_MIRROR})
"""All types that have an effect; `python.mirror` reads the last two."""
# Other keys that a type may have, by their ends.
_ENDS: Mapping[str, tuple[str, ...]] = {OSV: (".json", ".zip")}


def checked(binding: Binding) -> Binding:
    """Return *binding*, one of `KINDS`. Raises BadBinding for a key of another type."""
    kind = binding.type.casefold()
    keys, ends = KINDS[kind], _ENDS.get(kind, ())
    for key in binding.secrets:
        # Files of editors and file systems are ignored: .DS_Store, .pip.conf.swp.
        if keys and key not in keys and not key.startswith(".") and not key.endswith(ends):
            expected = (*keys, *(f"*{end}" for end in ends))
            raise BadBinding(binding.name, binding.type, key, "unknown key", expected)
    return binding


def only_key(binding: Binding, *keys: str) -> str:
    """Return the one of *keys* that *binding* has. Raises BadBinding for none, or several."""
    present = [key for key in keys if key in binding.secrets]
    if not present:
        raise BadBinding(binding.name, binding.type, keys[0], "missing key", keys)
    if len(present) > 1:
        raise BadBinding(binding.name, binding.type, present[1], "several keys", keys)
    return present[0]
