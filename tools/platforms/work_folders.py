"""The directories on the host for a build with the real lifecycle, such as `/layers`."""

import json
import shutil
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.platforms.build_request import BuildRequest, Platform, Result
from tools.platforms.sandbox import Ended
from tools.processes import run

# With a registry, since a name without one is that of an image in a public registry.
REGISTRY = "cnb-python.localhost"
RUN_IMAGE = f"{REGISTRY}/cnb-python-run"
# The path of an image without a tag in a layout of the lifecycle.
FILED = "{}/latest"


def named(request: BuildRequest) -> str:
    """Return the full name of the image of *request*."""
    return f"{REGISTRY}/{request.image}"


@dataclass(frozen=True, slots=True)
class Folders:
    """The parts of a work directory."""

    work: Path

    @property
    def cache(self) -> Path:
        """The cache for the next build."""
        return self.work / "cache"

    @property
    def layout(self) -> Path:
        """The layouts of the run image and the built image."""
        return self.work / "layout"

    @property
    def fresh(self) -> Path:
        """The directories that each build makes again."""
        return self.work / "fresh"

    def prepare(self, platform: Platform, request: BuildRequest) -> None:
        """Make the directories of a build: the app, the platform, empty layers."""
        shutil.rmtree(self.fresh, ignore_errors=True)
        filed = (self.layout / FILED.format(named(request))).parent.parent
        for path in (self.cache, filed, self.fresh):
            path.mkdir(parents=True, exist_ok=True)
        for name in ("layers", "platform/env", "scratch", "tmp"):
            (self.fresh / name).mkdir(parents=True)
        (self.fresh / "tmp").chmod(0o1777)
        # cp keeps links, modes and times; the owner is the build's user, as with pack.
        run("cp", "-a", "--", request.app, self.fresh / "workspace")
        self._write_platform(request)
        self._write_order(request.buildpacks)
        owner = f"{platform.user}:{platform.group}"
        run("chown", "-R", owner, *(self.fresh / name for name in ("layers", "workspace")))
        # The creator changes the owner of the layers and the cache, but not of the layout.
        run("chown", owner, filed)

    def _write_platform(self, request: BuildRequest) -> None:
        for name, value in request.env.items():
            (self.fresh / "platform/env" / name).write_text(value)
        if request.bindings:
            shutil.copytree(request.bindings, self.fresh / "platform/bindings", symlinks=True)

    def _write_order(self, buildpacks: Sequence[Path]) -> None:
        members = [identity(buildpack) for buildpack in buildpacks]
        group = "".join(
            f"[[order.group]]\nid = {json.dumps(name)}\nversion = {json.dumps(version)}\n"
            for name, version in members
        )
        (self.fresh / "order.toml").write_text(f"[[order]]\n{group}")
        (self.fresh / "run.toml").write_text(f'[[images]]\nimage = "{RUN_IMAGE}"\n')

    def result(self, ended: Ended, request: BuildRequest) -> Result:
        """Return the result of a phase."""
        image = self.layout / FILED.format(named(request))
        return Result(
            ended.code, ended.output, image, self.fresh / "layers", self.fresh / "workspace"
        )


def identity(buildpack: Path) -> tuple[str, str]:
    """Return id and version of a buildpack tree."""
    facts = tomllib.loads((buildpack / "buildpack.toml").read_text())["buildpack"]
    return facts["id"], facts["version"]
