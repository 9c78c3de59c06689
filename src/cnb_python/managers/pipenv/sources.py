"""From which source each package of a `Pipfile.lock` comes.

Pipenv installs source by source: a package from the one it is locked to, else from the first.
https://pipenv.pypa.io/en/latest/indexes.html
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from packaging.utils import canonicalize_name

from cnb_python.cnb.toml import TomlTable, table_at
from cnb_python.errors.locks import BadLock, UnsetVariable
from cnb_python.managers.base import Pin
from cnb_python.managers.install_locked import Home

_LOCK = "Pipfile.lock"
_INDEX = re.compile(r"(?:-i|--index-url|--extra-index-url)\s+(\S+)")
# As the shell's; Pipenv's own.
_VARIABLE = re.compile(r"'?\$\{(\w+)\}'?|\$(\w+)")


class PipenvSources(NamedTuple):
    """Where the packages of a lock come from."""

    home: Home
    lines: tuple[str, ...]
    """What counts for all of them, as lines of a requirements file."""


def read(
    lock: Mapping[str, object],
    pipfile: TomlTable,
    said: Iterable[str],
    environ: Mapping[str, str],
    file: str = _LOCK,
) -> PipenvSources:
    """Return where the packages of *lock* come from.

    *said*: Pipenv's lines about indexes, in which a mirror may stand for the usual one; *file*:
    the name of the lock, or of what stands for one. Raises UnsetVariable, and BadLock where a
    package is bound to a source that there is not.
    """
    lines = tuple(expanded(line, environ) for line in said)
    printed = [found[1] for found in map(_INDEX.match, lines) if found]
    addresses = dict(_addresses(lock, printed, environ, file))
    trusted = tuple(_insecure(lock, addresses))
    if table_at(pipfile, "pipenv").get("install_search_all_sources") is True or not printed:
        return PipenvSources(lambda _: (), (*lines, *trusted))
    bound, first = dict(_bound(lock, addresses, file)), next(iter(addresses.values()), printed[0])

    # A mirror is the user's, not the lock's.
    own = {expanded(str(source.get("url", "")), environ) for source in _sources(lock)}

    def home(pin: Pin) -> tuple[str, ...]:
        address = bound.get(pin.name, first)
        return (address,) if address in own else ()

    return PipenvSources(home, (f"--index-url {first}", *trusted))


def expanded(text: str, environ: Mapping[str, str]) -> str:
    """Return *text*, an address or a line with one, with what the variables in it say.

    As Pipenv does, which percent-encodes logins, and knows variables in quotes:

    >>> expanded("-i https://$USER:'${TOKEN}'@h.example/", {"USER": "me", "TOKEN": "a@b"})
    '-i https://me:a%40b@h.example/'
    """
    front, scheme, rest = text.partition("://")
    login, at, host = _filled(rest, environ).rpartition("@") if "$" in rest else ("", "", rest)
    if at:
        user, colon, password = login.partition(":")
        login = f"{quote(user, safe='')}{colon}{quote(password, safe='')}"
    return f"{_filled(front, environ)}{scheme}{login}{at}{host}"


def _filled(text: str, environ: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda found: environ.get(found[1] or found[2], "") or found[0], text)


def _unset(text: str, environ: Mapping[str, str]) -> Iterator[str]:
    names = (found[1] or found[2] for found in _VARIABLE.finditer(text))
    return (name for name in names if not environ.get(name))


def _addresses(
    lock: Mapping[str, object], printed: list[str], environ: Mapping[str, str], file: str
) -> Iterator[tuple[str, str]]:
    """Yield name and address of each source: one that Pipenv did not print has a mirror."""
    for source in _sources(lock):
        name, written = str(source.get("name", "")), str(source.get("url", ""))
        if missing := tuple(_unset(written, environ)):
            raise UnsetVariable(file, name, missing)
        address = expanded(written, environ)
        yield name, address if address in printed else printed[0]


def _sources(lock: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    meta = lock.get("_meta")
    sources = meta.get("sources") if isinstance(meta, dict) else None
    yield from (one for one in sources or () if isinstance(one, dict))


def _insecure(lock: Mapping[str, object], addresses: Mapping[str, str]) -> Iterator[str]:
    for source in _sources(lock):
        if source.get("verify_ssl") is False:
            host = urlsplit(addresses[str(source.get("name", ""))]).netloc
            yield f"--trusted-host {host.rpartition('@')[2]}"


def _bound(
    lock: Mapping[str, object], addresses: Mapping[str, str], file: str
) -> Iterator[tuple[str, str]]:
    """Yield each package that has a source of its own, and its address."""
    for section, packages in lock.items():
        for name, entry in packages.items() if isinstance(packages, dict) else ():
            index = entry.get("index") if isinstance(entry, dict) else None
            if section == "_meta" or not isinstance(index, str):
                continue
            if index not in addresses:
                known = ", ".join(sorted(addresses))
                raise BadLock(
                    file, f"it has {name} from a source {index}, and its sources are {known}"
                )
            yield canonicalize_name(name), addresses[index]
