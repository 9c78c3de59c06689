"""Downloads or copies files: verified, and complete or not at all."""

import errno
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cnb_python.errors.downloads import ChecksumMismatch, DownloadFailed
from cnb_python.errors.machine import DiskFull
from cnb_python.system import regular_file
from cnb_python.system.interface import Download, Receive, SaveChunks
from cnb_python.system.redaction import local_path, shown

_CHUNK = 1 << 20
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True, slots=True)
class Fetcher:
    """A `Fetch` for http(s), `file:` and absolute paths.

    Raises ChecksumMismatch, DiskFull, and what *receive* raises: DownloadFailed,
    UntrustedCertificate.
    """

    receive: Receive

    def __call__(self, download: Download, to: Path) -> None:
        """Write *download* to *to*, whose parent must exist; an empty sha256 is not checked."""
        draft = to.with_name(f".{to.name}.partial")
        try:
            sha256 = self._write(download, draft)
            if download.sha256 and sha256 != download.sha256:
                address = shown(download.url)
                raise ChecksumMismatch(download.title, address, download.sha256, sha256)
            draft.replace(to)
        except OSError as error:
            if error.errno not in _NO_SPACE:
                raise
            doing = f"writing {download.title} to {to.parent}"
            raise DiskFull(doing) from error
        finally:
            draft.unlink(missing_ok=True)

    def _write(self, download: Download, draft: Path) -> str:
        def store(chunks: Iterable[bytes]) -> str:
            digest = hashlib.sha256()
            with draft.open("wb") as target:
                for chunk in chunks:
                    digest.update(chunk)
                    target.write(chunk)
            return digest.hexdigest()

        path = local_path(download.url)
        return self.receive(download, store) if path is None else _copy(path, download, store)


def _copy(path: Path, download: Download, save: SaveChunks) -> str:
    try:
        source = regular_file.opened(path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DownloadFailed(download.title, str(path), reason, 1, None) from error
    with source:
        return save(iter(lambda: source.read(_CHUNK), b""))
