"""The arguments and inputs of `bin/explain`, and what an image's label restores."""

import json
from pathlib import Path

import pytest

from cnb_python.cnb import toml
from cnb_python.errors.config import BadArguments
from cnb_python.errors.inputs import UnreadableInput
from cnb_python.explain.inputs import (
    Arguments,
    explain_context,
    read_arguments,
    restore_metadata,
)

ROOT = Path(__file__).parents[3]
OWN = "cnb-python/python"


def test_arguments(tmp_path: Path) -> None:
    app = tmp_path / "app"
    app.mkdir()

    assert read_arguments((), app) == Arguments(app)
    assert read_arguments(("app", "--json"), tmp_path) == Arguments(app, is_json=True)
    assert read_arguments(("--previous", "x.json", "app"), tmp_path) == Arguments(
        app, previous=tmp_path / "x.json"
    )


@pytest.mark.parametrize(
    "argv", [("--jsn",), ("--previous",), ("a", "b"), ("missing",)], ids=" ".join
)
def test_other_arguments_are_refused(tmp_path: Path, argv: tuple[str, ...]) -> None:
    with pytest.raises(BadArguments) as refused:
        read_arguments(argv, tmp_path)

    assert refused.value.usage == "bin/explain [--json] [--previous FILE] [APP]"


def test_variables_of_the_lifecycle_count(tmp_path: Path) -> None:
    layers = tmp_path / "layers"
    environ = {"CNB_LAYERS_DIR": str(layers), "CNB_TARGET_ARCH": "arm64"}
    context = explain_context(Arguments(tmp_path), environ, tmp_path, ROOT)

    assert context.layers_dir == layers
    assert (context.target.os, context.target.arch) == ("linux", "arm64")
    assert context.buildpack.id == OWN


def label(path: Path, document: object) -> Path:
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def test_the_label_restores_launch_layers_and_the_record(tmp_path: Path) -> None:
    layers = {
        "venv": {"launch": True, "data": {"digest": "1"}},
        "deps": {"launch": False, "cache": True, "data": {"digest": "2"}},
        "../out": {"launch": True, "data": {}},
        "odd": {"launch": True, "data": None},
    }
    row = {"key": OWN, "layers": layers, "store": {"metadata": {"decision": "x", "none": None}}}
    document = {"buildpacks": [{"key": "other"}, row, "nonsense"]}
    into = tmp_path / "layers"
    into.mkdir()

    restore_metadata(label(tmp_path / "label.json", document), OWN, into)

    assert sorted(path.name for path in into.iterdir()) == ["store.toml", "venv.toml"]
    assert toml.read_metadata(into / "venv.toml") == {"digest": "1"}
    assert toml.read_metadata(into / "store.toml") == {"decision": "x", "none": ""}
    assert not (tmp_path / "out.toml").exists()


@pytest.mark.parametrize(
    "document", ["", "{", "[]", {"buildpacks": 3}, {"buildpacks": [{"key": "other"}]}]
)
def test_another_label_is_refused(tmp_path: Path, document: object) -> None:
    with pytest.raises(UnreadableInput):
        restore_metadata(label(tmp_path / "label.json", document), OWN, tmp_path)


def test_layers_of_a_build_are_not_overwritten(tmp_path: Path) -> None:
    layers = tmp_path / "layers"
    layers.mkdir()
    (layers / "store.toml").touch()
    arguments = Arguments(tmp_path, previous=label(tmp_path / "label.json", {}))

    with pytest.raises(UnreadableInput, match="layers of a build"):
        explain_context(arguments, {"CNB_LAYERS_DIR": str(layers)}, tmp_path, ROOT)
