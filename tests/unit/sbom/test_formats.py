"""Both formats have what the model has, are valid, and depend on nothing else."""

import json
from copy import replace
from types import ModuleType

import pytest

from cnb_python.sbom import cyclonedx, spdx
from cnb_python.sbom.model import Component, License, document
from tests.support.sbom_schemas import check_cyclonedx, check_spdx, listed

A, B, C = "pkg:pypi/a@1.0", "pkg:pypi/b@2.0%2Bcpu", "pkg:pypi/b@2.0%2Bcpu#pkg:generic/c@3"
LAYER = document(
    "deps-00",
    [
        Component(
            B,
            "b",
            "2.0+cpu",
            purl=B,
            license=License(text="BSD License"),
            contains=(Component(C, "c", "3", cpe="cpe:2.3:a:c:c:3:*:*:*:*:*:*:*"),),
        ),
        Component(
            A,
            "a",
            "1.0",
            purl=A,
            license=License("MIT OR LicenseRef-Mine"),
            sha256="ab" * 32,
            description='Text with "quotes", ü and \u2028',
            homepage="https://example.org/a?b=c",
            properties=(("cnb-python:requirement", "direct"),),
            depends_on=(B,),
        ),
        Component("file", "libfoo", kind="file"),
    ],
)


TEXT = 'Copyright "ü" \udc80\n\nPermission is hereby granted'


def test_text_of_a_license_is_in_both_formats() -> None:
    license_ = License(text="Copyright", full=TEXT)
    layer = document(
        "deps", [Component("a", "a", license=license_), Component("b", "b", license=license_)]
    )

    of_cyclonedx = check_cyclonedx(cyclonedx.render(layer))
    of_spdx = check_spdx(spdx.render(layer))

    for component in of_cyclonedx["components"]:
        ((own,),) = (each.values() for each in component["licenses"])
        assert own["name"] == "Copyright"
        assert own["text"]["content"] == TEXT
    (extracted,) = of_spdx["hasExtractedLicensingInfos"]
    assert extracted["extractedText"] == TEXT
    assert extracted["name"] == "Copyright"
    declared = {each["licenseDeclared"] for each in of_spdx["packages"][1:]}
    assert declared == {extracted["licenseId"]}


def test_cyclonedx_is_valid_and_complete() -> None:
    content = check_cyclonedx(cyclonedx.render(LAYER))

    assert content["specVersion"] == "1.6"
    assert [each["name"] for each in listed(content)] == ["libfoo", "a", "b", "c"]
    a = next(each for each in content["components"] if each["name"] == "a")
    assert a == {
        "bom-ref": A,
        "description": 'Text with "quotes", ü and \u2028',
        "externalReferences": [{"type": "website", "url": "https://example.org/a?b=c"}],
        "hashes": [{"alg": "SHA-256", "content": "ab" * 32}],
        "licenses": [{"expression": "MIT OR LicenseRef-Mine"}],
        "name": "a",
        "properties": [{"name": "cnb-python:requirement", "value": "direct"}],
        "purl": A,
        "type": "library",
        "version": "1.0",
    }
    relations = {each["ref"]: each.get("dependsOn", []) for each in content["dependencies"]}
    assert relations[A] == [B]
    assert relations[B] == [C]
    assert relations["layer:deps-00"] == ["file", A]


def test_spdx_is_valid_and_complete() -> None:
    content = check_spdx(spdx.render(LAYER))

    packages = {each["name"]: each for each in content["packages"]}
    assert packages["a"]["licenseDeclared"] == "MIT OR LicenseRef-Mine"
    assert packages["a"]["checksums"] == [{"algorithm": "SHA256", "checksumValue": "ab" * 32}]
    assert packages["b"]["licenseDeclared"] == "NOASSERTION"
    assert packages["b"]["licenseComments"] == "BSD License"
    assert packages["c"]["externalRefs"][0]["referenceType"] == "cpe23Type"
    names = {each["SPDXID"]: name for name, each in packages.items()}
    relations = {
        (
            names.get(each["spdxElementId"]),
            each["relationshipType"],
            names.get(each["relatedSpdxElement"]),
        )
        for each in content["relationships"]
    }
    assert relations == {
        (None, "DESCRIBES", None),
        (None, "CONTAINS", "a"),
        (None, "CONTAINS", "b"),
        (None, "CONTAINS", "libfoo"),
        ("a", "DEPENDS_ON", "b"),
        ("b", "CONTAINS", "c"),
    }


def test_license_references_of_spdx_are_declared() -> None:
    content = check_spdx(spdx.render(LAYER))

    (text,) = content["hasExtractedLicensingInfos"]
    assert text["licenseId"] == "LicenseRef-Mine"


@pytest.mark.parametrize("module", [cyclonedx, spdx], ids=["cyclonedx", "spdx"])
def test_equal_documents_give_equal_bytes(module: ModuleType) -> None:
    shuffled = document("deps-00", reversed(LAYER.components))

    assert module.render(LAYER) == module.render(shuffled)


@pytest.mark.parametrize("field", ["serialNumber", "documentNamespace"])
def test_identifier_depends_on_content_alone(field: str) -> None:
    render = cyclonedx.render if field == "serialNumber" else spdx.render
    other = replace(LAYER.components[0], version="4")

    changed = json.loads(render(document("deps-00", [other, *LAYER.components[1:]])))

    assert json.loads(render(LAYER))[field] == json.loads(render(LAYER))[field]
    assert changed[field] != json.loads(render(LAYER))[field]


def test_no_document_has_the_time_of_the_build() -> None:
    assert "timestamp" not in cyclonedx.render(LAYER).decode()
    assert json.loads(spdx.render(LAYER))["creationInfo"]["created"] == "1980-01-01T00:00:01Z"


def test_empty_layer_has_a_valid_document() -> None:
    check_cyclonedx(cyclonedx.render(document("venv", [])))
    check_spdx(spdx.render(document("venv", [])))


def test_two_distributions_that_require_each_other_are_both_listed() -> None:
    circle = document(
        "deps-00",
        [Component(A, "a", "1.0", depends_on=(B,)), Component(B, "b", "2", depends_on=(A,))],
    )

    content = check_cyclonedx(cyclonedx.render(circle))

    assert {each["name"] for each in content["components"]} == {"a", "b"}
