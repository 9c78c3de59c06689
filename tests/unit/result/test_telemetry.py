"""Spans go to the file that the platform names, and to no other place."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cnb_python.__main__ import main
from cnb_python.errors.base import BuildpackBug
from cnb_python.errors.machine import DiskFull
from cnb_python.result import telemetry
from cnb_python.result.build_result import BuildResult, Observed, begun
from cnb_python.result.telemetry import LOG_PATH, TRACEPARENT
from cnb_python.system.output import StepTimes
from tests.support.fake_build import context

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
SECRET = "s3cr3t-token"
ROOT = Path(__file__).parents[3]


def never(error: OSError) -> None:
    del error


def end_with(error: BaseException | None) -> None:
    if error:
        raise error


def observe(
    directory: Path, environ: Mapping[str, str], error: BaseException | None = None
) -> BuildResult:
    """Run a build that ends with *error*, with a step that takes two seconds before it."""
    times = StepTimes(clock=lambda: 15.0, begin=10.0)
    build = context(directory)._replace(environ=environ)
    result = begun(build.buildpack)
    try:
        with telemetry.observed(Observed(result, times), build, never):
            times.started["Python"] = 11.0
            times.seconds["Python"] = 2.0
            end_with(error)
    except BaseException as raised:
        if raised is not error:
            raise
    return result


def read(file: Path) -> list[list[dict[str, Any]]]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["resourceSpans"][0]["scopeSpans"][0]["spans"] for line in lines]


def test_nothing_is_written_if_the_platform_asks_for_nothing(tmp_path: Path) -> None:
    result = observe(tmp_path, {"OTEL_TRACES_EXPORTER": "otlp"})

    assert result["outcome"] == "success"
    assert not list(tmp_path.rglob("*.jsonl"))


def test_each_build_is_a_line_of_the_named_file(tmp_path: Path) -> None:
    file = tmp_path / "traces/build.jsonl"
    environ = {LOG_PATH: str(file), TRACEPARENT: TRACE}

    observe(tmp_path, environ)
    observe(tmp_path, environ)

    first, second = read(file)
    assert first[0]["traceId"] == second[0]["traceId"] == TRACE.split("-")[1]
    assert first[0]["spanId"] != second[0]["spanId"]
    assert [span["name"] for span in first] == ["build", "Python"]
    start, end = (int(first[1][key]) for key in ("startTimeUnixNano", "endTimeUnixNano"))
    assert end - start == 2_000_000_000
    assert file.stat().st_mode & 0o777 == 0o644


def test_a_directory_gets_a_file_with_the_name_of_libcnb(tmp_path: Path) -> None:
    observe(tmp_path, {LOG_PATH: str(tmp_path)})

    assert len(read(tmp_path / "cnb_python_python-build.jsonl")) == 1


def test_a_trace_alone_is_written_where_collectors_look(tmp_path: Path) -> None:
    buildpack = context(tmp_path).buildpack.id

    for phase in ("detect", "build"):
        assert telemetry.destination({TRACEPARENT: TRACE}, buildpack, phase) == Path(
            f"/tmp/libcnb-telemetry/cnb_python_python-{phase}.jsonl"
        )
        assert telemetry.destination({}, buildpack, phase) is None


@pytest.mark.parametrize(
    ("error", "outcome", "name", "family"),
    [
        (DiskFull(f"writing {SECRET}"), "failure", "DiskFull", "outside"),
        (BuildpackBug(), "failure", "BuildpackBug", "buildpack"),
        (ValueError(SECRET), "failure", "ValueError", "buildpack"),
    ],
)
def test_error_gives_a_result_without_its_values(
    tmp_path: Path, error: Exception, outcome: str, name: str, family: str
) -> None:
    file = tmp_path / "build.jsonl"

    result = observe(tmp_path, {LOG_PATH: str(file)}, error)

    assert result["outcome"] == outcome
    assert result["error"] is not None
    assert (result["error"]["id"], result["error"]["family"]) == (name, family)
    assert read(file)[0][0]["status"]["code"] == 2
    assert SECRET not in file.read_text(encoding="utf-8")


def test_build_that_the_platform_ends_is_unfinished(tmp_path: Path) -> None:
    result = observe(tmp_path, {}, SystemExit(143))

    assert (result["outcome"], result["error"]) == ("unfinished", None)


def test_file_that_cannot_be_written_does_not_stop_the_build(tmp_path: Path) -> None:
    link, pipe = tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(tmp_path / "elsewhere")
    os.mkfifo(pipe)

    for path in (link, pipe, Path("/proc/none/build.jsonl")):
        assert observe(tmp_path, {LOG_PATH: str(path)})["outcome"] == "success"

    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    ("names", "code", "outcome", "status"),
    [
        (("requirements.txt",), 0, "pass", 1),
        (("index.html",), 100, "fail", 1),
        # The directory of the plan does not exist.
        (("requirements.txt", "missing"), 1, "failure", 2),
    ],
)
def test_detection_is_a_span_in_a_file_of_its_own(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    names: tuple[str, ...],
    code: int,
    outcome: str,
    status: int,
) -> None:
    app, traces = tmp_path / "app", tmp_path / "traces"
    for directory in (app, traces):
        directory.mkdir()
    (app / names[0]).touch()
    monkeypatch.chdir(app)
    variables = {LOG_PATH: str(traces), TRACEPARENT: TRACE, "CNB_TARGET_OS": "linux"}
    for name, value in {**variables, "CNB_TARGET_ARCH": "amd64"}.items():
        monkeypatch.setenv(name, value)
    plan = tmp_path.joinpath(*names[1:], "plan.toml")

    assert main("detect", [str(tmp_path), str(plan)], ROOT) == code

    ((span,),) = read(traces / "cnb_python_python-detect.jsonl")
    assert (span["name"], span["status"]["code"]) == ("detect", status)
    assert (span["traceId"], span["parentSpanId"]) == (TRACE.split("-")[1], TRACE.split("-")[2])
    assert span["attributes"] == [{"key": "outcome", "value": {"stringValue": outcome}}]
    assert int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"])
