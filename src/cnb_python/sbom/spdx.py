"""Writes an SBOM as SPDX 2.3 JSON: https://spdx.github.io/spdx-spec/v2.3/."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator

from cnb_python.sbom.identity import HOME, TOOL, identifier, spdx_id
from cnb_python.sbom.model import Component, Document, License, with_contents

_DOCUMENT = "SPDXRef-DOCUMENT"
_ROOT = "SPDXRef-DocumentRoot-Layer"
_UNKNOWN = "NOASSERTION"
# The lifecycle gives this time to all files of an image.
_CREATED = "1980-01-01T00:00:01Z"
_LICENSE_REF = re.compile(r"LicenseRef-[A-Za-z0-9.-]+")

type _Json = dict[str, object]


def render(document: Document) -> bytes:
    """Return *document* as SPDX 2.3 JSON; equal documents give equal bytes."""
    components = list(with_contents(document.components))
    content: _Json = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": _DOCUMENT,
        "name": document.layer,
        "creationInfo": {"created": _CREATED, "creators": [f"Tool: {TOOL}"]},
        "packages": [_root(document.layer), *map(_package, components)],
        "relationships": list(_relationships(document, components)),
    }
    if texts := list(_license_texts(components)):
        content["hasExtractedLicensingInfos"] = texts
    unique = identifier(_text(content))
    content["documentNamespace"] = f"{HOME}/sbom/{document.layer}-{unique}"
    return _text(content)


def _text(content: object) -> bytes:
    return json.dumps(content, sort_keys=True, indent=1, ensure_ascii=True).encode("ascii") + b"\n"


def _root(layer: str) -> _Json:
    """Return the package for *layer*: scanners do not list what a document describes."""
    return {
        "SPDXID": _ROOT,
        "name": layer,
        "downloadLocation": _UNKNOWN,
        "filesAnalyzed": False,
        "copyrightText": _UNKNOWN,
        "licenseConcluded": _UNKNOWN,
        "licenseDeclared": _UNKNOWN,
        "primaryPackagePurpose": "CONTAINER",
    }


def _package(component: Component) -> _Json:
    package: _Json = {
        "SPDXID": spdx_id(component.ref, component.name),
        "name": component.name,
        "downloadLocation": _UNKNOWN,
        "filesAnalyzed": False,
        "copyrightText": _UNKNOWN,
        "primaryPackagePurpose": component.kind.upper(),
        **_license(component.license),
    }
    optional = {
        "versionInfo": component.version,
        "summary": component.description,
        "homepage": component.homepage,
        "comment": "\n".join(f"{name}: {value}" for name, value in component.properties),
    }
    package |= {name: value for name, value in optional.items() if value}
    if component.sha256:
        package["checksums"] = [{"algorithm": "SHA256", "checksumValue": component.sha256}]
    if references := list(_references(component)):
        package["externalRefs"] = references
    return package


def _license(license_: License) -> _Json:
    fields: _Json = {
        "licenseConcluded": _UNKNOWN,
        "licenseDeclared": license_.expression or _reference(license_) or _UNKNOWN,
    }
    if license_.text:
        fields["licenseComments"] = license_.text
    return fields


def _reference(license_: License) -> str:
    """Return the identifier of a license whose text is in the document; empty without a text."""
    text = license_.full.encode(errors="replace")
    return f"LicenseRef-{hashlib.sha256(text).hexdigest()[:16]}" if text else ""


def _references(component: Component) -> Iterator[_Json]:
    if component.purl:
        yield {
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": component.purl,
        }
    if component.cpe:
        yield {
            "referenceCategory": "SECURITY",
            "referenceType": "cpe23Type",
            "referenceLocator": component.cpe,
        }


def _relationships(document: Document, components: Iterable[Component]) -> Iterator[_Json]:
    ids = {each.ref: spdx_id(each.ref, each.name) for each in components}
    yield _relationship(_DOCUMENT, "DESCRIBES", _ROOT)
    for top in document.components:
        yield _relationship(_ROOT, "CONTAINS", ids[top.ref])
    for component in components:
        for part in component.contains:
            yield _relationship(ids[component.ref], "CONTAINS", ids[part.ref])
        for ref in component.depends_on:
            yield _relationship(ids[component.ref], "DEPENDS_ON", ids[ref])


def _relationship(first: str, kind: str, second: str) -> _Json:
    return {"spdxElementId": first, "relationshipType": kind, "relatedSpdxElement": second}


def _license_texts(components: Iterable[Component]) -> Iterator[_Json]:
    """Yield the license references of *components*, each of which has to be declared.

    https://spdx.github.io/spdx-spec/v2.3/other-licensing-information-detected/
    """
    listed = list(components)
    names = {name for each in listed for name in _LICENSE_REF.findall(each.license.expression)}
    for name in sorted(names):
        text = "The license is in the files of the package."
        yield {"licenseId": name, "extractedText": text}
    full = {_reference(each.license): each.license for each in listed if each.license.full}
    for name, license_ in sorted(full.items()):
        yield {"licenseId": name, "extractedText": license_.full, "name": license_.text}
