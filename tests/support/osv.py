"""Records of vulnerabilities and malware, as OSV publishes them."""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

ZIP_TITLE = "all.zip of the service binding osv"


def record(name: str, package: str, *versions: str, fixed: str = "") -> dict[str, object]:
    """Return the record *name* about *versions* of *package*, or about all until *fixed*."""
    events = [{"introduced": "0"}, {"fixed": fixed}]
    return {
        "id": name,
        "schema_version": "1.7.3",
        "modified": "2026-11-01T00:00:00Z",
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": package},
                "versions": [*versions],
                "ranges": [{"type": "ECOSYSTEM", "events": events}] if fixed else [],
            }
        ],
        "database_specific": {"severity": "MODERATE"},
    }


VULNERABLE = {
    **record("GHSA-h5c8-rqwp-cp95", "jinja2", fixed="3.1.3"),
    "aliases": ["CVE-2024-22195"],
}
MALWARE = record("MAL-2026-4711", "fast-jsonn", "1.0")
_OTHER = record("GHSA-other", "unused", "1.0")


def osv_zip(directory: Path, *records: Mapping[str, object]) -> Path:
    """Write *records*, and one of an unused package, to `all.zip` in *directory*."""
    path = directory / "all.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for each in (*records, _OTHER):
            archive.writestr(f"{each['id']}.json", json.dumps(each))
    return path
