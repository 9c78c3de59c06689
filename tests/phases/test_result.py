"""The image has the result of its build; the platform gets spans where it names a file."""

import json
from typing import Any

import jsonschema

from cnb_python.result.build_result import LABEL
from tests.support.builds import Builds, Built, fixture
from tests.support.trees import App
from tools.package import assemble

SCHEMA = json.loads((assemble.ROOT / "docs/result.schema.json").read_text())
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
ENV = {
    "CNB_OTEL_LOG_PATH": "/tmp/traces/build.jsonl",
    "CNB_OTEL_TRACEPARENT": f"00-{TRACE}-{PARENT}-01",
}


def result_of(image: Built) -> dict[str, Any]:
    label: dict[str, Any] = json.loads(image.image.labels[LABEL])
    return label


def spans_of(build: Built) -> list[dict[str, Any]]:
    """Return the spans of the build phase, which follow the span of the detect phase."""
    lines = (build.work / "fresh/tmp/traces/build.jsonl").read_text().splitlines()
    detection, spans = map(_spans, lines)
    assert [span["parentSpanId"] for span in detection] == [PARENT]
    return spans


def _spans(line: str) -> list[dict[str, Any]]:
    spans: list[dict[str, Any]] = json.loads(line)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    return spans


def attributes(span: dict[str, Any]) -> dict[str, str]:
    return {each["key"]: next(iter(each["value"].values())) for each in span["attributes"]}


def test_unchanged_build_has_the_same_result_and_its_own_spans(
    builds: Builds, flask: Built
) -> None:
    again = builds.image(fixture("pip_flask"), flask, env=ENV)

    assert "Nothing changed" in again.output
    assert again.image.labels == flask.image.labels
    result = result_of(again)
    (own, *_) = flask.labels()["io.buildpacks.lifecycle.metadata"]["buildpacks"]
    assert {layer["name"] for layer in result["layers"]} == set(own["layers"])
    assert result["packages"]["files"] == ["requirements.txt"]
    assert f"Using Python {result['python']['version']} (default)" in again.output
    build, *steps = spans_of(again)
    assert (build["traceId"], build["parentSpanId"]) == (TRACE, PARENT)
    assert [step["name"] for step in steps] == ["Python", "Packages", "Launch"]
    assert int(build["endTimeUnixNano"]) > int(steps[-1]["startTimeUnixNano"])
    whole = json.loads(attributes(build)["result"])
    for each in (result, whole):
        jsonschema.validate(each, SCHEMA)
    assert {layer["state"] for layer in whole["layers"]} == {"reused"}


def test_failed_build_names_its_error(builds: Builds, app: App) -> None:
    source = app({"requirements.txt": "", ".python-version": "2.7\n"})

    failed = builds.phases(source, env=ENV)

    build, step = spans_of(failed)
    facts = attributes(build)
    assert failed.code != 0
    assert (facts["outcome"], facts["error.family"]) == ("failure", "app")
    result = json.loads(facts["result"])
    jsonschema.validate(result, SCHEMA)
    assert result["error"]["page"] in failed.output
    assert (step["name"], step["status"]["code"], build["status"]["code"]) == ("Python", 2, 2)
