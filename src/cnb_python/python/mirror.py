"""Where Pythons come from: the buildpack's own table, that of an offline package, or a mirror."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from cnb_python.cnb.bindings import Binding, of_type
from cnb_python.config.settings import MIRROR
from cnb_python.errors.machine import BadMirror, UnusablePythonTable
from cnb_python.python.releases import Inventory, Release, load, parse, read_table
from cnb_python.system.interface import Download, Fetch
from cnb_python.system.redaction import local_path, shown

_DEPENDENCY_MAPPING = "dependency-mapping"
_DEPENDENCY_MIRROR = "dependency-mirror"
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
    for binding in of_type(bindings, _DEPENDENCY_MAPPING):
        if sha256 in binding.secrets:
            address = binding.secret(sha256).strip()
            _check(address, f"the binding {binding.name}")
            return address
    return ""


def _bound(bindings: tuple[Binding, ...]) -> Iterator[tuple[str, tuple[str, str]]]:
    for binding in of_type(bindings, _DEPENDENCY_MIRROR):
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


# What a mirror's address takes the place of, as uv's UV_PYTHON_INSTALL_MIRROR does.
DOWNLOADS = "https://github.com/astral-sh/python-build-standalone/releases/download"

# Below the buildpack's directory: archives that travel with it, by their sha256, and the table
# that then says what there is.
_CARRIED = "runtimes"
_TABLE = Path(__file__).parents[1] / "data/python.toml"
_SUFFIXES = (".tar.gz", ".tar.zst")


def find_inventory(mirror: str, buildpack: Path, fetch: Fetch) -> Inventory:
    """Return what can be installed.

    *mirror*, the setting, is the address or path either of a directory with the same files as
    DOWNLOADS or of a table (`.../*.toml`); without one, the table of an offline *buildpack*
    counts, then our own. Raises UnusablePythonTable, and for a table elsewhere what *fetch*
    raises.
    """
    ours = own_inventory()
    if mirror:
        try:
            return _mirrored(ours, _address(mirror), fetch)
        except ValueError:  # of urllib.parse, whose words would show a password
            raise UnusablePythonTable(shown(mirror), ("there is a malformed address",)) from None
    carried = buildpack / _CARRIED / "python.toml"
    return _read(carried, _address(str(carried.absolute())), ours) if carried.exists() else ours


def own_inventory() -> Inventory:
    """Return the table that belongs to this release of the buildpack."""
    return load(_TABLE)


def carried_archive(release: Release, buildpack: Path) -> Path | None:
    """Return the archive of *release* that travels with *buildpack*, if one does."""
    names = (f"{release.sha256}{suffix}" for suffix in _SUFFIXES)
    paths = (buildpack / _CARRIED / name for name in names)
    return next((path for path in paths if path.is_file()), None)


def _mirrored(ours: Inventory, address: str, fetch: Fetch) -> Inventory:
    if not urlsplit(address).path.endswith(".toml"):
        return _rebased(ours, address.rstrip("/"))
    path = local_path(address)
    if path is not None:
        return _read(path, address, ours)
    import tempfile  # noqa: PLC0415 - of no use to most builds

    with tempfile.TemporaryDirectory(prefix="cnb-python-") as scratch:
        copy = Path(scratch) / "python.toml"
        # Whoever names the table vouches for it; it vouches for everything it lists.
        fetch(Download(address, sha256="", title="The table of Python releases"), copy)
        return _read(copy, address, ours)


def _rebased(inventory: Inventory, address: str) -> Inventory:
    releases = (
        replace(release, url=release.url.replace(DOWNLOADS, address, 1))
        for release in inventory.releases
    )
    return replace(inventory, releases=tuple(releases))


def _read(path: Path, address: str, ours: Inventory) -> Inventory:
    """Read a table whose own `url`s may be relative to its *address*."""
    origin = shown(address)
    inventory = parse(read_table(path, origin), origin, ours)
    releases = (
        replace(release, url=_checked(urljoin(address, release.url)))
        for release in inventory.releases
    )
    return replace(inventory, releases=tuple(releases))


def _checked(address: str) -> str:
    """Return *address*. Raises ValueError for a port that is none."""
    _ = urlsplit(address).port
    return address


def _address(mirror: str) -> str:
    """Return *mirror* as a URL. Raises UnusablePythonTable for what is neither URL nor path."""
    if mirror.startswith("/"):
        return f"file://{quote(mirror)}"
    if urlsplit(mirror).scheme not in {"http", "https", "file"}:
        problem = f"{MIRROR} must start with https://, http://, file:// or /"
        raise UnusablePythonTable(shown(mirror), (problem,))
    return _checked(mirror)
