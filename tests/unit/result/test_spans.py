"""The spans of a build have the form of OpenTelemetry's files."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from cnb_python.cnb.context import Buildpack
from cnb_python.result import spans
from cnb_python.result.build_result import BuildResult, begun
from cnb_python.result.spans import BuildTime, StepTime, TraceParent

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
START = 1_764_500_000_000_000_000
TIME = BuildTime(
    START,
    START + 9,
    (
        StepTime("Python", START + 1, START + 4, finished=True),
        StepTime("Packages", START + 4, START + 9, finished=False),
    ),
)


def random() -> spans.Random:
    numbers = itertools.count(1)
    return lambda count: next(numbers).to_bytes(count)


BUILDPACK = Buildpack(
    "cnb-python/python", "0.1.0", "0.10", Path("/"), "Python", "https://example.org/python"
)


def result() -> BuildResult:
    return begun(BUILDPACK)


def written(of: BuildResult) -> dict[str, Any]:
    text = spans.line(of, BUILDPACK, TIME, TraceParent(TRACE, SPAN), random())
    assert "\n" not in text
    rows: list[dict[str, Any]] = json.loads(text)["resourceSpans"]
    (row,) = rows
    return row


def attributes(row: dict[str, Any]) -> dict[str, Any]:
    return {each["key"]: next(iter(each["value"].values())) for each in row["attributes"]}


@pytest.mark.parametrize("version", ["00", "01", "cc"])
def test_spans_belong_to_the_trace_of_the_platform(version: str) -> None:
    parent = spans.parent_of(f"{version}-{TRACE}-{SPAN}-01", random())

    assert parent == TraceParent(TRACE, SPAN)


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        "nonsense",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}",
    ],
)
def test_invalid_parent_is_a_new_trace(traceparent: str) -> None:
    parent = spans.parent_of(traceparent, random())

    assert parent == TraceParent(f"{1:032x}", "")


def test_first_span_of_a_new_trace_has_no_parent() -> None:
    parent = spans.parent_of("", random())

    line = json.loads(spans.line(result(), BUILDPACK, TIME, parent, random()))

    build, *steps = line["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert "parentSpanId" not in build
    assert {step["parentSpanId"] for step in steps} == {build["spanId"]}


def test_each_step_is_a_span_below_that_of_the_build() -> None:
    rows = written(result())

    (scoped,) = rows["scopeSpans"]
    build, *steps = scoped["spans"]
    assert (build["traceId"], build["parentSpanId"], build["name"]) == (TRACE, SPAN, "build")
    assert [(each["name"], each["parentSpanId"]) for each in steps] == [
        ("Python", build["spanId"]),
        ("Packages", build["spanId"]),
    ]
    assert len({each["spanId"] for each in scoped["spans"]}) == 3
    assert all(len(each["spanId"]) == 16 for each in scoped["spans"])
    assert steps[0]["startTimeUnixNano"] == str(START + 1)
    assert [each["status"]["code"] for each in steps] == [1, 2]


def test_buildpack_is_named_as_libcnb_does() -> None:
    row = written(result())

    about = {
        "buildpack_id": "cnb-python/python",
        "buildpack_name": "Python",
        "buildpack_version": "0.1.0",
        "buildpack_homepage": "https://example.org/python",
    }
    assert attributes(row["scopeSpans"][0]["scope"]) == about
    assert attributes(row["resource"]) == {
        "service.name": "cnb-python/python",
        "service.version": "0.1.0",
        **about,
    }


def test_build_has_facts_and_the_whole_result() -> None:
    of = result()
    of["outcome"] = "success"
    of["python"] = {
        "version": "3.14.6",
        "flavor": "plain",
        "origin": "default",
        "file": "",
        "line": None,
    }
    of["packages"] = {"manager": "pip", "files": ("requirements.txt",), "count": 7}
    of["layers"] = (
        {"name": "python", "size": 5, "state": "reused"},
        {"name": "venv", "size": None, "state": "new"},
    )

    build = written(of)["scopeSpans"][0]["spans"][0]

    facts = attributes(build)
    assert json.loads(facts.pop("result"))["layers"][0]["name"] == "python"
    assert facts == {
        "outcome": "success",
        "python.version": "3.14.6",
        "python.origin": "default",
        "packages.manager": "pip",
        "packages.count": "7",
        "layers.new": "1",
        "layers.new.bytes": "0",
        "layers.reused": "1",
        "layers.reused.bytes": "5",
    }
    assert build["status"] == {"code": 1}


def test_error_is_an_event_and_the_status() -> None:
    of = result()
    of["outcome"] = "failure"
    of["error"] = {
        "id": "NoSuchPackage",
        "family": "app",
        "heading": "No such package",
        "page": "x",
    }

    build = written(of)["scopeSpans"][0]["spans"][0]

    assert build["status"] == {"code": 2, "message": "No such package"}
    (event,) = build["events"]
    assert event["name"] == "exception"
    assert attributes(event)["exception.type"] == "NoSuchPackage"
    assert attributes(build)["error.family"] == "app"
