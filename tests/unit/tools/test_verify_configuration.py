"""Comparing what two images have besides layers, and reading the archives of Docker."""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tools.platforms import oci
from tools.verify import causes, configuration, docker_archive
from tools.verify.entries import entries_of
from tools.verify.recorded import METADATA

type Json = dict[str, Any]

OWN = "cnb-python/python"
BUILD = "io.buildpacks.build.metadata"
MATERIAL = {"name": "six.whl", "digest": {"sha256": "1"}, "downloadLocation": "https://a/six.whl"}
CONFIG: Json = {
    "Entrypoint": ["/cnb/process/web"],
    "Env": ["PATH=/cnb/process", "A=b=c"],
    "Labels": {"io.buildpacks.project.metadata": '{"source": {"version": "1"}}'},
}
PROCESSES: Json = {"processes": [{"type": "web", "command": ["python"], "args": ["app.py"]}]}
LAYER: Json = {"sha": "sha256:1", "launch": True, "data": {"key": "1"}}


def metadata(material: Json = MATERIAL, layer: Json = LAYER) -> Json:
    store = {"metadata": {"materials": [json.dumps(material)], "other": "1"}}
    one = {"key": OWN, "version": "1", "layers": {"venv": layer}, "store": store}
    return {"app": [{"sha": "sha256:2"}], "buildpacks": [one], "runImage": {"reference": "a"}}


def archive(
    path: Path, config: Json, label: Json, processes: Json = PROCESSES, layer: bytes = b""
) -> Path:
    """Write an archive as Docker 20 does, with one layer twice."""
    config = deepcopy(config)
    config["Labels"] |= {METADATA: json.dumps(label), BUILD: json.dumps(processes)}
    diff_id = f"sha256:{hashlib.sha256(layer).hexdigest()}"
    document = {"architecture": "amd64", "os": "linux", "config": config}
    document["rootfs"] = {"type": "layers", "diff_ids": [diff_id, diff_id]}
    image = {"Config": "ab.json", "RepoTags": ["app"], "Layers": ["1/layer.tar", "2/layer.tar"]}
    files = {
        "ab.json": json.dumps(document).encode(),
        "manifest.json": json.dumps([image]).encode(),
        "1/layer.tar": layer,
    }
    with tarfile.open(path, "w") as target:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            target.addfile(entry, io.BytesIO(content))
        link = tarfile.TarInfo("2/layer.tar")
        link.type, link.linkname = tarfile.SYMTYPE, "../1/layer.tar"
        target.addfile(link)
    return path


def image(
    directory: Path,
    config: Json = CONFIG,
    label: Json | None = None,
    processes: Json = PROCESSES,
) -> oci.Image:
    path = archive(directory.with_suffix(".tar"), config, label or metadata(), processes)
    return docker_archive.to_layout(path, directory)


def test_archive_of_docker_is_read(tmp_path: Path) -> None:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as layer:
        layer.addfile(tarfile.TarInfo("app.py"))
    path = archive(tmp_path / "a.tar", CONFIG, metadata(), layer=content.getvalue())

    read = docker_archive.to_layout(path, tmp_path / "a")

    assert read.entrypoint == ("/cnb/process/web",)
    assert [layer.title for layer in read.layers] == [oci.RUN_IMAGE, oci.RUN_IMAGE]
    assert [list(entries_of(read.blob(layer))) for layer in read.layers] == 2 * [["app.py"]]


@pytest.mark.parametrize(
    "changed",
    [
        {"config": CONFIG | {"Hostname": "", "Volumes": None, "OnBuild": None}},
        {"config": CONFIG | {"Labels": {}}},
        {"label": metadata({**MATERIAL, "downloadLocation": "https://mirror/six.whl"})},
        {"label": metadata(layer={**LAYER, "sha": "sha256:3"})},
        {"label": metadata() | {"runImage": {"reference": "b"}}},
    ],
    ids=["empty", "source", "address", "digest", "run image"],
)
def test_what_is_no_part_of_the_result_may_differ(
    tmp_path: Path, changed: Mapping[str, Json]
) -> None:
    before, after = image(tmp_path / "before"), image(tmp_path / "after", **changed)

    assert configuration.difference(before, after) == ""


@pytest.mark.parametrize(
    ("changed", "difference", "cause"),
    [
        (
            {"config": CONFIG | {"Env": ["PATH=/cnb/process", "A=evil"]}},
            "Env.A: 'evil' (recorded: 'b=c')",
            "another lifecycle or run image",
        ),
        (
            {"config": CONFIG | {"Entrypoint": ["/bin/sh"]}},
            "Entrypoint[0]: '/bin/sh' (recorded: '/cnb/process/web')",
            "other processes",
        ),
        ({"config": CONFIG | {"User": "root"}}, "User: new", "another lifecycle, run image"),
        (
            {"processes": {"processes": [{**PROCESSES["processes"][0], "args": ["b.py"]}]}},
            f"Labels.{BUILD}.processes[0].args[0]: 'b.py' (recorded: 'app.py')",
            "other processes",
        ),
        (
            {"label": metadata({**MATERIAL, "digest": {"sha256": "2"}})},
            f"Labels.{METADATA}.{OWN}.store.materials[0].digest.sha256: '2' (recorded: '1')",
            "different download",
        ),
        (
            {"label": metadata(layer={**LAYER, "data": {"key": "2"}})},
            f"Labels.{METADATA}.{OWN}.layers.venv.data.key: '2' (recorded: '1')",
            "another lifecycle, run image or buildpack",
        ),
    ],
    ids=["variable", "entry point", "user", "process", "material", "key"],
)
def test_changed_configuration_is_named_with_its_likely_cause(
    tmp_path: Path, changed: Mapping[str, Json], difference: str, cause: str
) -> None:
    before, after = image(tmp_path / "before"), image(tmp_path / "after", **changed)

    assert configuration.difference(before, after) == difference
    assert causes.of_configuration(difference).startswith(cause)


def test_images_on_two_run_images_have_the_same_configuration_of_the_build(
    tmp_path: Path,
) -> None:
    config = CONFIG | {"Env": ["B=1"], "User": "7", "Labels": {"io.buildpacks.base.distro": "x"}}
    before, after = image(tmp_path / "before"), image(tmp_path / "after", config)

    assert configuration.difference(before, after, of_build=True) == ""


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"Entrypoint": ["/bin/sh"]}, "Entrypoint"),
        ({"Cmd": ["--reload"]}, "Cmd"),
        ({"WorkingDir": "/tmp/app"}, "WorkingDir"),
        ({"Env": ["CNB_APP_DIR=/tmp/app"]}, "Env.CNB_APP_DIR"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_the_lifecycle_sets_counts_on_every_run_image(
    tmp_path: Path, changed: Json, path: str
) -> None:
    before, after = image(tmp_path / "before"), image(tmp_path / "after", CONFIG | changed)

    assert configuration.difference(before, after, of_build=True).startswith(path)
