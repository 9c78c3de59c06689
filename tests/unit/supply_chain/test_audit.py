"""The audit of a build: records, reactions, and data that cannot be used."""

import io
import json
import os
import zipfile
from collections.abc import Mapping
from copy import replace
from datetime import date
from pathlib import Path

import pytest

from cnb_python.cnb.bindings import Binding
from cnb_python.config.settings import Settings
from cnb_python.errors.config import BadBinding
from cnb_python.errors.downloads import DownloadFailed
from cnb_python.errors.supply_chain.audit import BadAuditData, MalwareFound, VulnerablePackages
from cnb_python.supply_chain.audit.audit import NOT_AUDITED, Audit, Audited
from cnb_python.supply_chain.audit.data import LIMITS, DataLimits, Records, RecordSource
from cnb_python.supply_chain.audit.sources import open_sources
from cnb_python.system.interface import Download
from tests.support.fake_system import Log, world
from tests.support.osv import MALWARE, VULNERABLE, ZIP_TITLE, osv_zip, record

RELEASES = {"jinja2": "3.1.2", "flask": "3.0.0"}


@pytest.fixture
def app(tmp_path: Path) -> Path:
    directory = tmp_path / "app"
    directory.mkdir()
    return directory


def audit(app: Path, data: Path, **settings: str) -> tuple[Audit, Log]:
    fake, _, log = world(lambda _: pytest.fail("nothing runs"))
    system = replace(fake, today=date(2026, 11, 2))
    return Audit(Settings(**settings), (RecordSource(ZIP_TITLE, data),), app, system), log  # type: ignore[arg-type]  # values of any setting


def test_vulnerability_is_a_warning_by_default(app: Path, tmp_path: Path) -> None:
    own, log = audit(app, osv_zip(tmp_path, VULNERABLE))

    result = own.run(RELEASES, (), NOT_AUDITED)

    assert log.lines == [
        "Compared 2 packages with 2 records, the newest from 2026-11-01",
        (
            "Packages have known vulnerabilities\n"
            "jinja2 3.1.2: GHSA-h5c8-rqwp-cp95 (CVE-2024-22195), medium, fixed in 3.1.3"
        ),
    ]
    assert result.findings == (
        "jinja2 3.1.2 GHSA-h5c8-rqwp-cp95,CVE-2024-22195 medium 3.1.3 affected",
    )


def test_vulnerability_stops_the_build_if_the_setting_says_so(app: Path, tmp_path: Path) -> None:
    own, _ = audit(app, osv_zip(tmp_path, VULNERABLE), audit="stop")

    with pytest.raises(VulnerablePackages) as failure:
        own.run(RELEASES, (), NOT_AUDITED)

    assert vars(failure.value) == vars(VulnerablePackages.example())
    assert failure.value.setting == "BP_PYTHON_AUDIT"


@pytest.mark.parametrize(("lowest", "stops"), [("low", 1), ("medium", 1), ("high", 0)])
def test_severity_below_the_threshold_is_a_warning(
    app: Path, tmp_path: Path, lowest: str, stops: int
) -> None:
    data = osv_zip(tmp_path, VULNERABLE)
    own, log = audit(app, data, audit="stop", audit_severity=lowest)

    if stops:
        with pytest.raises(VulnerablePackages):
            own.run(RELEASES, (), NOT_AUDITED)
    else:
        own.run(RELEASES, (), NOT_AUDITED)
        assert log.lines[-1].startswith("Packages have known vulnerabilities\njinja2")


def test_unknown_severity_always_stops(app: Path, tmp_path: Path) -> None:
    unknown = {**record("PYSEC-2024-1", "flask", "3.0.0"), "database_specific": {}}
    own, _ = audit(app, osv_zip(tmp_path, unknown), audit="stop", audit_severity="critical")

    with pytest.raises(VulnerablePackages, match="severity unknown"):
        own.run(RELEASES, (), NOT_AUDITED)


@pytest.mark.parametrize("setting", ["", "warn", "stop"])
def test_malware_always_stops_the_build(app: Path, tmp_path: Path, setting: str) -> None:
    own, _ = audit(app, osv_zip(tmp_path, VULNERABLE, MALWARE), audit=setting)

    with pytest.raises(MalwareFound) as failure:
        own.run({**RELEASES, "fast-jsonn": "1.0"}, (), NOT_AUDITED)

    assert failure.value.findings == ("fast-jsonn 1.0: MAL-2026-4711, malware",)
    assert vars(failure.value) == vars(MalwareFound.example())


def test_malware_in_the_previous_image_is_named_as_such(app: Path, tmp_path: Path) -> None:
    own, _ = audit(app, osv_zip(tmp_path, MALWARE))

    with pytest.raises(MalwareFound) as failure:
        own.run({"fast-jsonn": "1.0"}, (), NOT_AUDITED, in_image=True)

    assert failure.value.describe().body[-1].startswith("The previous image of the app contains")


@pytest.mark.parametrize(("today", "days"), [(date(2026, 11, 8), 0), (date(2026, 11, 9), 8)])
def test_old_records_are_a_warning_in_every_build(
    app: Path, tmp_path: Path, today: date, days: int
) -> None:
    data = osv_zip(tmp_path, VULNERABLE)
    first = audit(app, data)[0].run(RELEASES, (), NOT_AUDITED)
    own, log = audit(app, data)
    own = replace(own, system=replace(own.system, today=today))

    again = own.run(RELEASES, (), first)

    # The clock changes nothing of what is recorded.
    assert again == first
    assert (again.newest, again.digest) == ("2026-11-01", first.digest)
    warnings = [line for line in log.lines if line.startswith("The records for the audit are old")]
    assert len(warnings) == bool(days)
    assert all(f"2026-11-01, {days} days ago" in line for line in warnings)
    assert all(ZIP_TITLE in line for line in warnings)


@pytest.mark.parametrize(
    "modified", ["9999-12-31", "2026-12-03T00:00:00Z", "2026-99-99T00:00:00Z", "soon"]
)
def test_one_wrong_date_does_not_hide_that_the_records_are_old(
    app: Path, tmp_path: Path, modified: str
) -> None:
    wrong = {**record("GHSA-9", "flask", "1.0"), "modified": modified}
    own, log = audit(app, osv_zip(tmp_path, VULNERABLE, wrong))
    own = replace(own, system=replace(own.system, today=date(2026, 12, 1)))

    result = own.run(RELEASES, (), NOT_AUDITED)

    assert result.newest == "2026-11-01"
    assert any("2026-11-01, 30 days ago" in line for line in log.lines)
    is_later = modified in {"9999-12-31", "2026-12-03T00:00:00Z"}
    later = "; ignored 1 date after today"
    assert any(later in line for line in log.lines) is is_later


def test_records_of_tomorrow_count_since_clocks_differ(app: Path, tmp_path: Path) -> None:
    own, _ = audit(app, osv_zip(tmp_path, VULNERABLE))
    own = replace(own, system=replace(own.system, today=date(2026, 10, 31)))

    assert own.run(RELEASES, (), NOT_AUDITED).newest == "2026-11-01"


def test_clock_before_all_records_is_visible(app: Path, tmp_path: Path) -> None:
    own, log = audit(app, osv_zip(tmp_path, VULNERABLE))
    own = replace(own, system=replace(own.system, today=date(2020, 1, 1)))

    first = own.run(RELEASES, (), NOT_AUDITED)

    assert first.newest == ""
    assert any("after today" in line for line in log.lines)
    # The next clock is right: the records did not change, but their dates count now.
    assert audit(app, tmp_path / "all.zip")[0].run(RELEASES, (), first).newest == "2026-11-01"


@pytest.mark.parametrize("modified", ["", "soon", "2026-99-99T00:00:00Z", "9999-12-31"])
def test_records_without_a_usable_date_are_not_called_old(
    app: Path, tmp_path: Path, modified: str
) -> None:
    records = [{**record("GHSA-1", "flask", "1.0"), "modified": modified}]
    data = tmp_path / "one.json"
    data.write_text(json.dumps(records[0]))
    own, log = audit(app, data)

    own.run(RELEASES, (), NOT_AUDITED)

    assert not any("old" in line for line in log.lines)


def test_packages_that_no_index_has_are_not_compared(app: Path, tmp_path: Path) -> None:
    """A directory of the app may have the name of a public package."""
    own, _ = audit(app, osv_zip(tmp_path, MALWARE))

    result = own.run({"fast-jsonn": "1.0"}, {"fast-jsonn"}, NOT_AUDITED)

    assert result.findings == ()
    assert result.elsewhere == {"fast-jsonn"}


def test_vex_silences_a_finding_and_the_log_says_why(app: Path, tmp_path: Path) -> None:
    statement = {
        "vulnerability": {"name": "CVE-2024-22195"},
        "status": "not_affected",
        "justification": "vulnerable_code_not_present",
    }
    (app / "vex.json").write_text(
        json.dumps({"@context": "https://openvex.dev/ns/v0.2.0", "statements": [statement]})
    )
    own, log = audit(app, osv_zip(tmp_path, VULNERABLE), audit="stop")

    result = own.run(RELEASES, (), NOT_AUDITED)

    assert log.lines[1:] == [
        (
            "jinja2 3.1.2: GHSA-h5c8-rqwp-cp95 (CVE-2024-22195), medium, fixed in 3.1.3: "
            "not_affected, by vex.json: vulnerable_code_not_present"
        )
    ]
    assert result.findings[0].endswith(
        "medium 3.1.3 not_affected vex.json: vulnerable_code_not_present"
    )


def test_same_inputs_are_not_compared_again(app: Path, tmp_path: Path) -> None:
    data = osv_zip(tmp_path, VULNERABLE)
    first = audit(app, data)[0].run(RELEASES, (), NOT_AUDITED)
    own, log = audit(app, data)

    assert own.run({"flask": "3.0", "jinja2": "3.1.2"}, (), first) == first
    # The warning is shown in every build.
    assert log.lines[0].startswith("Packages have known vulnerabilities")


def test_new_records_packages_and_documents_are_compared(app: Path, tmp_path: Path) -> None:
    data = osv_zip(tmp_path, VULNERABLE)
    first = audit(app, data)[0].run(RELEASES, (), NOT_AUDITED)

    def is_compared(releases: Mapping[str, str], data: Path) -> bool:
        own, log = audit(app, data)
        own.run(releases, (), first)
        return log.lines[0].startswith("Compared")

    assert is_compared({**RELEASES, "six": "1.0"}, data)
    assert is_compared(RELEASES, osv_zip(tmp_path, VULNERABLE, record("GHSA-2", "six", "1.0")))
    (app / "vex.json").write_text('{"bomFormat": "CycloneDX"}')
    assert is_compared(RELEASES, data)


def test_recorded_result_can_be_damaged(app: Path, tmp_path: Path) -> None:
    data = osv_zip(tmp_path, VULNERABLE)
    first = audit(app, data)[0].run(RELEASES, (), NOT_AUDITED)
    own, _ = audit(app, data)

    assert own.run(RELEASES, (), Audited(first.inputs, ("damaged",))).findings == ()


def test_records_of_a_directory_and_of_a_zip_in_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    osv_zip(data, VULNERABLE)
    (data / "MAL-1.json").write_text(json.dumps(MALWARE))
    (data / "README.md").write_text("no record")
    records = Records((RecordSource("here", data),))

    found = sorted(title for title, _ in records.about({"jinja2", "fast-jsonn"}))

    assert found == ["GHSA-h5c8-rqwp-cp95.json in all.zip of here", "MAL-1.json of here"]
    assert records.count == 3


def test_name_with_escaped_characters_may_be_any(tmp_path: Path) -> None:
    text = json.dumps(VULNERABLE).replace("jinja2", "jin\\u006aa2")
    data = tmp_path / "one.json"
    data.write_text(text)

    assert len([*Records((RecordSource("here", data),)).about({"jinja2"})]) == 1


def reason_of(data: Path, limits: DataLimits = LIMITS) -> str:
    records = Records((RecordSource(ZIP_TITLE, data),), limits)
    with pytest.raises(BadAuditData) as failure:
        _ = [*records.about({"jinja2", "fast-jsonn"})]
    return failure.value.reason


def test_file_that_is_no_zip(tmp_path: Path) -> None:
    data = tmp_path / "all.zip"
    data.write_bytes(b"<html>")

    with pytest.raises(BadAuditData) as failure:
        _ = [*Records((RecordSource("all.zip of the service binding osv", data),)).about(())]

    assert failure.value.reason == "it is damaged: File is not a zip file"


def test_damaged_zip(tmp_path: Path) -> None:
    data = osv_zip(tmp_path, VULNERABLE)
    content = bytearray(data.read_bytes())
    content[60:80] = bytes(20)
    data.write_bytes(content)

    assert reason_of(data).startswith("it is damaged: ")


def test_encrypted_zip(tmp_path: Path) -> None:
    data = osv_zip(tmp_path, VULNERABLE)
    content = data.read_bytes()
    # The flag of encryption, in the local header and in the directory.
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.index(signature) + offset
        content = content[:at] + bytes([content[at] | 1]) + content[at + 1 :]
    data.write_bytes(content)

    assert "encrypted" in reason_of(data)


def test_bomb_is_not_unpacked(tmp_path: Path) -> None:
    data = tmp_path / "all.zip"
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.json", bytes(9 << 20))

    assert reason_of(data) == "it is larger than 8 MB"


def test_limits_of_number_and_size(tmp_path: Path) -> None:
    data = osv_zip(tmp_path, VULNERABLE, MALWARE)

    assert reason_of(data, replace(LIMITS, records=2)) == "there are more than 2 records"
    assert reason_of(data, replace(LIMITS, total=10)) == "the records have more than 0 MB"


def test_names_in_a_zip_do_not_matter(tmp_path: Path) -> None:
    data = tmp_path / "all.zip"
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("../../etc/\x1b[31mx.json", json.dumps(VULNERABLE))

    (found,) = Records((RecordSource("here", data),)).about({"jinja2"})

    assert found[0] == "?[31mx.json in here"
    assert [path.name for path in tmp_path.iterdir()] == ["all.zip"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"name": "jinja2"', "it is not JSON: Expecting ',' delimiter"),
        ('["name", ' * 100_000 + '{"name": "jinja2", "a": "PyPI"', "it is not JSON: it is nested"),
    ],
)
def test_record_that_is_no_json(tmp_path: Path, text: str, reason: str) -> None:
    data = tmp_path / "all.zip"
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("x.json", text)

    assert reason_of(data).startswith(reason)


def test_data_without_python_packages(tmp_path: Path) -> None:
    data = tmp_path / "all.zip"
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("x.json", '{"id": "GHSA-1", "affected": []}')

    assert reason_of(data) == "no record in it is about PyPI"


def test_record_of_another_schema_stops_the_build(app: Path, tmp_path: Path) -> None:
    own, _ = audit(app, osv_zip(tmp_path, {**VULNERABLE, "schema_version": "2.0.0"}))

    with pytest.raises(BadAuditData, match=r"schema version 2\.0\.0, not 1\.x"):
        own.run(RELEASES, (), NOT_AUDITED)


def test_pipe_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "all.zip")

    assert reason_of(tmp_path / "all.zip") == "it is a named pipe, not a file"
    assert reason_of(tmp_path / "missing.zip") == "No such file or directory"


def binding(directory: Path, **values: str | bytes) -> Binding:
    files = {}
    for key, value in values.items():
        path = directory / key.replace("__", ".")
        path.write_bytes(value if isinstance(value, bytes) else value.encode())
        files[path.name] = path
    return Binding("osv", "osv", "", files)


def test_sources_of_bindings(tmp_path: Path) -> None:
    content = osv_zip(tmp_path, VULNERABLE).read_bytes()
    own = binding(
        tmp_path, all__zip=content, path="/mnt/osv\n", url="https://mirror.example.org/all.zip\n"
    )
    requested: list[Download] = []

    def fetch(download: Download, to: Path) -> None:
        requested.append(download)
        to.write_bytes(content)

    system = replace(world(lambda _: pytest.fail("nothing runs"))[0], fetch=fetch)

    with open_sources((own,), system) as sources:
        titles = [source.title for source in sources]
        assert sources[1].path == Path("/mnt/osv")
        assert zipfile.ZipFile(io.BytesIO(sources[2].path.read_bytes())).namelist()
        downloaded = sources[2].path

    assert titles == [
        "all.zip of the service binding osv",
        "/mnt/osv of the service binding osv",
        "the file at url of the service binding osv",
    ]
    assert [each.url for each in requested] == ["https://mirror.example.org/all.zip"]
    assert not downloaded.exists()


def test_mirror_that_fails(tmp_path: Path) -> None:
    own = binding(tmp_path, url="https://me:secret@mirror.example.org/all.zip")

    def fetch(download: Download, to: Path) -> None:
        assert not to.exists()
        url = download.url.replace("me:secret@", "")
        raise DownloadFailed(download.title, url, "the server answered 404 Not Found", 1, 404)

    system = replace(world(lambda _: pytest.fail("nothing runs"))[0], fetch=fetch)

    with pytest.raises(BadAuditData) as failure, open_sources((own,), system):
        pass
    assert vars(failure.value) == {
        "file": "the file at url of the service binding osv",
        "reason": "https://mirror.example.org/all.zip: the server answered 404 Not Found",
    }


def test_binding_without_records(tmp_path: Path) -> None:
    system, _, _ = world(lambda _: pytest.fail("nothing runs"))

    with (
        pytest.raises(BadBinding, match="missing key"),
        open_sources((binding(tmp_path),), system),
    ):
        pass
