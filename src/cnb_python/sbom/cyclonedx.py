"""Writes an SBOM as CycloneDX 1.6 JSON: https://cyclonedx.org/docs/1.6/json/.

Separate from the model, since importing cyclonedx-python-lib takes 0.2 s.
"""

import json
from collections.abc import Iterable
from uuid import UUID

from cyclonedx.model import (
    AttachedText,
    ExternalReference,
    ExternalReferenceType,
    HashAlgorithm,
    HashType,
    XsUri,
)
from cyclonedx.model import Property as CdxProperty
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component as CdxComponent
from cyclonedx.model.component import ComponentType
from cyclonedx.model.dependency import Dependency
from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from cnb_python.sbom.identity import TOOL, identifier
from cnb_python.sbom.model import Component, Document, License, with_contents

_TYPES = {
    "application": ComponentType.APPLICATION,
    "library": ComponentType.LIBRARY,
    "file": ComponentType.FILE,
}
_NO_SERIAL = UUID(int=0)


def render(document: Document) -> bytes:
    """Return *document* as CycloneDX 1.6 JSON; equal documents give equal bytes.

    The serial number is derived from the content, and there is no time stamp.
    """
    # Not inside each other: Trivy leaves out what is inside a component.
    components = [_component(each) for each in with_contents(document.components)]
    layer = CdxComponent(
        name=document.layer, type=ComponentType.CONTAINER, bom_ref=f"layer:{document.layer}"
    )
    bom = Bom(
        components=components,
        metadata=BomMetaData(component=layer),
        serial_number=_NO_SERIAL,
        dependencies=_dependencies(document, layer),
    )
    bom.metadata.tools.components.add(CdxComponent(name=TOOL, type=ComponentType.APPLICATION))
    content = json.loads(JsonV1Dot6(bom).output_as_string())
    del content["metadata"]["timestamp"]
    del content["serialNumber"]
    content["serialNumber"] = identifier(_text(content)).urn
    return _text(content)


def _text(content: object) -> bytes:
    return json.dumps(content, sort_keys=True, indent=1, ensure_ascii=True).encode("ascii") + b"\n"


def _component(component: Component) -> CdxComponent:
    return CdxComponent(
        bom_ref=component.ref,
        name=component.name,
        version=component.version or None,
        type=_TYPES[component.kind],
        purl=PackageURL.from_string(component.purl) if component.purl else None,
        cpe=component.cpe or None,
        licenses=list(_licenses(component.license)),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=component.sha256)]
        if component.sha256
        else None,
        description=component.description or None,
        external_references=list(_references(component)),
        properties=[CdxProperty(name=name, value=value) for name, value in component.properties],
    )


def _licenses(license_: License) -> Iterable[LicenseExpression | DisjunctiveLicense]:
    if license_.expression:
        yield LicenseExpression(license_.expression)
    elif license_.text:
        text = AttachedText(content=license_.full) if license_.full else None
        yield DisjunctiveLicense(name=license_.text, text=text)


def _references(component: Component) -> Iterable[ExternalReference]:
    if component.homepage:
        yield ExternalReference(type=ExternalReferenceType.WEBSITE, url=XsUri(component.homepage))


def _dependencies(document: Document, layer: CdxComponent) -> list[Dependency]:
    listed = list(with_contents(document.components))
    nodes = {each.ref: CdxComponent(name=each.name, bom_ref=each.ref).bom_ref for each in listed}
    return [
        Dependency(layer.bom_ref, [Dependency(nodes[ref]) for ref in _roots(document)]),
        *(
            Dependency(nodes[each.ref], [Dependency(nodes[ref]) for ref in _needs(each)])
            for each in listed
        ),
    ]


def _needs(component: Component) -> Iterable[str]:
    return (*component.depends_on, *(each.ref for each in component.contains))


def _roots(document: Document) -> Iterable[str]:
    """Return what nothing else in *document* depends on; everything if all is in a circle."""
    refs = [each.ref for each in document.components]
    required = {ref for each in document.components for ref in each.depends_on}
    return [ref for ref in refs if ref not in required] or refs
