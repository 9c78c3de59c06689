"""The result of a build as JSON, and the part of it that the image has."""

import json
from pathlib import Path

import jsonschema
import pytest

from cnb_python.cnb.context import Buildpack
from cnb_python.errors.base import Failure
from cnb_python.errors.choosing import UnknownExecutionEnvironment
from cnb_python.errors.machine import DiskFull
from cnb_python.result import build_result
from cnb_python.result.build_result import BuildResult, begun

SCHEMA = json.loads((Path(__file__).parents[3] / "docs/result.schema.json").read_text())


def result() -> BuildResult:
    return begun(Buildpack("cnb-python/python", "0.1.0", "0.10", Path("/")))


def finished() -> BuildResult:
    of = result()
    of["outcome"] = "success"
    of["layers"] = ({"name": "venv", "size": 5, "state": "new"},)
    of["steps"] = ({"name": "Python", "seconds": 0.1, "finished": True},)
    return of


def test_result_has_the_published_schema() -> None:
    for each in (result(), finished()):
        jsonschema.validate(json.loads(build_result.as_json(each)), SCHEMA)


def test_image_has_nothing_that_differs_between_equal_builds() -> None:
    again = finished()
    again["layers"] = ({"name": "venv", "size": 5, "state": "reused"},)
    again["steps"] = ()

    labels = build_result.of_image(finished())

    assert labels == build_result.of_image(again)
    document = json.loads(labels[build_result.LABEL])
    jsonschema.validate(document, SCHEMA)
    assert (document["steps"], document["layers"][0]["state"]) == ([], None)


def test_label_of_an_image_with_all_layers_is_complete() -> None:
    """The lifecycle allows 127 layers; names of distributions have up to 60 characters."""
    result = finished()
    layers = [f"deps-{number:03}-{'x' * 60}" for number in range(127)]
    result["layers"] = tuple({"name": name, "size": 10**12, "state": "new"} for name in layers)

    (text,) = build_result.of_image(result).values()

    assert len(text) < 20_000
    assert len(json.loads(text)["layers"]) == len(layers)


@pytest.mark.parametrize("file", ["r.txt", "r" * 10_000])
def test_large_result_has_no_layers_and_then_no_files_in_the_image(file: str) -> None:
    result = finished()
    result["layers"] = tuple(
        {"name": str(number) * 100, "size": 5, "state": "new"} for number in range(1000)
    )
    result["packages"] = {"manager": "pip", "files": (file,) * 10, "count": 600}

    (text,) = build_result.of_image(result).values()

    assert len(text) <= build_result.LARGEST_LABEL
    document = json.loads(text)
    jsonschema.validate(document, SCHEMA)
    assert document["layers"] == []
    assert document["packages"]["files"] == ([file] * 10 if file == "r.txt" else [])
    assert document["python"] == result["python"]


def test_layers_with_a_directory_are_new(tmp_path: Path) -> None:
    (tmp_path / "venv").mkdir()

    layers = build_result.layers_of({"venv": "5", "python": "x", "deps": "9"}, tmp_path)

    assert layers == (
        {"name": "python", "size": None, "state": "reused"},
        {"name": "venv", "size": 5, "state": "new"},
    )


@pytest.mark.parametrize(
    ("error", "family"),
    [
        (DiskFull("writing a secret"), "outside"),
        (UnknownExecutionEnvironment("a secret", ()), "app"),
        (ValueError("a secret"), "buildpack"),
    ],
)
def test_error_is_named_without_its_values(error: Exception, family: str) -> None:
    described = build_result.error_of(error)

    assert described is not None
    assert (described["id"], described["family"]) == (type(error).__name__, family)
    assert described["page"] == (error.link() if isinstance(error, Failure) else "")
    assert "secret" not in repr(described)


def test_end_of_the_process_is_no_error() -> None:
    assert build_result.error_of(SystemExit(143)) is None
