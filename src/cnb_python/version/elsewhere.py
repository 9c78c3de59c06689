"""Where a release is fetched from, as the operator's bindings have it: the conventions of Paketo.

`dependency-mapping`: the address of a file by its sha256. `dependency-mirror`: the address that
takes the place of a host, or of all hosts (`default`); `BP_DEPENDENCY_MIRROR` and
`BP_DEPENDENCY_MIRROR_GITHUB_COM` say the same.
https://paketo.io/docs/howto/configuration/#dependency-mappings
"""

from collections.abc import Iterator, Mapping
from urllib.parse import quote, urlsplit, urlunsplit

from cnb_python.cnb.bindings import Binding, of_type
from cnb_python.errors.runtimes import BadMirror
from cnb_python.system.addresses import shown
from cnb_python.version.inventory import Release
from cnb_python.version.mirror import DOWNLOADS

MAPPING = "dependency-mapping"
MIRROR = "dependency-mirror"
VARIABLE = "BP_DEPENDENCY_MIRROR"
_ALL_HOSTS = "default"
_HOST = "{originalHost}"
_SCHEMES = frozenset({"https", "http", "file"})


def address_of(release: Release, bindings: tuple[Binding, ...], environ: Mapping[str, str]) -> str:
    """Return the address to fetch *release* from.

    A mapping counts before everything else, and variables before bindings. The setting of a mirror
    is in the release's own address already; what it names is not mirrored again. Raises BadMirror.
    """
    if mapped := _mapped(release.sha256, bindings):
        return mapped
    if not release.url.startswith(DOWNLOADS):
        return release.url
    host = urlsplit(release.url).hostname or ""
    mirrors = dict(_bound(bindings)) | dict(_in_variables(environ))
    found = mirrors.get(host) or mirrors.get(_ALL_HOSTS)
    return _moved(release.url, *found) if found else release.url


def _mapped(sha256: str, bindings: tuple[Binding, ...]) -> str:
    for binding in of_type(bindings, MAPPING):
        if sha256 in binding.secrets:
            address = binding.secret(sha256).strip()
            _check(address, f"the binding {binding.name}")
            return address
    return ""


def _bound(bindings: tuple[Binding, ...]) -> Iterator[tuple[str, tuple[str, str]]]:
    for binding in of_type(bindings, MIRROR):
        for host in binding.secrets:
            yield host.lower(), (binding.secret(host).strip(), f"the binding {binding.name}")


def _in_variables(environ: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, str]]]:
    for name, value in environ.items():
        start, _, host = name.partition(f"{VARIABLE}_")
        if value.strip() and (name == VARIABLE or (not start and host)):
            # A variable's name has no other characters: `__` for `-`, `_` for `.`.
            spelt = host.replace("__", "-").replace("_", ".").lower()
            yield spelt or _ALL_HOSTS, (value.strip(), name)


def _moved(url: str, mirror: str, origin: str) -> str:
    """Return *url* below the address *mirror*, in which `{originalHost}` stands for its host."""
    _check(mirror, origin)
    old, new = urlsplit(url), urlsplit(mirror)
    path = new.path.replace(_HOST, old.hostname or "").replace(quote(_HOST), old.hostname or "")
    return urlunsplit(new._replace(path=f"{path.rstrip('/')}{old.path}"))


def _check(address: str, origin: str) -> None:
    """Refuse what nothing can be fetched from, without showing what may be secret in it."""
    try:
        parts = urlsplit(address)
        is_usable = parts.scheme in _SCHEMES and (parts.hostname or parts.scheme == "file")
        _ = parts.port
    except ValueError:
        is_usable = False
    if not is_usable:
        raise BadMirror(origin, shown(address))
