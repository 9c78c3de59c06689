"""A real OpenTelemetry collector reads the spans of builds without a loss."""

import json
from pathlib import Path
from typing import Any

import pytest

from cnb_python.result import telemetry
from tests.support.builds import Builds, Built, fixture
from tests.support.trees import App
from tools.platforms import collector

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = {telemetry.TRACEPARENT: f"00-{TRACE}-{PARENT}-01"}
NAMED = {telemetry.LOG_PATH: "/tmp/traces/build.jsonl"}


def written(build: Built, files: str, work: Path) -> tuple[list[Any], list[Any]]:
    """Return what *build* wrote to *files* below `/tmp`, and what a collector reads of it."""
    pattern = build.work / "fresh/tmp" / files
    (file,) = pattern.parent.glob(pattern.name)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    return lines, collector.collected(pattern, len(lines), work)


def spans(line: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the spans of *line*, and check that all have the attributes of the buildpack."""
    (resource,) = line["resourceSpans"]
    (scope,) = resource["scopeSpans"]
    services = {each["key"]: each["value"] for each in resource["resource"]["attributes"]}
    assert services["service.name"] == {"stringValue": "cnb-python/python"}
    assert services["buildpack_name"] == {"stringValue": "Python"}
    found: list[dict[str, Any]] = scope["spans"]
    return found


@pytest.mark.parametrize(
    ("env", "files"),
    [
        (NAMED | TRACEPARENT, "traces/*.jsonl"),
        (TRACEPARENT, "libcnb-telemetry/*.jsonl"),
    ],
    ids=["named", "libcnb"],
)
def test_collector_reads_what_a_build_writes(
    builds: Builds, tmp_path: Path, env: dict[str, str], files: str
) -> None:
    built = builds.phases(fixture("pip_flask"), env=env)
    assert built.code == 0, built.output

    wrote, read = written(built, files, tmp_path)

    assert read == wrote
    build, *steps = spans(read[0])
    assert (build["traceId"], build["parentSpanId"]) == (TRACE, PARENT)
    assert {step["parentSpanId"] for step in steps} == {build["spanId"]}
    assert all(step["startTimeUnixNano"] >= build["startTimeUnixNano"] for step in steps)
    assert all(step["endTimeUnixNano"] <= build["endTimeUnixNano"] for step in steps)


def test_collector_reads_the_error_of_a_failed_build(
    builds: Builds, app: App, tmp_path: Path
) -> None:
    source = app({"requirements.txt": "", ".python-version": "2.7\n"})
    failed = builds.phases(source, env=NAMED)
    assert failed.code != 0

    wrote, read = written(failed, "traces/*.jsonl", tmp_path)

    assert read == wrote
    build, step = spans(read[0])
    (event,) = build["events"]
    assert (build["status"]["code"], step["status"]["code"]) == (2, 2)
    assert "parentSpanId" not in build
    assert {each["key"] for each in event["attributes"]} == {"exception.type", "exception.message"}
