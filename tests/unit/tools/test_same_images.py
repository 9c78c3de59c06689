import io
import json
import tarfile
from collections.abc import Mapping
from compression import zstd
from dataclasses import replace
from pathlib import Path

import pytest

from tools.platforms.build_request import Platform
from tools.platforms.image_differences import (
    Build,
    configuration,
    contents,
    difference,
    first_entry,
    first_value,
    store_files,
)
from tools.platforms.same_images import App, Recording, read, write
from tools.processes import Unavailable

BUILD = Build(
    code=0,
    layers=(("run image", "sha256:aa"), ("cnb-python/python:venv", "sha256:bb")),
    image="sha256:cc",
    configuration="dd",
    store=(("deps/aa.tar.zst", "aa"), ("list of contents", "bb")),
    directories=("deps",),
)


def test_difference_is_empty_for_equal_builds() -> None:
    assert difference(BUILD, replace(BUILD)) == ""


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"code": 51}, "the lifecycle's exit code is 51, not 0"),
        ({"layers": BUILD.layers[:1]}, "layer: none (recorded: cnb-python/python:venv)"),
        (
            {"layers": (BUILD.layers[0], ("cnb-python/python:venv", "sha256:ee"))},
            "layer cnb-python/python:venv: sha256:ee (recorded: sha256:bb)",
        ),
        ({"configuration": "ee"}, "configuration: ee (recorded: dd)"),
        ({"image": "sha256:ee"}, "image: sha256:ee (recorded: sha256:cc)"),
        (
            {"store": (*BUILD.store[:1], ("list of contents", "ee"))},
            "store list of contents: ee (recorded: bb)",
        ),
        (
            {"directories": ("deps", "venv")},
            "layers on disk after the build: deps, venv (recorded: deps)",
        ),
        (
            {"added": ("Adding layer 'cnb-python/python:venv'",)},
            "layers made: Adding layer 'cnb-python/python:venv' (recorded: none)",
        ),
    ],
)
def test_difference_names_what_changed(change: Mapping[str, object], text: str) -> None:
    assert difference(BUILD, replace(BUILD, **change)) == text  # type: ignore[arg-type]


def test_difference_names_the_first_of_several_layers() -> None:
    layers = tuple((title, "sha256:ee") for title, _ in BUILD.layers)

    text = difference(BUILD, replace(BUILD, layers=layers, image="sha256:ff"))

    assert text == "layer run image: sha256:ee (recorded: sha256:aa)"


@pytest.mark.parametrize(
    ("new", "text"),
    [
        ({"a": b"1", "b": b"2"}, ""),
        ({"a": b"1", "b": b"3"}, "b: content"),
        ({"a": b"1", "bb": b"2"}, "bb (recorded: b)"),
        ({"a": b"1"}, "(end) (recorded: b)"),
        ({"a": b"1", "b": b"2", "c": b"3"}, "c (recorded: (end))"),
    ],
)
def test_first_entry_names_the_first_different_file(
    tmp_path: Path, new: Mapping[str, bytes], text: str
) -> None:
    archives = [
        _archive(tmp_path / name, files)
        for name, files in (("old", {"a": b"1", "b": b"2"}), ("new", new))
    ]

    assert first_entry(*archives) == text


def test_first_entry_compares_modes(tmp_path: Path) -> None:
    old = _archive(tmp_path / "old", {"a": b"1"})
    new = _archive(tmp_path / "new", {"a": b"1"}, mode=0o755)

    assert first_entry(old, new) == "a: mode"


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2}]}, ""),
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, "a[1].b: 3 (recorded: 2)"),
        ({"a": 1}, {"a": 1, "b": 2}, "b: new"),
        ({"a": 1, "b": 2}, {"a": 1}, "b: gone"),
        ({"a": [1]}, {"a": [1, 2]}, "a: [1, 2] (recorded: [1])"),
        ({"label": '{"a": {"b": 1}}'}, {"label": '{"a": {"b": 2}}'}, "label.a.b: 2 (recorded: 1)"),
    ],
)
def test_first_value_gives_path_and_values(
    old: Mapping[str, object], new: Mapping[str, object], text: str
) -> None:
    assert first_value(old, new) == text  # type: ignore[arg-type]


def test_configuration_is_the_one_that_the_index_leads_to(tmp_path: Path) -> None:
    blobs = tmp_path / "blobs/sha256"
    blobs.mkdir(parents=True)
    documents = {
        tmp_path / "index.json": {"manifests": [{"digest": "sha256:aa"}]},
        blobs / "aa": {"config": {"digest": "sha256:bb"}},
        blobs / "bb": {"config": {"Labels": {"books": "deps 123"}}},
    }
    for path, document in documents.items():
        path.write_text(json.dumps(document))

    assert json.loads(configuration(tmp_path)) == documents[blobs / "bb"]


def test_list_of_contents_is_compared_without_its_compression(tmp_path: Path) -> None:
    stores = [
        _archive(
            tmp_path / str(level),
            {
                "deps/aa.tar.zst": b"1",
                f"deps/{level}.json.zst": zstd.compress(b"text" * 500, level=level),
            },
        )
        for level in (1, 19)
    ]

    assert [contents(store) for store in stores] == ["text" * 500] * 2
    assert store_files(stores[0]) == store_files(stores[1])
    assert [name for name, _ in store_files(stores[0])] == ["deps/aa.tar.zst", "list of contents"]


def test_recording_is_read_as_it_was_written(tmp_path: Path) -> None:
    platform = Platform(tmp_path / "build", tmp_path / "run", tmp_path / "image", tmp_path)
    recording = Recording("c0ffee", platform, {"flask": App(BUILD, replace(BUILD, code=None))})

    write(tmp_path, recording)

    assert read(tmp_path) == recording


def test_read_without_recording_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="holds no recording"):
        read(tmp_path)


def _archive(path: Path, files: Mapping[str, bytes], mode: int = 0o644) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            archive.addfile(entry, io.BytesIO(content))
    return path
