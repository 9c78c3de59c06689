"""The schemas of both SBOM formats, and the rules that schemas cannot express."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from jsonschema import Draft7Validator

# https://github.com/spdx/spdx-spec/blob/v2.3/schemas/spdx-schema.json
_SPDX = Path(__file__).parents[1] / "unit/sbom/data/spdx-2.3.schema.json"


@cache
def _spdx() -> Draft7Validator:
    return Draft7Validator(json.loads(_SPDX.read_text("utf-8")))


@cache
def _cyclonedx() -> JsonStrictValidator:
    return JsonStrictValidator(SchemaVersion.V1_6)


def check_cyclonedx(content: bytes) -> dict[str, Any]:
    """Return the CycloneDX document in *content* after checking it by its schema."""
    assert _cyclonedx().validate_str(content.decode()) is None
    document: dict[str, Any] = json.loads(content)
    refs = [each["bom-ref"] for each in listed(document)]
    refs.append(document["metadata"]["component"]["bom-ref"])
    assert len(refs) == len(set(refs))
    used = {
        ref
        for each in document.get("dependencies", ())
        for ref in (each["ref"], *each.get("dependsOn", ()))
    }
    assert used <= set(refs)
    return document


def listed(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the components of a CycloneDX *document*, with those inside others."""
    components = list(document.get("components", ()))
    for each in components:
        components += each.get("components", ())
    return components


def check_spdx(content: bytes) -> dict[str, Any]:
    """Return the SPDX document in *content* after checking it by its schema.

    Without the package that stands for the layer, which only the relationships still name.
    """
    document: dict[str, Any] = json.loads(content)
    assert [error.message for error in _spdx().iter_errors(document)] == []
    ids = [document["SPDXID"], *(each["SPDXID"] for each in document["packages"])]
    assert len(ids) == len(set(ids))
    for each in document["relationships"]:
        assert {each["spdxElementId"], each["relatedSpdxElement"]} <= set(ids)
    root, *packages = document["packages"]
    assert root["primaryPackagePurpose"] == "CONTAINER"
    document["packages"] = packages
    return document
