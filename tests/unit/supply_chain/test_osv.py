"""Which releases an OSV record is about."""

from typing import Any

import pytest

from cnb_python.supply_chain.audit.finding import Finding, as_lines, from_lines
from cnb_python.supply_chain.audit.osv import BadRecord, RecordMatch, findings, matches
from cnb_python.supply_chain.audit.severity import of_vector, severity_of
from cnb_python.system.json_text import JsonValue


def record(name: str = "jinja2", /, **affected: object) -> dict[str, Any]:
    return {
        "id": "GHSA-h5c8-rqwp-cp95",
        "schema_version": "1.7.3",
        "aliases": ["CVE-2024-22195"],
        "affected": [{"package": {"ecosystem": "PyPI", "name": name}, **affected}],
        "database_specific": {"severity": "MODERATE"},
    }


def range_of(*events: tuple[str, str], kind: str = "ECOSYSTEM") -> dict[str, Any]:
    return {"ranges": [{"type": kind, "events": [{name: version} for name, version in events]}]}


def is_affected(version: str, **affected: object) -> bool:
    return bool([*matches(record(**affected), {"jinja2": version})])


@pytest.mark.parametrize(
    ("version", "expected"),
    [("3.1.2", True), ("3.1.3", False), ("3.1.3rc1", True), ("0.1.dev1", True), ("4.0", False)],
)
def test_range_ends_at_the_fixed_release(version: str, *, expected: bool) -> None:
    assert is_affected(version, **range_of(("introduced", "0"), ("fixed", "3.1.3"))) is expected


@pytest.mark.parametrize(
    ("version", "expected"), [("1.9", False), ("2.0", True), ("2.5", True), ("2.5.1", False)]
)
def test_range_with_last_affected_release(version: str, *, expected: bool) -> None:
    events = range_of(("last_affected", "2.5"), ("introduced", "2.0"))
    assert is_affected(version, **events) is expected


@pytest.mark.parametrize(
    ("version", "expected"),
    [("1.5", True), ("2.0", False), ("2.9", False), ("3.0", True), ("3.0.1", False)],
)
def test_one_range_may_have_several_parts(version: str, *, expected: bool) -> None:
    events = (("introduced", "0"), ("fixed", "2.0"), ("introduced", "3.0"), ("fixed", "3.0.1"))
    assert is_affected(version, **range_of(*events)) is expected
    assert is_affected(version, **range_of(*reversed(events))) is expected


@pytest.mark.parametrize(
    "affected",
    [
        range_of(("introduced", "0"), ("last_affected", "2.0.0")),
        range_of(("introduced", "0"), ("fixed", "2.0.1")),
        {"versions": ["1.9", "2.0.0"]},
        {"versions": ["2.0.0+cu118"]},
    ],
)
def test_record_about_a_release_is_about_its_local_versions(affected: dict[str, Any]) -> None:
    assert is_affected("2.0.0+cu118", **affected)
    assert not is_affected("2.0.1+cu118", **affected)


def test_limit_ends_a_range() -> None:
    events = range_of(("introduced", "0"), ("limit", "2.0"))
    assert is_affected("1.9", **events)
    assert not is_affected("2.0", **events)


@pytest.mark.parametrize("written", ["1.0", "1.0.0", "v1.0"])
def test_listed_versions_are_compared_as_versions(written: str) -> None:
    assert is_affected("1.0", versions=["0.9", written])
    assert not is_affected("1.1", versions=["0.9", written])


def test_commits_say_nothing_about_releases() -> None:
    git = range_of(("introduced", "0"), kind="GIT")
    assert not is_affected("1.0", versions=["0.9"], **git)
    assert not is_affected("1.0", **git)
    assert not is_affected("1.0", versions=[], **git)


def test_record_without_versions_and_ranges_is_about_all() -> None:
    """The schema does not allow it; malware is written in haste."""
    assert is_affected("1.0")
    assert is_affected("1.0", versions=[], ranges=[])


def test_names_are_normalized() -> None:
    found = matches(record("Flask_SQL.Alchemy", versions=["1.0"]), {"flask-sql-alchemy": "1.0"})
    assert [each.name for each in found] == ["flask-sql-alchemy"]


def test_other_ecosystems_and_withdrawn_records_do_not_count() -> None:
    other = record(versions=["1.0"])
    other["affected"][0]["package"]["ecosystem"] = "npm"
    withdrawn = record(versions=["1.0"]) | {"withdrawn": "2024-01-01T00:00:00Z"}

    assert [*matches(other, {"jinja2": "1.0"})] == []
    assert [*matches(withdrawn, {"jinja2": "1.0"})] == []


@pytest.mark.parametrize(
    ("damaged", "reason"),
    [
        ([], "it has no id"),
        ({"id": 7}, "it has no id"),
        ({"id": "X", "schema_version": "2.0.0"}, "it has the schema version 2.0.0, not 1.x"),
        ({"id": "X", "affected": [{"package": {"ecosystem": "PyPI"}}]}, "a package in it has"),
        (record(ranges=[{"type": "ECOSYSTEM"}]), "a range in it has no events"),
        (record(**range_of()), "a range in it has no events"),
        (record(ranges=[{"events": [{"introduced": 0}]}]), "an event of a range in it has no"),
    ],
)
def test_record_of_another_form_is_refused(damaged: JsonValue, reason: str) -> None:
    with pytest.raises(BadRecord, match=reason):
        _ = [*matches(damaged, {"jinja2": "1.0"})]


def test_versions_that_are_none_err_on_the_safe_side() -> None:
    assert is_affected("2.0", **range_of(("introduced", "of 2003")))
    assert is_affected("a-fork", **range_of(("introduced", "0"), ("fixed", "1.0")))


def test_finding_names_the_lowest_fixed_release() -> None:
    two = record(ranges=[*range_of(("introduced", "3.0"), ("fixed", "3.1.3"))["ranges"]])
    two["affected"].append(
        {
            "package": {"ecosystem": "PyPI", "name": "jinja2"},
            **range_of(("introduced", "0"), ("fixed", "2.9")),
        }
    )

    (found,) = findings(matches(two, {"jinja2": "3.1.2"}))

    assert str(found) == (
        "jinja2 3.1.2: GHSA-h5c8-rqwp-cp95 (CVE-2024-22195), medium, fixed in 3.1.3"
    )


def test_records_of_one_vulnerability_are_one_finding() -> None:
    def match(*ids: str, severity: str = "", fixed: str = "") -> RecordMatch:
        return RecordMatch("jinja2", "3.1.2", ids, severity, fixed)

    apart = match("GHSA-other")
    found = findings(
        [
            match("PYSEC-2024-1", fixed="3.1.4"),
            match("GHSA-a", "CVE-1", severity="high"),
            apart,
            # It joins the first two.
            match("OTHER-1", "CVE-1", "PYSEC-2024-1", severity="low", fixed="3.1.3"),
        ]
    )

    assert [(each.ids, each.severity, each.fixed) for each in found] == [
        (("GHSA-a", "CVE-1", "PYSEC-2024-1", "OTHER-1"), "high", "3.1.4"),
        (("GHSA-other",), "", ""),
    ]


def test_malware_is_recognized_by_record_or_alias() -> None:
    match = RecordMatch("fast-jsonn", "1.0", ("GHSA-x", "MAL-2026-4711"), "", "")
    (found,) = findings([match])

    assert found.is_malware
    assert str(found) == "fast-jsonn 1.0: MAL-2026-4711 (GHSA-x), malware"


@pytest.mark.parametrize(
    ("vector", "severity"),
    [
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "critical"),  # 9.8
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", "high"),  # 7.5
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", "medium"),  # 6.1
        ("CVSS:3.0/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", "low"),  # 3.1
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", "critical"),  # 9.9
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", ""),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", ""),
        ("AV:N", ""),
        ("nonsense", ""),
    ],
)
def test_severity_of_a_vector(vector: str, severity: str) -> None:
    """The scores are those of FIRST's calculator."""
    assert of_vector("CVSS_V3", vector) == severity
    assert severity_of({"severity": [{"type": "CVSS_V3", "score": vector}]}) == severity


@pytest.mark.parametrize(
    ("kind", "vector", "severity"),
    [
        (
            *("CVSS_V4", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"),
            "critical",  # 9.3
        ),
        (
            *("CVSS_V4", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:L/SC:N/SI:N/SA:N"),
            "medium",  # 6.9
        ),
        ("CVSS_V4", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N", ""),
        ("CVSS_V2", "AV:N/AC:L/Au:N/C:P/I:P/A:P", "high"),  # 7.5
        ("CVSS_V2", "AV:N/AC:L/Au:N/C:N/I:N/A:N", ""),
        ("Ubuntu", "high", ""),
    ],
)
def test_severity_of_other_versions_of_cvss(kind: str, vector: str, severity: str) -> None:
    assert severity_of({"severity": [{"type": kind, "score": vector}]}) == severity


def test_worst_of_several_vectors_is_the_severity() -> None:
    vectors: list[JsonValue] = [
        {"type": "CVSS_V3", "score": "CVSS:3.0/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N"},
        {
            "type": "CVSS_V4",
            "score": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:L/SC:N/SI:N/SA:N",
        },
        {"type": "CVSS_V4"},
        7,
    ]

    assert severity_of({"severity": vectors}) == "medium"


@pytest.mark.parametrize(
    ("specific", "severity"),
    [({"severity": "MODERATE"}, "medium"), ({"severity": 7}, ""), (7, "")],
)
def test_word_of_the_database_is_the_severity(specific: JsonValue, severity: str) -> None:
    assert severity_of({"database_specific": specific}) == severity


def test_findings_are_lines_of_metadata() -> None:
    found = (
        Finding("a", "1.0", ("GHSA-a", "CVE-1"), "high", "1.1", "affected"),
        Finding(
            "b", "2.0", ("MAL-1",), "", "", "not_affected", "vex.json: a false alarm, checked"
        ),
    )

    assert from_lines(as_lines(found)) == found
    assert from_lines(("damaged", "")) == ()


def test_blanks_in_a_record_do_not_hide_its_finding() -> None:
    found = Finding("a", "1.0", ("GHSA-a", "CVE 1 "), "high", " 1.1", "affected")

    (read,) = from_lines(as_lines([found]))

    assert read == Finding("a", "1.0", ("GHSA-a", "CVE1"), "high", "1.1", "affected")
    assert read.counts
