"""From which index each package of a `poetry.lock` comes.

https://python-poetry.org/docs/repositories/
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from packaging.utils import canonicalize_name, canonicalize_version

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable
from cnb_python.managers.base import InstallContext, Pin
from cnb_python.managers.install_locked import Home
from cnb_python.system.certificates import bundle_with
from cnb_python.system.redaction import shown

_CERTIFICATE = re.compile(r"POETRY_CERTIFICATES_(\w+?)_(CLIENT_CERT|CERT)")


def trusting_certificates(place: InstallContext) -> dict[str, str]:
    """Return what has uv trust, and show, those of all sources. Raises UnreadableToml."""
    said = tuple(_certificates(place))
    files = [place.app_dir / one.value for one in said if one.kind == "cert" and one.value]
    clients = [place.app_dir / one.value for one in said if one.kind == "client-cert"]
    refused = {one.name for one in said if one.kind == "cert" and not one.value}
    found = {}
    if files:
        bundle = place.scratch / "poetry.certificates.pem"
        bundle.write_text(bundle_with((), files, place.environ), encoding="utf-8")
        found["SSL_CERT_FILE"] = str(bundle)
    if clients and not place.environ.get("SSL_CLIENT_CERT"):
        found["SSL_CLIENT_CERT"] = str(clients[0])
    if hosts := [host for name, host in _hosts(place) if _variable(name) in refused]:
        found["UV_INSECURE_HOST"] = " ".join(hosts)
    return found


class _Certificate(NamedTuple):
    name: str
    """Of the source, as variables have it."""
    kind: str
    value: str
    """A path; empty: nobody is to be asked for any."""


def _certificates(place: InstallContext) -> Iterator[_Certificate]:
    """Yield what variables say, then what the app's own settings say besides."""
    seen = set()
    for name, value in sorted(place.environ.items()):
        if value and (found := _CERTIFICATE.fullmatch(name)):
            kind = found[2].lower().replace("_", "-")
            seen.add((found[1], kind))
            yield _Certificate(found[1], kind, "" if value.lower() == "false" else value)
    for name, said in _settings(place.app_dir).items():
        table = said if isinstance(said, dict) else {}
        for kind in ("cert", "client-cert"):
            if kind in table and (_variable(name), kind) not in seen:
                path = table[kind]
                yield _Certificate(_variable(name), kind, path if isinstance(path, str) else "")


def _settings(directory: Path) -> TomlTable:
    file = directory / "poetry.toml"
    return toml.table_at(toml.read(file), "certificates") if file.is_file() else {}


def _hosts(place: InstallContext) -> Iterator[tuple[str, str]]:
    """Yield name and host of each source of the app."""
    tools = toml.table_at(toml.read(place.app_dir / "pyproject.toml"), "tool")
    for source in toml.tables_at(toml.table_at(tools, "poetry"), "source"):
        if host := urlsplit(str(source.get("url", ""))).netloc.rpartition("@")[2]:
            yield str(source.get("name", "")), host


def _variable(name: str) -> str:
    return name.upper().replace("-", "_")


_INDEX = re.compile(r"--(?:extra-)?index-url (\S+)")


def home(lock: Path, exported: Iterable[str]) -> Home:
    """Return where the packages of *lock* come from; *exported* lines have the logins.

    Those without a source of their own come from the usual index. Raises UnreadableToml.
    """
    addresses = {_bare(found[1]): found[1] for found in map(_INDEX.match, exported) if found}
    known: defaultdict[tuple[str, str], list[_PoetrySource]] = defaultdict(list)
    for package in toml.tables_at(toml.read(lock), "package"):
        address = _address(toml.table_at(package, "source"))
        source = _PoetrySource(addresses.get(_bare(address), address), frozenset(_hashes(package)))
        known[_key(str(package.get("name")), str(package.get("version")))].append(source)

    def find(pin: Pin) -> tuple[str, ...]:
        return _of(pin, known[_key(pin.name, pin.version)])

    return find


def found_by(lines: Iterable[str]) -> Iterator[str]:
    """Yield those exported *lines* that are about packages without a source of their own too."""
    return (line for line in lines if not line.startswith("--extra-index-url "))


class _PoetrySource(NamedTuple):
    address: str
    hashes: frozenset[str]


def _of(pin: Pin, sources: list[_PoetrySource]) -> tuple[str, ...]:
    """Return the source of *pin* among those that the lock has for the release."""
    fitting = [one for one in sources if any(f"={hashed}" in pin.line for hashed in one.hashes)]
    found = (one.address for one in fitting or sources)
    return tuple(dict.fromkeys(filter(None, found)))


def _key(name: str, version: str) -> tuple[str, str]:
    return canonicalize_name(name), canonicalize_version(version)


def _address(source: TomlTable) -> str:
    return str(source.get("url", "")) if source.get("type") == "legacy" else ""


def _hashes(package: TomlTable) -> Iterator[str]:
    yield from (str(file.get("hash", "")).lower() for file in toml.tables_at(package, "files"))


def _bare(address: str) -> str:
    return shown(address).rstrip("/") if address else ""
