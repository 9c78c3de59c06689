"""What VEX documents of an app say about findings."""

import json
from pathlib import Path
from typing import Any

import pytest

from cnb_python.errors.supply_chain.audit import BadVex
from cnb_python.supply_chain.audit.finding import Finding
from cnb_python.supply_chain.audit.vex import read_vex
from tests.support.messages import text_of

GUIDE = Path(__file__).parents[3] / "docs/how-to/cooldown-and-audit.md"
FOUND = Finding("jinja2", "3.1.2", ("GHSA-h5c8", "CVE-2024-22195"), "medium", "3.1.3", "affected")


def openvex(*statements: dict[str, Any]) -> dict[str, Any]:
    return {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://example.org/vex-1",
        "timestamp": "2026-01-01T00:00:00Z",
        "statements": [
            {"vulnerability": {"name": "CVE-2024-22195"}, "status": "not_affected", **each}
            for each in statements
        ],
    }


def status(directory: Path, document: object, finding: Finding = FOUND) -> tuple[str, str]:
    (directory / "vex.json").write_text(json.dumps(document))
    (applied,) = read_vex(directory, ()).applied([finding])
    return applied.status, applied.source


def test_document_of_the_guide_is_read(tmp_path: Path) -> None:
    text = GUIDE.read_text().partition('```json title="vex.json"\n')[2].partition("```")[0]

    assert status(tmp_path, json.loads(text)) == (
        "not_affected",
        "vex.json: vulnerable_code_not_in_execute_path",
    )


@pytest.mark.parametrize(
    "products",
    [
        [{"@id": "pkg:pypi/jinja2@3.1.2"}],
        [{"@id": "pkg:pypi/Jinja2"}],
        [{"@id": "pkg:pypi/jinja2@3.1.2.0?repository_url=x#y"}],
        [{"@id": "pkg:oci/shop", "subcomponents": [{"@id": "pkg:pypi/jinja2@3.1.2"}]}],
        [{"@id": "pkg:oci/shop"}],
        [{"@id": "https://example.org/shop"}],
        ["pkg:pypi/jinja2"],
        [{"identifiers": {"purl": "pkg:pypi/jinja2@3.1.2"}}],
        [],
    ],
)
def test_statement_about_the_package_or_the_app_counts(tmp_path: Path, products: object) -> None:
    statement = {"products": products, "justification": "vulnerable_code_not_in_execute_path"}

    assert status(tmp_path, openvex(statement)) == (
        "not_affected",
        "vex.json: vulnerable_code_not_in_execute_path",
    )


@pytest.mark.parametrize(
    "products",
    [
        [{"@id": "pkg:pypi/jinja2@3.1.1"}],
        [{"@id": "pkg:pypi/flask"}],
        [{"@id": "pkg:npm/jinja2"}],
        [{"@id": "pkg:oci/shop", "subcomponents": [{"@id": "pkg:npm/jinja2@3.1.2"}]}],
    ],
)
def test_statement_about_another_package_does_not_count(tmp_path: Path, products: object) -> None:
    assert status(tmp_path, openvex({"products": products}))[0] == "affected"


@pytest.mark.parametrize(
    "vulnerability",
    [
        "CVE-2024-22195",
        {"name": "GHSA-h5c8"},
        {"name": "PYSEC-1", "aliases": ["CVE-2024-22195"]},
        {"name": "https://osv.dev/vulnerability/GHSA-h5c8"},
    ],
)
def test_any_name_of_the_vulnerability_counts(tmp_path: Path, vulnerability: object) -> None:
    assert status(tmp_path, openvex({"vulnerability": vulnerability}))[0] == "not_affected"


def test_other_vulnerability_does_not_count(tmp_path: Path) -> None:
    assert status(tmp_path, openvex({"vulnerability": {"name": "CVE-1"}}))[0] == "affected"


@pytest.mark.parametrize("word", ["affected", "under_investigation"])
def test_later_statement_wins(tmp_path: Path, word: str) -> None:
    later = {"status": word, "timestamp": "2026-02-01T00:00:00Z"}

    assert status(tmp_path, openvex(later, {}))[0] == "affected"
    assert status(tmp_path, openvex({}, {"status": word}))[0] == "affected"
    assert status(tmp_path, openvex({"status": word}, {"status": "fixed"}))[0] == "fixed"


def cyclonedx(state: str, ref: str) -> dict[str, Any]:
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "components": [{"bom-ref": "component-7", "purl": "pkg:pypi/jinja2@3.1.2"}],
        "vulnerabilities": [
            {
                "id": "CVE-2024-22195",
                "analysis": {"state": state, "justification": "code_not_reachable"},
                "affects": [{"ref": ref}],
            },
            {"id": "CVE-1"},
        ],
    }


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("not_affected", "not_affected"),
        ("false_positive", "not_affected"),
        ("resolved", "fixed"),
        ("exploitable", "affected"),
        ("in_triage", "affected"),
    ],
)
@pytest.mark.parametrize(
    "ref", ["component-7", "pkg:pypi/jinja2@3.1.2", "urn:cdx:3e67/1#pkg:pypi/jinja2@3.1.2"]
)
def test_cyclonedx(tmp_path: Path, state: str, expected: str, ref: str) -> None:
    document = cyclonedx(state, ref)

    assert status(tmp_path, document) == (expected, "vex.json: code_not_reachable")


def test_documents_of_the_directory_and_of_the_setting(tmp_path: Path) -> None:
    for path, word in ((".vex/a.json", "fixed"), ("security/own.json", "not_affected")):
        (tmp_path / path).parent.mkdir()
        (tmp_path / path).write_text(json.dumps(openvex({"status": word})))

    assert read_vex(tmp_path, ()).applied([FOUND])[0].source == ".vex/a.json"
    named = read_vex(tmp_path, ("security/own.json",))
    assert named.applied([FOUND])[0].status == "not_affected"
    assert named.digest != read_vex(tmp_path, ()).digest


def test_app_without_documents(tmp_path: Path) -> None:
    assert read_vex(tmp_path, ()) == ((), "")


# Python's parser reads it.
_PRODUCTS = '[{"@id": "x", "subcomponents": ' * 3000 + "[]" + "}]" * 3000
_NESTED = (
    '{"@context": "https://openvex.dev/ns", "statements": '
    f'[{{"status": "fixed", "vulnerability": "CVE-1", "products": {_PRODUCTS}}}]}}'
)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "line 1: Expecting property name enclosed in double quotes"),
        (b"\xff\xfe", "it is not UTF-8 text"),
        (b"[" * 100_000, "line 1: it is nested too deeply"),
        pytest.param(_NESTED.encode(), "it is nested too deeply", id="products"),
        (b"[]", "it is neither an OpenVEX nor a CycloneDX document"),
        (b'{"@context": "https://openvex.dev/ns"}', "it has no list of statements"),
        (
            b'{"@context": "https://openvex.dev/ns", "statements": [{"status": "ok"}]}',
            "'ok' is not a status of OpenVEX",
        ),
    ],
)
def test_document_that_cannot_be_read(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "vex.json").write_bytes(content)

    with pytest.raises(BadVex) as failure:
        read_vex(tmp_path, ())

    assert (failure.value.file, failure.value.reason) == ("vex.json", reason)
    assert reason in text_of(failure.value.describe())


def test_named_document_must_exist(tmp_path: Path) -> None:
    with pytest.raises(BadVex) as failure:
        read_vex(tmp_path, ("missing.json",))

    assert failure.value.reason == "No such file or directory"


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        # As text, the first is the later one.
        ("2026-02-01T01:00:00+05:00", "2026-01-31T21:00:00Z"),
        ("soon", "2026-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59-12:00", "2026-01-01T00:00:00Z"),
        ("2026-01-01T00:00:00", "2026-01-01T00:00:01Z"),
    ],
)
def test_latest_statement_counts_in_any_form_of_time(
    tmp_path: Path, earlier: str, later: str
) -> None:
    statements = (
        {"status": "fixed", "timestamp": later},
        {"status": "affected", "timestamp": earlier},
    )

    assert status(tmp_path, openvex(*statements))[0] == "fixed"
