"""Builds an app in the steps of Tekton's task `buildpacks-phases`, which Tekton's catalog has.

The arguments, directories and variables are those of release 0.3:
https://github.com/tektoncd/catalog/blob/main/task/buildpacks-phases/0.3/buildpacks-phases.yaml
Its first and last step only read the builder's labels and the report.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.lifecycles.registry_builds import RegistryBuild, RegistryPlatform
from tools.platforms.build_request import BuildRequest
from tools.platforms.sandbox import Bind
from tools.platforms.work_folders import Folders
from tools.processes import run

_HOME = "/tekton/home"
# The workspace `source` of the task; its parameter SOURCE_SUBPATH, after the slash, is empty.
_SOURCE = "/workspace/source/"


@dataclass(frozen=True, slots=True)
class CatalogTask(RegistryPlatform):
    """A run of the task: each step is a container with the user of the builder."""

    tags: str = ""
    """The parameter TAGS."""
    process_type: str = ""
    """The parameter CNB_PROCESS_TYPE."""

    def build(self, app: Path) -> RegistryBuild:
        """Run the steps `analyze` to `export`."""
        steps = ((False, (*step, "-log-level=info", *end)) for step, end in self._steps())
        return RegistryBuild(self._phases(self._request(app), *steps), self.layers())

    def _steps(self) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
        """Yield the arguments of each step, and those after its options."""
        layers, source, platform = "-layers=/layers", f"-app={_SOURCE}", "-platform=/platform"
        group, plan = "-group=/layers/group.toml", "-plan=/layers/plan.toml"
        user = (f"-uid={self.platform.user}", f"-gid={self.platform.group}")
        common = (layers, *user, "-insecure-registry=", "-cache-image=")
        run_image = (f"-run-image={self.run_image}", f"-tag={self.tags}", "-skip-layers=false")
        yield ("analyzer", *common, *run_image), (self.image,)
        yield ("detector", source, layers, group, plan, platform), ()
        yield ("restorer", *common, group, "-cache-dir=/cache", "-skip-layers=false"), ()
        yield ("builder", source, layers, group, plan, platform), ()
        report = ("-report=/layers/report.toml", f"-process-type={self.process_type}")
        yield ("exporter", *common, source, group, "-cache-dir=/cache", *report), (self.image,)

    @property
    def digest(self) -> str:
        """The task's result APP_IMAGE_DIGEST."""
        report = Folders(self.work).fresh / "layers/report.toml"
        digest: str = tomllib.loads(report.read_text())["image"]["digest"]
        return digest

    def _request(self, app: Path) -> BuildRequest:
        # Not super(): a dataclass with slots is another class than the one defined here.
        request = RegistryPlatform._request(self, app)  # noqa: SLF001 - see above
        folders = Folders(self.work)
        pod, home = folders.fresh / "pod", folders.fresh / "home"
        for directory in (pod, home):
            directory.mkdir()
        # The step `prepare` does that.
        owner = f"{self.platform.user}:{self.platform.group}"
        run("chown", "-R", owner, pod, home, folders.cache)
        return BuildRequest(
            app=request.app,
            buildpacks=request.buildpacks,
            work=request.work,
            lifecycle_env={**request.lifecycle_env, "HOME": _HOME},
            binds=(
                Bind(pod, "/workspace", writable=True),
                Bind(folders.fresh / "workspace", _SOURCE.rstrip("/"), writable=True),
                Bind(home, _HOME, writable=True),
            ),
        )
