"""Builds phase by phase against a registry, as kpack and Tekton do."""

import json
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tests.support.builds import Builds
from tools.bench.registry import published
from tools.platforms import lifecycle
from tools.platforms.build_request import BuildRequest, Platform
from tools.platforms.work_folders import Folders

RUN = "run:1"
_PATHS = ("-layers", "/layers", "-platform", "/platform", "-app", "/workspace")
_BUILDPACKS = ("-buildpacks", "/cnb/buildpacks")


@dataclass(frozen=True, slots=True)
class RegistryBuild:
    """The result of the five phases."""

    output: str
    layers: dict[str, str]
    """The digest of each layer of the buildpack in the image, by its name."""


def push(directory: Path, blobs: Path, registry: str, name: str) -> None:
    """Push the image in the layout *directory*, whose layers are in *blobs*, as *name*."""
    index = json.loads((directory / "index.json").read_text())
    stored = directory / "blobs/sha256"
    entry = index["manifests"][0]
    manifest = (stored / entry["digest"].removeprefix("sha256:")).read_bytes()
    document = json.loads(manifest)
    repository, _, tag = name.partition(":")
    for part in (document["config"], *document["layers"]):
        digest = part["digest"].removeprefix("sha256:")
        path = stored / digest if (stored / digest).exists() else blobs / digest
        location = _send("POST", f"http://{registry}/v2/{repository}/blobs/uploads/", b"")
        mark = "&" if "?" in location else "?"
        _send("PUT", f"{location}{mark}digest=sha256:{digest}", path.read_bytes())
    url = f"http://{registry}/v2/{repository}/manifests/{tag}"
    _send("PUT", url, manifest, entry["mediaType"])


def _send(method: str, url: str, content: bytes, kind: str = "application/octet-stream") -> str:
    request = urllib.request.Request(url, content, {"Content-Type": kind}, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=60) as answer:
        location: str = answer.headers.get("Location", "")
    return location


def build(
    builds: Builds, platform: Platform, app: Path, work: Path, registry: str, api: str
) -> RegistryBuild:
    """Run analyzer, detector, restorer, builder and exporter, with the cache in *work*."""
    image = f"{registry}/app-{api}:1"
    request = BuildRequest(
        app=app,
        buildpacks=(builds.buildpack,),
        work=work,
        env=builds.settings,
        lifecycle_env={"CNB_PLATFORM_API": api, "CNB_STACK_ID": "*"},
    )
    Folders(work).prepare(platform, request)
    user = ("-uid", str(platform.user), "-gid", str(platform.group))
    run_image = ("-run-image", f"{registry}/{RUN}")
    layers_and_app = ("-layers", "/layers", "-app", "/workspace")
    launcher = ("-launcher", "/cnb/lifecycle/launcher")
    cached = ("-cache-dir", "/cache", *user)
    steps = (
        (True, ("analyzer", "-layers", "/layers", *user, *run_image, image)),
        (False, ("detector", *_PATHS, *_BUILDPACKS, "-order", "/cnb/order.toml")),
        (True, ("restorer", "-layers", "/layers", *cached)),
        (False, ("builder", *_PATHS, *_BUILDPACKS)),
        (True, ("exporter", *layers_and_app, *cached, *launcher, image)),
    )
    output = []
    for as_root, command in steps:
        ended = lifecycle.phase(platform, request, *command, as_root=as_root)
        output.append(ended.output)
        assert ended.code == 0, "\n".join(output)
    labels = published(image).labels
    metadata = json.loads(labels["io.buildpacks.lifecycle.metadata"])
    own = next(each for each in metadata["buildpacks"] if each["key"] == "cnb-python/python")
    return RegistryBuild(
        "\n".join(output), {name: layer["sha"] for name, layer in own["layers"].items()}
    )
