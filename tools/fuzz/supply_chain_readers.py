"""Readers of what SBOMs, materials, audits and cooldowns are made of, and of services.

Separate from `package_readers`, which has what every build reads.
"""

import io
import zipfile
from pathlib import Path

from cnb_python.bindings.apply import apply_bindings
from cnb_python.distributions.model import Distribution
from cnb_python.install import downloads
from cnb_python.managers.base import Pin
from cnb_python.managers.development import requirement_groups
from cnb_python.sbom import cyclonedx, distributions, embedded, interpreter, spdx
from cnb_python.sbom.distributions import Described, MarkerValues
from cnb_python.sbom.model import document
from cnb_python.supply_chain.audit import osv, vex
from cnb_python.supply_chain.audit.data import Records, RecordSource
from cnb_python.supply_chain.audit.osv import BadRecord
from cnb_python.supply_chain.cooldown.release_files import NotAnIndexPage, read_page
from tools.fuzz import seeds
from tools.fuzz.app_readers import FAILURES, PROCESSOR, PYTHON, Silent
from tools.fuzz.engine import Reader
from tools.fuzz.package_readers import context_of, elf_file

_SERVICES = b"""\
{"user-provided": [{"name": "index", "tags": ["pypi"], "credentials": {"type": "pypi",
"url": "https://pip.example.com/simple", "password": "secret", "more": {"token": "abc"}}}]}
"""
_CYCLONEDX = b"""\
{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"name": "openssl",
"version": "3.0.1", "purl": "pkg:generic/openssl@3.0.1",
"cpe": "cpe:2.3:a:openssl:openssl:3.0.1:*:*:*:*:*:*:*",
"licenses": [{"license": {"id": "Apache-2.0"}}],
"hashes": [{"alg": "SHA-256", "content": "%s"}], "components": [{"name": "inner"}]}]}
""" % (b"a" * 64)
_SPDX = b"""\
{"spdxVersion": "SPDX-2.3", "packages": [{"name": "zlib", "versionInfo": "1.3",
"licenseConcluded": "Zlib", "checksums": [{"algorithm": "SHA256", "checksumValue": "%s"}],
"externalRefs": [{"referenceType": "purl", "referenceLocator": "pkg:generic/zlib@1.3"}]}]}
""" % (b"b" * 64)
_RECORD = b"""\
{"id": "GHSA-1", "aliases": ["CVE-2026-1"], "affected": [{"package": {"ecosystem": "PyPI",
"name": "six"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"},
{"fixed": "1.18"}]}], "versions": ["1.17.0"]}], "severity": [{"type": "CVSS_V3",
"score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]}
"""
_OPENVEX = b"""\
{"@context": "https://openvex.dev/ns/v0.2.0", "statements": [{"vulnerability":
{"name": "CVE-2026-1"}, "products": [{"@id": "pkg:pypi/six@1.17.0"}], "status": "not_affected",
"justification": "component_not_present"}]}
"""
_CYCLONEDX_VEX = b"""\
{"bomFormat": "CycloneDX", "vulnerabilities": [{"id": "CVE-2026-1", "analysis":
{"state": "not_affected", "detail": "unused"}, "affects": [{"ref": "pkg:pypi/six@1.17.0"}]}]}
"""
_PAGE = b"""\
{"meta": {"api-version": "1.1"}, "files": [{"filename": "six-1.17.0-py2.py3-none-any.whl",
"hashes": {"sha256": "%s"}, "upload-time": "2024-12-04T17:35:26Z", "yanked": false,
"requires-python": ">=2.7"}]}
""" % (b"c" * 64)
_DOWNLOAD = b"\x00Sha256\xd9@%s https://files.example.com/six-1.17.0-py3-none-any.whl\x00" % (
    b"d" * 64
)
_MODULES = b'{"_ssl": {"file": "", "OPENSSL_VERSION": "OpenSSL 3.5.1 1 Jul 2025"}}\n'
_INTERPRETER = MarkerValues(PYTHON, PROCESSOR)


def readers() -> tuple[Reader, ...]:
    """Return a reader for each kind of file."""
    return (
        Reader("VCAP_SERVICES", (_SERVICES,), _services, FAILURES),
        Reader("METADATA for the SBOM", (seeds.METADATA,), _metadata),
        Reader("SBOM in a wheel", (_CYCLONEDX, _SPDX), _sbom),
        Reader("download of uv", (_DOWNLOAD,), _download),
        Reader("modules of an interpreter", (_MODULES,), _modules),
        Reader("dependency groups", (seeds.PYPROJECT,), _groups, FAILURES),
        Reader("OSV record", (_RECORD,), _record, (*FAILURES, BadRecord)),
        Reader("OSV records", (_zip(_RECORD),), _records, (*FAILURES, BadRecord)),
        Reader("VEX", (_OPENVEX, _CYCLONEDX_VEX), _vex, FAILURES),
        Reader("page of an index", (_PAGE,), _page, (NotAnIndexPage,)),
    )


def _zip(record: bytes) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("GHSA-1.json", record)
    return written.getvalue()


def _services(content: bytes, directory: Path) -> None:
    file = directory / "services.json"
    file.write_bytes(content)
    context = context_of(directory, ())
    environ = {**context.environ, "VCAP_SERVICES_FILE_PATH": str(file)}
    with apply_bindings(context._replace(environ=environ), Silent()):
        return


def _render(described: Described) -> None:
    components = distributions.components([described], _INTERPRETER)
    made = document("deps-00", components.values())
    cyclonedx.render(made)
    spdx.render(made)


def _six() -> Distribution:
    return Distribution("six", "1.17.0", "", ())


def _metadata(content: bytes, _: Path) -> None:
    _render(Described(_six(), content, {}))


def _sbom(content: bytes, _: Path) -> None:
    embedded.is_read(content)
    _render(Described(_six(), seeds.METADATA, {"a.json": content}))


def _download(content: bytes, directory: Path) -> None:
    file = directory / "wheels-v6/pypi/six/1.17.0.http"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    link = file.with_suffix("")
    if not link.is_symlink():
        link.symlink_to("unpacked")
    downloads.fetched(directory)
    downloads.of_build(directory, "six")
    line = content.decode("utf-8", "replace")
    downloads.of_pin(Pin("six", "1.17.0", "", line), file)


def _modules(content: bytes, directory: Path) -> None:
    program = directory / "bin/python"
    program.parent.mkdir(exist_ok=True)
    program.write_bytes(elf_file())
    interpreter.probe()
    interpreter.linked_libraries(content.decode("utf-8", "replace"), program)


def _groups(content: bytes, directory: Path) -> None:
    (directory / "pyproject.toml").write_bytes(content)
    for name in requirement_groups.declared(directory):
        requirement_groups.text(directory, [name])


def _record(content: bytes, directory: Path) -> None:
    _audit(directory / "a.json", content)


def _records(content: bytes, directory: Path) -> None:
    _audit(directory / "all.zip", content)


def _audit(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    records = Records([RecordSource(file.name, file)])
    records.digest()
    for _, record in records.about({"six"}):
        osv.findings(osv.matches(record, {"six": "1.17.0"}))


def _vex(content: bytes, directory: Path) -> None:
    (directory / "vex.json").write_bytes(content)
    vex.read_vex(directory, ())


def _page(content: bytes, _: Path) -> None:
    read_page(content)
