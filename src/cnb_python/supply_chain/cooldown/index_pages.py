"""Requests the pages of packages from their indexes, as JSON, each once.

Separate from `check`, which judges what they say.
"""

import itertools
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from cnb_python.errors.downloads import DownloadFailed
from cnb_python.errors.network import IndexRefused, IndexUnreachable
from cnb_python.supply_chain.cooldown.release_files import (
    NotAnIndexPage,
    ReleaseFile,
    read_page,
)
from cnb_python.system import regular_file
from cnb_python.system.interface import Download, Fetch
from cnb_python.system.redaction import shown

ACCEPT = "application/vnd.pypi.simple.v1+json"
"""https://packaging.python.org/en/latest/specifications/simple-repository-api/#content-types"""
_LARGEST = 64 << 20
_MISSING = frozenset({404, 410})
_REFUSALS = frozenset({401, 403, 407})


class Page(NamedTuple):
    """What an index says about a package."""

    address: str
    """Of the index; it may have a login."""
    files: tuple[ReleaseFile, ...]
    problem: str = ""
    """Why the answer cannot be used; empty: it can, or the index does not have the package."""

    @property
    def has_package(self) -> bool:
        """Whether the index has the package, even if it does not tell which files."""
        return bool(self.files or self.problem)


class IndexPages:
    """The pages that a build requested so far."""

    def __init__(self, fetch: Fetch, network: Mapping[str, str]) -> None:
        """Request with *fetch*; *network*: variables for certificates and proxies."""
        self._fetch = fetch
        self._network = network
        self._numbers = itertools.count()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Make a temporary directory for the answers."""
        self._directory = tempfile.TemporaryDirectory(prefix="cnb-python-")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Remove it."""
        self._directory.cleanup()

    def page(self, index: str, name: str) -> Page:
        """Return what *index* says about the package *name*.

        Raises IndexRefused, IndexUnreachable, UntrustedCertificate and DiskFull.
        """
        with self._lock:
            file = Path(self._directory.name, str(next(self._numbers)))
        url = f"{index.rstrip('/')}/{name}/"
        title = f"the upload times of {name}"
        network, largest = self._network, _LARGEST
        try:
            self._fetch(Download(url, "", title, network, largest=largest, accept=ACCEPT), file)
        except DownloadFailed as failed:
            if failed.status in _MISSING:
                return Page(index, ())
            if failed.status in _REFUSALS:
                raise IndexRefused(shown(url), int(failed.status or 0)) from failed
            raise IndexUnreachable(shown(url), failed.reason) from failed
        try:
            return Page(index, read_page(regular_file.read(file, _LARGEST)))
        except NotAnIndexPage as error:
            return Page(index, (), str(error))
        finally:
            file.unlink()
