"""Brings files from the network or from a path: verified, complete or not at all."""

import errno
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cnb_python.errors.machine import ChecksumMismatch, DiskFull, DownloadFailed
from cnb_python.system.interface import Download
from cnb_python.system.redaction import local_path, shown

_CHUNK = 1 << 20
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


type Store = Callable[[Iterable[bytes]], str]
"""Writes the chunks of a file; returns the sha256 of what it wrote."""

type Receive = Callable[[Download, Store], str]
"""Gets a file: hands its content to the `Store`, anew for each attempt, and returns its answer."""


@dataclass(frozen=True, slots=True)
class Fetcher:
    """A `Fetch` for http(s), `file:` and absolute paths.

    Raises ChecksumMismatch, DiskFull, and what *receive* raises: DownloadFailed,
    UntrustedCertificate.
    """

    receive: Receive

    def __call__(self, download: Download, to: Path) -> None:
        """Write *download* to *to*, whose parent must exist; an empty sha256 verifies nothing."""
        draft = to.with_name(f".{to.name}.partial")
        try:
            found = self._bring(download, draft)
            if download.sha256 and found != download.sha256:
                address = shown(download.url)
                raise ChecksumMismatch(download.title, address, download.sha256, found)
            draft.replace(to)
        except OSError as error:
            if error.errno not in _NO_SPACE:
                raise
            doing = f"writing {download.title} to {to.parent}"
            raise DiskFull(doing) from error
        finally:
            draft.unlink(missing_ok=True)

    def _bring(self, download: Download, draft: Path) -> str:
        def store(chunks: Iterable[bytes]) -> str:
            digest = hashlib.sha256()
            with draft.open("wb") as target:
                for chunk in chunks:
                    digest.update(chunk)
                    target.write(chunk)
            return digest.hexdigest()

        path = local_path(download.url)
        return self.receive(download, store) if path is None else _copy(path, download, store)


def _copy(path: Path, download: Download, store: Store) -> str:
    try:
        source = path.open("rb")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DownloadFailed(download.title, str(path), reason, 1, None) from error
    with source:
        return store(iter(lambda: source.read(_CHUNK), b""))


def fetcher(environ: Mapping[str, str], say: Callable[[str], None]) -> Fetcher:
    """Return the real one; *environ* names proxies and certificates, *say* hears of waits."""

    def receive(download: Download, store: Store) -> str:
        # httpx takes 200 ms to import, and most builds fetch nothing.
        from cnb_python.system.http import Client  # noqa: PLC0415 - see above

        return Client(environ, say).receive(download, store)

    return Fetcher(receive)
