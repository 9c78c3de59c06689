"""Builds phase by phase against a registry, as kpack and Tekton do."""

import gzip
import hashlib
import io
import json
import tarfile
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.builds import Builds
from tools.bench.registry import published
from tools.platforms import lifecycle
from tools.platforms.build_request import BuildRequest, Platform
from tools.platforms.sandbox import Bind
from tools.platforms.work_folders import Folders

RUN = "run:1"
_BUILDPACKS = ("-buildpacks", "/cnb/buildpacks")
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


@dataclass(frozen=True, slots=True)
class RegistryBuild:
    """The result of the five phases."""

    output: str
    layers: dict[str, str]
    """The digest of each layer of the buildpack in the image, by its name."""


@dataclass(frozen=True, slots=True)
class RegistryPlatform:
    """A platform that keeps its images in a registry."""

    builds: Builds
    platform: Platform
    work: Path
    """For the directories of a build, and a volume with the cache."""
    registry: str
    api: str
    cache_image: bool = False
    """Whether the cache is an image in the registry."""
    home: str = ""
    """The directory with `layers` and `workspace`."""
    env: Mapping[str, str] = field(default_factory=dict)
    """More variables of the build."""
    tag: str = "1"
    previous: str = ""
    """The tag of the image to take layers from; empty: that of *tag*."""

    @property
    def image(self) -> str:
        """The name of the app's image."""
        return self._named(self.tag)

    def _named(self, tag: str) -> str:
        return f"{self.registry}/app-{self.api}:{tag}"

    @property
    def run_image(self) -> str:
        """The name of the run image."""
        return f"{self.registry}/{RUN}"

    def build(self, app: Path) -> RegistryBuild:
        """Run analyzer, detector, restorer, builder and exporter."""
        user = ("-uid", str(self.platform.user), "-gid", str(self.platform.group))
        layers, workspace = ("-layers", f"{self.home}/layers"), ("-app", f"{self.home}/workspace")
        paths = (*layers, "-platform", "/platform", *workspace)
        cache = ("-cache-image", f"{self.registry}/cache-{self.api}:1")
        read_and_write = cache if self.cache_image else ("-cache-dir", "/cache")
        checked = cache if self.cache_image else ()
        launcher = ("-launcher", "/cnb/lifecycle/launcher")
        run_image = ("-run-image", self.run_image)
        previous = ("-previous-image", self._named(self.previous)) if self.previous else ()
        output = self._phases(
            self._request(app),
            (True, ("analyzer", *layers, *user, *run_image, *previous, *checked, self.image)),
            (False, ("detector", *paths, *_BUILDPACKS, "-order", "/cnb/order.toml")),
            (True, ("restorer", *layers, *read_and_write, *user)),
            (False, ("builder", *paths, *_BUILDPACKS)),
            (
                True,
                (
                    *("exporter", *layers, *workspace),
                    *(*read_and_write, *user, *launcher, self.image),
                ),
            ),
        )
        return RegistryBuild(output, self.layers())

    def rebase(self, app: Path) -> str:
        """Put the image of *app* on the run image that the registry has now; return the output."""
        user = ("-uid", str(self.platform.user), "-gid", str(self.platform.group))
        request = self._request(app)
        rebaser = ("rebaser", *user, "-run-image", self.run_image, self.image)
        return self._phases(request, (True, rebaser))

    def layers(self) -> dict[str, str]:
        """Return the digest of each layer of the buildpack in the image, by its name."""
        metadata = json.loads(published(self.image).labels["io.buildpacks.lifecycle.metadata"])
        own = next(each for each in metadata["buildpacks"] if each["key"] == "cnb-python/python")
        return {name: layer["sha"] for name, layer in own["layers"].items()}

    def diff_ids(self, image: str) -> list[str]:
        """Return the digests of the unpacked layers of *image*, the lowest first."""
        return [*published(image).sizes]

    def _request(self, app: Path) -> BuildRequest:
        request = BuildRequest(
            app=app,
            buildpacks=(self.builds.buildpack,),
            work=self.work,
            env={**self.builds.settings, **self.env},
            lifecycle_env={"CNB_PLATFORM_API": self.api, "CNB_STACK_ID": "*"},
            binds=tuple(
                Bind(self.work / "fresh" / name, f"{self.home}/{name}", writable=True)
                for name in ("layers", "workspace")
                if self.home
            ),
        )
        folders = Folders(self.work)
        folders.prepare(self.platform, request)
        (folders.fresh / "run.toml").write_text(f'[[images]]\nimage = "{self.run_image}"\n')
        return request

    def _phases(self, request: BuildRequest, *steps: tuple[bool, tuple[str, ...]]) -> str:
        output = []
        for as_root, command in steps:
            ended = lifecycle.phase(self.platform, request, *command, as_root=as_root)
            output.append(ended.output)
            assert ended.code == 0, "\n".join(output)
        return "\n".join(output)


def push(directory: Path, blobs: Path, registry: str, name: str, added: str = "") -> None:
    """Push the image in the layout *directory*, whose layers are in *blobs*, as *name*.

    *added*: the name of an empty file, in one more layer.
    """
    index = json.loads((directory / "index.json").read_text())
    stored = directory / "blobs/sha256"
    entry = index["manifests"][0]
    manifest = json.loads((stored / entry["digest"].removeprefix("sha256:")).read_bytes())
    digests = [part["digest"] for part in (manifest["config"], *manifest["layers"])]
    paths = [digest.removeprefix("sha256:") for digest in digests]
    contents = [
        (p if (p := stored / path).exists() else blobs / path).read_bytes() for path in paths
    ]
    if added:
        archive = _archive(added)
        config = json.loads(contents[0])
        config["rootfs"]["diff_ids"].append(_digest(archive))
        # A rebase takes as many layers as there are entries of history.
        config.setdefault("history", []).append({"created_by": added})
        contents = [json.dumps(config).encode(), *contents[1:], gzip.compress(archive, mtime=0)]
        manifest["config"] |= _described(contents[0])
        manifest["layers"].append({"mediaType": _LAYER} | _described(contents[-1]))
    repository, _, tag = name.partition(":")
    for content in contents:
        location = _send("POST", f"http://{registry}/v2/{repository}/blobs/uploads/", b"")
        mark = "&" if "?" in location else "?"
        _send("PUT", f"{location}{mark}digest={_digest(content)}", content)
    url = f"http://{registry}/v2/{repository}/manifests/{tag}"
    _send("PUT", url, json.dumps(manifest).encode(), entry["mediaType"])


def _archive(name: str) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(name))
    return stream.getvalue()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _described(content: bytes) -> dict[str, str | int]:
    return {"digest": _digest(content), "size": len(content)}


def _send(method: str, url: str, content: bytes, kind: str = "application/octet-stream") -> str:
    request = urllib.request.Request(url, content, {"Content-Type": kind}, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=60) as answer:
        location: str = answer.headers.get("Location", "")
    return location
