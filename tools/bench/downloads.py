"""Serves Python releases and packages on this machine, so that the network is not measured."""

import shutil
import time
import tomllib
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import tomli_w

from tools.bench import index
from tools.platforms import this_machine
from tools.pythons import mirror


@dataclass(frozen=True, slots=True)
class Servers:
    """A package index and a mirror of Python releases that answer."""

    index: str
    """The address of the index's simple pages."""
    table: str
    """The address of the table of the Python releases."""

    def settings(self) -> tuple[tuple[str, str], ...]:
        """Return the variables that each build gets, with every contestant."""
        inherited = this_machine.of_this_machine()
        indexes = {name: value for name, value in inherited.items() if not name.startswith("BP_")}
        # pip caches responses over plain HTTP only from trusted hosts.
        ours = {"PIP_INDEX_URL": self.index, "PIP_TRUSTED_HOST": "127.0.0.1"}
        return tuple({**indexes, **ours, this_machine.MIRROR: self.table}.items())


@contextmanager
def running(pythons: Sequence[str], folder: Path) -> Iterator[Servers]:
    """Serve the releases *pythons*, and the packages of the index, which are kept in *folder*."""
    with index.running(_index_address(), folder) as simple, mirror.running(pythons) as url:
        yield Servers(simple, f"{url}/python.toml")


def _fetch(address: str) -> bytes:
    # Without the proxies of the environment, which cannot reach this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(address, timeout=60) as answer:
        content: bytes = answer.read()
        return content


def with_releases(product: Path, table: str, folder: Path) -> Path:
    """Copy *product* to *folder*, with the releases at the address *table* as its own table.

    As with a released package, a build then downloads only archives, and no table. Returns
    *folder*.
    """
    shutil.copytree(product, folder, symlinks=True)
    rows = tomllib.loads(_fetch(table).decode())
    for row in rows["release"]:
        row["url"] = urljoin(table, row["url"])
    (folder / "runtimes").mkdir(exist_ok=True)
    (folder / "runtimes/python.toml").write_text(tomli_w.dumps(rows))
    return folder


def seconds(table: str, python: str) -> float:
    """Return the seconds in which release *python* is downloaded from the mirror of *table*."""
    address = next(
        urljoin(table, row["url"])
        for row in tomllib.loads(_fetch(table).decode())["release"]
        if row["version"] == python
    )
    began = time.perf_counter()
    _fetch(address)
    return round(time.perf_counter() - began, 3)


def _index_address() -> str:
    """Return the address of the index that pip is configured for, or of pip's default index."""
    configured = this_machine.of_this_machine().get("PIP_INDEX_URL")
    if configured:
        return configured
    # Read from pip, so that this project does not name an index of its own.
    from pip._internal.models.index import PyPI  # noqa: PLC0415 - needed only here

    return str(PyPI.simple_url)
