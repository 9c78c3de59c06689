"""Writes the result of an audit as CycloneDX 1.6 JSON: the SBOM of the image's processes.

Apart from the SBOMs of layers, since new records change the result of an unchanged build. As plain
JSON: loading cyclonedx-python-lib takes longer than such a build.
Separate from `audit`, which an unchanged build without records does not load.
https://cyclonedx.org/docs/1.6/json/#vulnerabilities
"""

import json
from collections.abc import Iterable
from pathlib import Path

from cnb_python.cnb.layer import SbomFormat, write_sbom
from cnb_python.sbom import purl
from cnb_python.sbom.identity import TOOL, identifier
from cnb_python.supply_chain.audit.finding import FIXED, NOT_AFFECTED, Finding, from_lines

# What the file is written for, in place of a layer.
_SUBJECT = "launch"
_SOURCE = "OSV"
_STATES = {NOT_AFFECTED: "not_affected", FIXED: "resolved"}
_UNKNOWN = "unknown"


def write(lines: Iterable[str], layers_dir: Path) -> None:
    """Write the findings in *lines*, as a build records them, into *layers_dir*."""
    write_sbom(layers_dir, _SUBJECT, SbomFormat.CYCLONEDX, render(from_lines(lines)))


def render(findings: Iterable[Finding]) -> bytes:
    """Return *findings* as a document; equal findings give equal bytes."""
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {"type": "container", "name": "image", "bom-ref": "image"},
            "tools": {"components": [{"type": "application", "name": TOOL}]},
        },
        "vulnerabilities": [_vulnerability(each) for each in findings],
    }
    serial = identifier(_text(document)).urn
    return _text({**document, "serialNumber": serial})


def _vulnerability(finding: Finding) -> dict[str, object]:
    first, *aliases = finding.ids
    return {
        "id": first,
        "source": {"name": _SOURCE},
        "references": [{"id": each, "source": {"name": _SOURCE}} for each in aliases],
        "ratings": [{"severity": finding.severity or _UNKNOWN}],
        **({"recommendation": f"Upgrade to {finding.fixed}"} if finding.fixed else {}),
        "affects": [{"ref": purl.pypi(finding.name, finding.version)}],
        **({} if finding.counts else {"analysis": _analysis(finding)}),
    }


def _analysis(finding: Finding) -> dict[str, str]:
    return {"state": _STATES.get(finding.status, "in_triage"), "detail": finding.source}


def _text(document: object) -> bytes:
    return json.dumps(document, sort_keys=True, indent=1).encode("ascii") + b"\n"
