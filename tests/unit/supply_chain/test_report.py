"""The result of an audit in the SBOM of the image."""

from pathlib import Path

from cnb_python.supply_chain.audit import report
from cnb_python.supply_chain.audit.finding import Finding, as_lines
from tests.support.sbom_schemas import check_cyclonedx

FINDINGS = (
    Finding("a", "1.0+cpu", ("GHSA-a", "CVE-1"), "high", "1.1", "affected"),
    Finding("b", "2.0", ("PYSEC-1",), "", "", "not_affected", "vex.json: never imported"),
    Finding("c", "2.0", ("PYSEC-2",), "low", "", "fixed", "vex.json"),
)


def test_document_has_each_finding(tmp_path: Path) -> None:
    report.write(as_lines(FINDINGS), tmp_path)

    document = check_cyclonedx((tmp_path / "launch.sbom.cdx.json").read_bytes())
    assert document["vulnerabilities"] == [
        {
            "id": "GHSA-a",
            "source": {"name": "OSV"},
            "references": [{"id": "CVE-1", "source": {"name": "OSV"}}],
            "ratings": [{"severity": "high"}],
            "recommendation": "Upgrade to 1.1",
            "affects": [{"ref": "pkg:pypi/a@1.0%2Bcpu"}],
        },
        {
            "id": "PYSEC-1",
            "source": {"name": "OSV"},
            "references": [],
            "ratings": [{"severity": "unknown"}],
            "affects": [{"ref": "pkg:pypi/b@2.0"}],
            "analysis": {"state": "not_affected", "detail": "vex.json: never imported"},
        },
        {
            "id": "PYSEC-2",
            "source": {"name": "OSV"},
            "references": [],
            "ratings": [{"severity": "low"}],
            "affects": [{"ref": "pkg:pypi/c@2.0"}],
            "analysis": {"state": "resolved", "detail": "vex.json"},
        },
    ]


def test_equal_findings_give_equal_bytes() -> None:
    assert report.render(FINDINGS) == report.render(FINDINGS)
    assert report.render(FINDINGS) != report.render(FINDINGS[:1])


def test_audit_without_findings_is_a_document_too() -> None:
    assert check_cyclonedx(report.render(()))["vulnerabilities"] == []
