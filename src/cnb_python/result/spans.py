"""Spans of OpenTelemetry for a build, as a line of JSON.

The form is that of OpenTelemetry's file exporter, with the names of attributes that libcnb.rs
writes, so that collectors of its files read these too.
https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/
https://github.com/buildpacks/rfcs/blob/main/text/0131-build-observability.md
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from cnb_python.cnb.context import Buildpack
from cnb_python.detect import PASS
from cnb_python.result.build_result import BuildResult, as_json

# https://www.w3.org/TR/trace-context/#traceparent-header
_PARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}.*"
)
_OK, _ERROR = 1, 2
_INTERNAL = 1
_TRACE_BYTES, _SPAN_BYTES = 16, 8

type Random = Callable[[int], bytes]
"""Returns this number of random bytes."""
type _Json = dict[str, object]


class TraceParent(NamedTuple):
    """The span of the platform that the spans of this build belong to."""

    trace: str
    """32 hexadecimal digits."""
    span: str
    """16 hexadecimal digits; empty: there is none."""


class StepTime(NamedTuple):
    """When a step ran, in nanoseconds since 1970."""

    name: str
    start: int
    end: int
    finished: bool


class BuildTime(NamedTuple):
    """When a build ran, in nanoseconds since 1970."""

    start: int
    end: int
    steps: tuple[StepTime, ...]


def parent_of(traceparent: str, random: Random) -> TraceParent:
    """Return the parent that *traceparent* names, or a new trace if it is not valid."""
    if match := _PARENT.fullmatch(traceparent):
        return TraceParent(match[1], match[2])
    return TraceParent(random(_TRACE_BYTES).hex(), "")


def line(
    result: BuildResult,
    buildpack: Buildpack,
    time: BuildTime,
    parent: TraceParent,
    random: Random,
) -> str:
    """Return the spans of a build: one for the build, and below it one for each step."""
    root = random(_SPAN_BYTES).hex()
    spans = [
        _span(parent.trace, root, parent.span, "build", time.start, time.end)
        | {"attributes": _attributes(_facts(result)), **_status(result, time.end)},
        *_steps(time, parent.trace, root, random),
    ]
    return _document(spans, buildpack)


def line_of_detection(
    code: int | None, buildpack: Buildpack, time: BuildTime, parent: TraceParent, random: Random
) -> str:
    """Return the span of a detection that ended with the exit code *code*; None if it failed."""
    root = random(_SPAN_BYTES).hex()
    span = _span(parent.trace, root, parent.span, "detect", time.start, time.end)
    outcome = {None: "failure", PASS: "pass"}.get(code, "fail")
    # An app for another buildpack is not an error.
    status = {"code": _ERROR if code is None else _OK}
    facts = _attributes({"outcome": outcome})
    return _document([span | {"attributes": facts, "status": status}], buildpack)


def _document(spans: list[_Json], buildpack: Buildpack) -> str:
    about = _attributes(
        {
            "buildpack_id": buildpack.id,
            "buildpack_name": buildpack.name,
            "buildpack_version": buildpack.version,
            "buildpack_homepage": buildpack.homepage,
        }
    )
    service = {"service.name": buildpack.id, "service.version": buildpack.version}
    resource = {"attributes": _attributes(service) + about}
    scope = {"name": "cnb-python", "version": buildpack.version, "attributes": about}
    scoped = [{"scope": scope, "spans": spans}]
    return json.dumps(
        {"resourceSpans": [{"resource": resource, "scopeSpans": scoped}]}, separators=(",", ":")
    )


def _span(trace: str, span: str, parent: str, name: str, start: int, end: int) -> _Json:
    # 64-bit numbers are text in OTLP's JSON.
    return {
        "traceId": trace,
        "spanId": span,
        # For a collector, a span without a parent is the first of its trace.
        **({"parentSpanId": parent} if parent else {}),
        "name": name,
        "kind": _INTERNAL,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(end),
    }


def _steps(time: BuildTime, trace: str, root: str, random: Random) -> Iterator[_Json]:
    for step in time.steps:
        span = _span(trace, random(_SPAN_BYTES).hex(), root, step.name, step.start, step.end)
        yield {**span, "status": {"code": _OK if step.finished else _ERROR}}


def _status(result: BuildResult, end: int) -> _Json:
    error = result["error"]
    if error is None:
        return {"status": {"code": _OK if result["outcome"] == "success" else _ERROR}}
    event = {
        "name": "exception",
        "timeUnixNano": str(end),
        "attributes": _attributes(
            {"exception.type": error["id"], "exception.message": error["heading"]}
        ),
    }
    return {"status": {"code": _ERROR, "message": error["heading"]}, "events": [event]}


def _facts(result: BuildResult) -> dict[str, str | int]:
    facts: dict[str, str | int] = {"outcome": result["outcome"]}
    if error := result["error"]:
        facts |= {"error.type": error["id"], "error.family": error["family"]}
    if python := result["python"]:
        facts |= {"python.version": python["version"], "python.origin": python["origin"]}
    if packages := result["packages"]:
        facts["packages.manager"] = packages["manager"]
        if packages["count"] is not None:
            facts["packages.count"] = packages["count"]
    for state in ("new", "reused"):
        sizes = [layer["size"] or 0 for layer in result["layers"] if layer["state"] == state]
        facts |= {f"layers.{state}": len(sizes), f"layers.{state}.bytes": sum(sizes)}
    return {**facts, "result": as_json(result)}


def _attributes(values: Mapping[str, str | int]) -> list[_Json]:
    return [
        {
            "key": key,
            "value": {"intValue": str(each)} if isinstance(each, int) else {"stringValue": each},
        }
        for key, each in values.items()
    ]
