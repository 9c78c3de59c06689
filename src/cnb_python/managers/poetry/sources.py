"""From which index each package of a `poetry.lock` comes.

https://python-poetry.org/docs/repositories/
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from packaging.utils import canonicalize_name, canonicalize_version

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable
from cnb_python.managers.index_pinning import Home
from cnb_python.managers.resolution import Pin
from cnb_python.system.addresses import shown

_INDEX = re.compile(r"--(?:extra-)?index-url (\S+)")


def home(lock: Path, exported: Iterable[str]) -> Home:
    """Return where the packages of *lock* come from; *exported* lines have the logins.

    Those without a source of their own come from the usual index. Raises UnreadableToml.
    """
    addresses = {_bare(found[1]): found[1] for found in map(_INDEX.match, exported) if found}
    known: defaultdict[tuple[str, str], list[_Source]] = defaultdict(list)
    for package in toml.tables_at(toml.read(lock), "package"):
        address = _address(toml.table_at(package, "source"))
        source = _Source(addresses.get(_bare(address), address), frozenset(_hashes(package)))
        known[_key(str(package.get("name")), str(package.get("version")))].append(source)

    def find(pin: Pin) -> tuple[str, ...]:
        return _of(pin, known[_key(pin.name, pin.version)])

    return find


def found_by(lines: Iterable[str]) -> Iterator[str]:
    """Yield those exported *lines* that are about packages without a source of their own too."""
    return (line for line in lines if not line.startswith("--extra-index-url "))


class _Source(NamedTuple):
    address: str
    hashes: frozenset[str]


def _of(pin: Pin, sources: list[_Source]) -> tuple[str, ...]:
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
