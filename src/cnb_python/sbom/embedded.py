"""What the SBOMs inside wheels list: https://peps.python.org/pep-0770/.

CycloneDX and SPDX 2 as JSON are read. A file that is neither, or is damaged, is named by a
property of its wheel's component. Separate from `distributions`, as it reads what others wrote.
"""

import re
from collections.abc import Iterator, Mapping

from packageurl import PackageURL
from packaging.utils import canonicalize_name

from cnb_python.sbom import purl
from cnb_python.sbom.identity import inside
from cnb_python.sbom.licenses import license_of
from cnb_python.sbom.model import NO_LICENSE, Component, License
from cnb_python.system import json_text
from cnb_python.system.json_text import InvalidJson, JsonValue

# More than any wheel copies; the others are left out.
_MOST_COMPONENTS = 2000
# https://csrc.nist.gov/pubs/ir/7695/final, section 6.2
_CPE = re.compile(r"cpe:2\.3:[aho](?::(?:[^:\s\\]|\\.)+){10}")
_PYPI = re.compile(r"pkg:pypi/([^@?#]+)")
_SHA256 = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)
_LONGEST_TEXT = 512

type _Row = dict[str, JsonValue]


def components(sboms: Mapping[str, bytes], owner: str) -> tuple[Component, ...]:
    """Return what *sboms* list, by the names of their files, without duplicates.

    *owner*: the package URL of the wheel. Many SBOMs list the wheel itself too. Two files may
    describe the same library in two formats.
    """
    by_identity: dict[str, Component] = {}
    for name in sorted(sboms):
        for component in _listed(sboms[name]):
            identity = component.purl or f"{component.name}@{component.version}"
            if not _is_wheel(component, owner) and len(by_identity) < _MOST_COMPONENTS:
                by_identity.setdefault(identity, component._replace(ref=inside(owner, identity)))
    return tuple(by_identity[identity] for identity in sorted(by_identity))


def _is_wheel(component: Component, owner: str) -> bool:
    """Whether *component* is the wheel *owner*, even with qualifiers such as `?file_name=`.

    A crate of the same name is another component.
    """
    if not component.purl:
        return purl.pypi(canonicalize_name(component.name), component.version) == owner
    match = _PYPI.match(component.purl)
    return match is not None and owner.startswith(f"{purl.pypi(canonicalize_name(match[1]))}@")


def is_read(content: bytes) -> bool:
    """Whether *content* is an SBOM in one of the formats that are read."""
    document = _document(content)
    return "bomFormat" in document or "spdxVersion" in document


def _listed(content: bytes) -> Iterator[Component]:
    document = _document(content)
    if document.get("bomFormat") == "CycloneDX":
        for row in _nested(document):
            yield from _of_cyclonedx(row)
    elif "spdxVersion" in document:
        for row in _rows(document, "packages"):
            yield from _of_spdx(row)


def _document(content: bytes) -> _Row:
    try:
        document = json_text.parse_file(content.decode("utf-8-sig"))
    except InvalidJson, UnicodeDecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def _nested(row: _Row) -> Iterator[_Row]:
    """Yield the components of *row*, and those inside them."""
    waiting = _rows(row, "components")
    while waiting:
        each = waiting.pop()
        yield each
        waiting += _rows(each, "components")


def _of_cyclonedx(row: _Row) -> Iterator[Component]:
    name = _text(row, "name")
    if not name:
        return
    hashes = [
        _text(each, "content") for each in _rows(row, "hashes") if each.get("alg") == "SHA-256"
    ]
    yield Component(
        ref="",
        name=name,
        version=_text(row, "version"),
        purl=_purl(_text(row, "purl")),
        cpe=_cpe(_text(row, "cpe")),
        license=_cyclonedx_license(row),
        sha256=_sha256(hashes[0] if hashes else ""),
    )


def _cyclonedx_license(row: _Row) -> License:
    listed = _rows(row, "licenses")
    if len(listed) != 1:
        return NO_LICENSE
    inner = listed[0].get("license")
    named = _text(inner, "id") or _text(inner, "name") if isinstance(inner, dict) else ""
    return license_of(_text(listed[0], "expression"), named, ())


def _of_spdx(row: _Row) -> Iterator[Component]:
    name = _text(row, "name")
    if not name:
        return
    references = _rows(row, "externalRefs")
    locators = {
        _text(each, "referenceType"): _text(each, "referenceLocator") for each in references
    }
    checksums = {
        _text(each, "algorithm"): _text(each, "checksumValue") for each in _rows(row, "checksums")
    }
    declared = _text(row, "licenseDeclared")
    yield Component(
        ref="",
        name=name,
        version=_text(row, "versionInfo"),
        purl=_purl(locators.get("purl", "")),
        cpe=_cpe(locators.get("cpe23Type", "")),
        license=NO_LICENSE
        if declared in {"", "NOASSERTION", "NONE"}
        else license_of(declared, "", ()),
        sha256=_sha256(checksums.get("SHA256", "")),
    )


def _rows(row: _Row, name: str) -> list[_Row]:
    value = row.get(name)
    listed = value if isinstance(value, list) else []
    return [each for each in listed if isinstance(each, dict)]


def _text(row: _Row, name: str) -> str:
    value = row.get(name)
    text = value if isinstance(value, str) else ""
    return text if text.isprintable() and len(text) <= _LONGEST_TEXT else ""


def _purl(text: str) -> str:
    """Return the package URL *text* in its normal form; empty if it is not valid."""
    try:
        return PackageURL.from_string(text).to_string() if text else ""
    except ValueError:
        return ""


def _cpe(text: str) -> str:
    return text if _CPE.fullmatch(text) else ""


def _sha256(text: str) -> str:
    return text.lower() if _SHA256.fullmatch(text) else ""
