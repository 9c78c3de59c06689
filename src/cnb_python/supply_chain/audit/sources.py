"""Where the records of the audit come from: service bindings of type `osv`.

A binding has the records themselves (`all.zip`, `*.zip`, `*.json`), the `path` of a zip or a
directory in the build image, or the `url` of a zip on a mirror.

Separate from `audit`, which takes the records from anywhere.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cnb_python.bindings.schema import PATH, URL
from cnb_python.cnb.bindings import Binding
from cnb_python.errors.config import BadBinding
from cnb_python.errors.downloads import DownloadFailed
from cnb_python.errors.supply_chain.audit import BadAuditData
from cnb_python.supply_chain.audit.data import LARGEST_FILE, RecordSource
from cnb_python.system.interface import Download, System

_RECORDS = (".json", ".zip")


@contextmanager
def open_sources(
    bindings: Sequence[Binding], system: System
) -> Iterator[tuple[RecordSource, ...]]:
    """Yield the sources of *bindings*; what was downloaded for them is removed afterwards.

    Raises BadBinding for a binding without records, BadAuditData and UntrustedCertificate.
    """
    with tempfile.TemporaryDirectory(prefix="cnb-python-") as directory:
        yield tuple(
            source
            for number, binding in enumerate(bindings)
            for source in _sources(binding, Path(directory, f"{number}.zip"), system)
        )


def _sources(binding: Binding, download: Path, system: System) -> Iterator[RecordSource]:
    shown = f"the service binding {binding.name}"
    files = [key for key in sorted(binding.secrets) if key.endswith(_RECORDS)]
    for key in files:
        yield RecordSource(f"{key} of {shown}", binding.secrets[key])
    if PATH in binding.secrets:
        path = binding.secret(PATH).strip()
        yield RecordSource(f"{path} of {shown}", Path(path))
    if URL in binding.secrets:
        title = f"the file at url of {shown}"
        address = binding.secret(URL).strip()
        try:
            system.fetch(Download(address, "", title, largest=LARGEST_FILE), download)
        except DownloadFailed as failed:
            raise BadAuditData(title, f"{failed.url}: {failed.reason}") from failed
        yield RecordSource(title, download)
    if not (files or binding.secrets.keys() & {PATH, URL}):
        keys = ("all.zip", URL, PATH)
        raise BadBinding(binding.name, binding.type, "all.zip", "missing key", keys)
