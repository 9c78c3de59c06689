"""Where Python is downloaded from: the table of releases that counts, and the URL of a release."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from cnb_python.bindings.schema import DEPENDENCY_MAPPING, DEPENDENCY_MIRROR
from cnb_python.cnb.bindings import Binding, of_type
from cnb_python.config.settings import MIRROR
from cnb_python.errors.downloads import BadMirror, UnusablePythonTable
from cnb_python.python.releases import (
    Inventory,
    Release,
    load_inventory,
    parse_inventory,
    read_table,
)
from cnb_python.system.interface import Download, Fetch
from cnb_python.system.redaction import local_path, shown

VARIABLE = "BP_DEPENDENCY_MIRROR"
_ALL_HOSTS = "default"
_HOST = "{originalHost}"
_SCHEMES = frozenset({"https", "http", "file"})

# The part of the URLs that a mirror replaces, as with uv's UV_PYTHON_INSTALL_MIRROR.
DOWNLOADS = "https://github.com/astral-sh/python-build-standalone/releases/download"

# In the buildpack's directory of an offline package: archives, named by their sha256, and their
# table.
_BUNDLED = "runtimes"
_TABLE = Path(__file__).parents[1] / "data/python.toml"
_LARGEST_TABLE = 8 << 20
_SUFFIXES = (".tar.gz", ".tar.zst")


def find_inventory(mirror: str, buildpack: Path, fetch: Fetch) -> Inventory:
    """Return the releases that can be installed.

    *mirror*, the setting, is the URL or path of a directory with the same files as DOWNLOADS, or
    of a table (`.../*.toml`). Without it the table of an offline *buildpack* counts, else the
    buildpack's own. Raises UnusablePythonTable, and for a table that is downloaded what *fetch*
    raises.
    """
    own = own_inventory()
    if mirror:
        try:
            return _mirrored(own, _url(mirror), fetch)
        except ValueError:  # of urllib.parse, whose message would show a password
            raise UnusablePythonTable(shown(mirror), ("there is a malformed URL",)) from None
    table = buildpack / _BUNDLED / "python.toml"
    return _read(table, _url(str(table.absolute())), own) if table.exists() else own


def own_inventory() -> Inventory:
    """Return the table of this release of the buildpack."""
    return load_inventory(_TABLE)


def bundled_archive(release: Release, buildpack: Path) -> Path | None:
    """Return the path of the archive of *release* in *buildpack*, None if it is not bundled."""
    names = (f"{release.sha256}{suffix}" for suffix in _SUFFIXES)
    paths = (buildpack / _BUNDLED / name for name in names)
    return next((path for path in paths if path.is_file()), None)


def _mirrored(own: Inventory, url: str, fetch: Fetch) -> Inventory:
    if not urlsplit(url).path.endswith(".toml"):
        return _rebased(own, url.rstrip("/"))
    path = local_path(url)
    if path is not None:
        return _read(path, url, own)
    import tempfile  # noqa: PLC0415 - few builds need it

    with tempfile.TemporaryDirectory(prefix="cnb-python-") as scratch:
        copy = Path(scratch) / "python.toml"
        # There is no hash for the table: the user who names it trusts it. It has the hashes of the
        # rest.
        title = "The table of Python releases"
        fetch(Download(url, sha256="", title=title, is_small=True, largest=_LARGEST_TABLE), copy)
        return _read(copy, url, own)


def _rebased(inventory: Inventory, base: str) -> Inventory:
    releases = (
        replace(release, url=release.url.replace(DOWNLOADS, base, 1))
        for release in inventory.releases
    )
    return replace(inventory, releases=tuple(releases))


def _read(path: Path, url: str, own: Inventory) -> Inventory:
    """Return the inventory at *path*, whose URLs may be relative to its own *url*."""
    origin = shown(url)
    inventory = parse_inventory(read_table(path, origin), origin, own)
    releases = (
        replace(release, url=_checked(urljoin(url, release.url))) for release in inventory.releases
    )
    return replace(inventory, releases=tuple(releases))


def _checked(url: str) -> str:
    """Return *url*. Raises ValueError for an invalid port."""
    _ = urlsplit(url).port
    return url


def _url(mirror: str) -> str:
    """Return *mirror* as a URL. Raises UnusablePythonTable if it is neither a URL nor a path."""
    if mirror.startswith("/"):
        return f"file://{quote(mirror)}"
    if urlsplit(mirror).scheme not in {"http", "https", "file"}:
        problem = f"{MIRROR} must start with https://, http://, file:// or /"
        raise UnusablePythonTable(shown(mirror), (problem,))
    return _checked(mirror)


def download_url(
    release: Release, bindings: tuple[Binding, ...], environ: Mapping[str, str]
) -> str:
    """Return the URL to download *release* from.

    A dependency mapping wins over a mirror, and variables win over bindings. The setting `mirror`
    has changed the release's own URL already, which is then not mirrored again. Raises BadMirror.
    """
    if mapped := _mapped(release.sha256, bindings):
        return mapped
    if not release.url.startswith(DOWNLOADS):
        return release.url
    host = urlsplit(release.url).hostname or ""
    mirrors = dict(_bound(bindings)) | dict(_in_variables(environ))
    mirror = mirrors.get(host) or mirrors.get(_ALL_HOSTS)
    return _moved(release.url, *mirror) if mirror else release.url


def _mapped(sha256: str, bindings: tuple[Binding, ...]) -> str:
    for binding in of_type(bindings, DEPENDENCY_MAPPING):
        if sha256 in binding.secrets:
            url = binding.secret(sha256).strip()
            _check(url, f"the binding {binding.name}")
            return url
    return ""


def _bound(bindings: tuple[Binding, ...]) -> Iterator[tuple[str, tuple[str, str]]]:
    for binding in of_type(bindings, DEPENDENCY_MIRROR):
        for host in binding.secrets:
            yield host.lower(), (binding.secret(host).strip(), f"the binding {binding.name}")


def _in_variables(environ: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, str]]]:
    for name, value in environ.items():
        start, _, host = name.partition(f"{VARIABLE}_")
        if value.strip() and (name == VARIABLE or (not start and host)):
            # A variable's name cannot hold these characters: `__` stands for `-`, `_` for `.`.
            spelt = host.replace("__", "-").replace("_", ".").lower()
            yield spelt or _ALL_HOSTS, (value.strip(), name)


def _moved(url: str, mirror: str, origin: str) -> str:
    """Return *url* below *mirror*, in which `{originalHost}` stands for the host of *url*."""
    _check(mirror, origin)
    old, new = urlsplit(url), urlsplit(mirror)
    path = new.path.replace(_HOST, old.hostname or "").replace(quote(_HOST), old.hostname or "")
    return urlunsplit(new._replace(path=f"{path.rstrip('/')}{old.path}"))


def _check(url: str, origin: str) -> None:
    """Refuse an unusable *url* without showing its credentials. Raises BadMirror."""
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in _SCHEMES and (parts.hostname or parts.scheme == "file")
        _ = parts.port
    except ValueError:
        is_usable = False
    if not is_usable:
        raise BadMirror(origin, shown(url))
