"""The source of each package of a `Pipfile.lock`, and its login.

Apart from the export: Pipenv's rules for sources. Pipenv installs source by source: a package from
the one that the lock file names, else from the first.
https://pipenv.pypa.io/en/latest/indexes.html
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote, urlsplit

from packaging.utils import canonicalize_name

from cnb_python.cnb.toml import TomlTable, table_at
from cnb_python.errors.locks import BadLock, UnsetVariable
from cnb_python.managers.base import Pin
from cnb_python.managers.lock_export import INDEX_LINE, LockSources

_LOCK = "Pipfile.lock"
# The shell's form, and Pipenv's own in quotes.
_VARIABLE = re.compile(r"'?\$\{(\w+)\}'?|\$(\w+)")


def read_sources(
    lock: Mapping[str, object],
    pipfile: TomlTable,
    printed: Iterable[str],
    environ: Mapping[str, str],
    file: str = _LOCK,
) -> LockSources:
    """Return the indexes of the packages of *lock*.

    *printed*: Pipenv's lines with index options, in which a mirror may replace the usual index;
    *file*: the name of the file that *lock* comes from. Raises UnsetVariable, and BadLock if a
    package names an unknown source.
    """
    lines = tuple(expanded(line, environ) for line in printed)
    urls = [match[2] for match in map(INDEX_LINE.match, lines) if match]
    url_of = dict(_urls_by_name(lock, urls, environ, file))
    trusted = tuple(_trusted_hosts(lock, url_of))
    if table_at(pipfile, "pipenv").get("install_search_all_sources") is True or not urls:
        return LockSources(lambda _: (), (*lines, *trusted))
    own_urls = dict(_own_urls(lock, url_of, file))
    first = next(iter(url_of.values()), urls[0])
    # Without a mirror, which the user sets up for all packages.
    locked = {expanded(str(source.get("url", "")), environ) for source in _sources(lock)}

    def indexes_of(pin: Pin) -> tuple[str, ...]:
        url = own_urls.get(pin.name, first)
        return (url,) if url in locked else ()

    return LockSources(indexes_of, (f"--index-url {first}", *trusted))


def expanded(text: str, environ: Mapping[str, str]) -> str:
    """Return *text*, a URL or a line with one, with the values of its variables.

    As Pipenv does, which percent-encodes logins, and has variables in quotes:

    >>> expanded("-i https://$USER:'${TOKEN}'@h.example/", {"USER": "me", "TOKEN": "a@b"})
    '-i https://me:a%40b@h.example/'
    """
    front, scheme, address = text.partition("://")
    login, at, host = (
        _filled(address, environ).rpartition("@") if "$" in address else ("", "", address)
    )
    if at:
        user, colon, password = login.partition(":")
        login = f"{quote(user, safe='')}{colon}{quote(password, safe='')}"
    return f"{_filled(front, environ)}{scheme}{login}{at}{host}"


def _filled(text: str, environ: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: environ.get(match[1] or match[2], "") or match[0], text)


def _urls_by_name(
    lock: Mapping[str, object], printed: list[str], environ: Mapping[str, str], file: str
) -> Iterator[tuple[str, str]]:
    """Yield name and URL of each source; one that Pipenv did not print has the mirror's."""
    for source in _sources(lock):
        name, written = str(source.get("name", "")), str(source.get("url", ""))
        if unset := tuple(_unset_variables(written, environ)):
            raise UnsetVariable(file, name, unset)
        url = expanded(written, environ)
        yield name, url if url in printed else printed[0]


def _unset_variables(text: str, environ: Mapping[str, str]) -> Iterator[str]:
    names = (match[1] or match[2] for match in _VARIABLE.finditer(text))
    return (name for name in names if not environ.get(name))


def _sources(lock: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    meta = lock.get("_meta")
    sources = meta.get("sources") if isinstance(meta, dict) else None
    yield from (source for source in sources or () if isinstance(source, dict))


def _trusted_hosts(lock: Mapping[str, object], url_of: Mapping[str, str]) -> Iterator[str]:
    """Yield an option for each source whose certificate is not checked."""
    for source in _sources(lock):
        if source.get("verify_ssl") is False:
            host = urlsplit(url_of[str(source.get("name", ""))]).netloc
            yield f"--trusted-host {host.rpartition('@')[2]}"


def _own_urls(
    lock: Mapping[str, object], url_of: Mapping[str, str], file: str
) -> Iterator[tuple[str, str]]:
    """Yield each package that has a source of its own, and the URL of that source."""
    for section, packages in lock.items():
        for name, entry in packages.items() if isinstance(packages, dict) else ():
            index = entry.get("index") if isinstance(entry, dict) else None
            if section == "_meta" or not isinstance(index, str):
                continue
            if index not in url_of:
                names = ", ".join(sorted(url_of))
                raise BadLock(
                    file, f"it has {name} from a source {index}, and its sources are {names}"
                )
            yield canonicalize_name(name), url_of[index]
