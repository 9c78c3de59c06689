"""Builds apps under the real lifecycle: `builds.image(app)`, `builds.phases(app)`.

One `Builds` serves a test session. Each build gets a directory of its own unless it is told to go
on in that of an earlier one.
"""

import itertools
import json
import socket
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypedDict, Unpack

import tomli_w

from tools.package import assemble
from tools.platforms import lifecycle, oci, sandbox
from tools.platforms.lifecycle import BuildRequest, Platform, Result
from tools.platforms.sandbox import Bind, Ended, Sandbox
from tools.platforms.serving import Served, Start, serving, unpack
from tools.processes import run

BUILDPACK = "cnb-python_python"
FIXTURES = assemble.ROOT / "fixtures"
INSIDE = "/cnb/buildpack"


@dataclass(frozen=True)
class Built:
    """What a build left."""

    code: int | None
    output: str = field(repr=False)
    """What the buildpack and the lifecycle printed."""
    work: Path
    layers: Path
    """The buildpack's own directory of layers, as the build phase left it."""
    workspace: Path
    directory: Path
    """The image layout."""

    @property
    def error(self) -> str:
        """The one error the buildpack explained: its title, then the text below it."""
        assert self.output.count("[Error: ") == 1, self.output
        # A tool's own would be indented.
        assert "\nTraceback" not in self.output, self.output
        title, text = self.output.partition("[Error: ")[2].split("]\n", 1)
        return f"{title}\n{text.partition('ERROR: failed to build')[0].rstrip()}"

    @property
    def scratch(self) -> list[str]:
        """What the build left in `/tmp`."""
        return [path.name for path in (self.work / "fresh/tmp").iterdir()]

    @property
    def image(self) -> oci.Image:
        return oci.read(self.directory)

    def layer(self, name: str) -> oci.Layer:
        """The image's layer *name*."""
        title = f"cnb-python/python:{name}"
        return next(layer for layer in self.image.layers if layer.title == title)

    def names(self, layer: str) -> list[str]:
        """The paths in the image's layer *layer*."""
        return run("tar", "-tf", self.image.blob(self.layer(layer))).splitlines()

    def documents(self) -> dict[str, dict[str, Any]]:
        """Every TOML file the buildpack wrote, by name."""
        return {path.name: tomllib.loads(path.read_text()) for path in self.layers.glob("*.toml")}

    def labels(self) -> dict[str, Any]:
        """The labels that the lifecycle keeps its own JSON in."""
        labels = self.image.labels.items()
        return {name: json.loads(text) for name, text in labels if text.startswith("{")}

    @cached_property
    def root(self) -> Path:
        """What the build added to the run image, extracted by and for this process."""
        return unpack(self.image, Path(tempfile.mkdtemp(prefix="root-")) / "root")

    def __getstate__(self) -> dict[str, Any]:
        """Everything but `root`, which another process makes for itself."""
        return {name: value for name, value in vars(self).items() if name != "root"}

    @contextmanager
    def serve(
        self,
        process: str | None = None,
        *args: str,
        env: Mapping[str, str] | None = None,
        root: Path | None = None,
    ) -> Iterator[Served]:
        """Run a process of the image, read-only and as a user that the image does not know.

        *root*: a changed copy of `root`, as the container sees it.
        """
        wanted = Start(
            self.directory,
            free_port(),
            process,
            args,
            env,
            writable_tmp=False,
            layers=root or self.root,
        )
        with serving(wanted) as served:
            yield served

    def run(
        self, *command: str, env: Mapping[str, str] | None = None, root: Path | None = None
    ) -> str:
        """Give the output of *command* in the image's own environment."""
        with self.serve("launcher", "--", *command, env=env, root=root) as served:
            served.process.wait(30)
            return served.output


class Wanted(TypedDict, total=False):
    """How a build differs from an ordinary one."""

    buildpack: Path
    """Another tree than the packaged one."""
    env: Mapping[str, str]
    """What `pack build --env` sets, over the session's settings."""
    lifecycle_env: Mapping[str, str]
    """Added to the environment of the lifecycle itself."""
    bindings: Path
    binds: tuple[Bind, ...]
    beside: tuple[Path, ...]
    """Trees of further buildpacks, which come after ours."""
    network: bool
    umask: int


@dataclass(frozen=True, slots=True)
class Builds:
    """Everything a build needs besides the app."""

    platform: Platform
    buildpack: Path
    """The packaged tree."""
    settings: Mapping[str, str]
    """What every build is told: where interpreters are, and how an index is reached from here."""
    directory: Path
    """Where builds happen."""
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def image(self, app: Path, after: Built | None = None, **wanted: Unpack[Wanted]) -> Built:
        """Build with the `creator`; *after*: with the cache and the image of that build."""
        return self._built(lifecycle.create, app, after, **wanted)

    def phases(
        self,
        app: Path,
        after: Built | None = None,
        layers: Path | None = None,
        **wanted: Unpack[Wanted],
    ) -> Built:
        """Run `detector` and `builder` as the build image's user; no image comes of it.

        *after*: with what a restorer would restore of that build and its image; *layers*: in that
        directory.
        """
        layers = self.restored(after) if after else layers
        if layers:
            bind = Bind(layers, "/layers", writable=True)
            wanted["binds"] = (*wanted.get("binds", ()), bind)
        built = self._built(lifecycle.detect_and_build, app, None, **wanted)
        return replace(built, layers=layers / BUILDPACK) if layers else built

    def restored(self, build: Built) -> Path:
        """Make a directory of layers as a restorer does after *build*, cache and image kept.

        Of an image's layers their metadata alone, of cached ones the contents too. Which types
        they had is not restored: the next build says so anew.
        """
        layers = self._fresh("layers")
        own = layers / BUILDPACK
        own.mkdir()
        for name, document in build.documents().items():
            types = document.get("types", {})
            if types.get("cache"):
                # Linked: large files, which are replaced now and then but never rewritten.
                run("cp", "-al", "--", build.layers / name.removesuffix(".toml"), own)
            # Another buildpack may have wanted to see it, and nobody knows whether it does now.
            in_image = types.get("launch") and not types.get("build")
            if types.get("cache") or in_image or name == "store.toml":
                (own / name).write_text(tomli_w.dumps({"metadata": document["metadata"]}))
        run("chown", f"{self.platform.user}:{self.platform.group}", layers, own, *own.iterdir())
        return layers

    def detect(self, app: Path, **wanted: Unpack[Wanted]) -> Built:
        """Run the `detector` alone."""
        return self._built(lifecycle.detect, app, None, **wanted)

    def phase(
        self,
        name: str,
        app: Path,
        *args: str,
        env: Mapping[str, str] | None = None,
        umask: int = 0o022,
        tree: Path | None = None,
    ) -> Ended:
        """Run bin/*name* by itself, with the variables a lifecycle sets and no others but *env*.

        It is the build image's user who runs it, in *app* itself; files are left in `/tmp`.
        """
        variables = {
            "CNB_BUILDPACK_DIR": INSIDE,
            "CNB_PLATFORM_DIR": "/platform",
            "CNB_BUILD_PLAN_PATH": "/tmp/plan.toml",
            "CNB_LAYERS_DIR": "/tmp",
            "CNB_BP_PLAN_PATH": "/dev/null",
            "CNB_TARGET_OS": "linux",
            "CNB_TARGET_ARCH": oci.arch(),
            **(env or {}),
        }
        room = Sandbox(
            lower=(self.platform.build_rootfs,),
            scratch=self._fresh("scratch"),
            binds=(Bind(app, "/workspace"), Bind(tree or self.buildpack, INSIDE)),
            read_only=True,
            tmpfs=("/tmp",),
            user=self.platform.user,
            group=self.platform.group,
            umask=umask,
            env={name: value for name, value in variables.items() if value},
            directory="/workspace",
        )
        return sandbox.run(room, f"{INSIDE}/bin/{name}", *args, timeout=60)

    def _built(
        self,
        do: Callable[[Platform, BuildRequest], Result],
        app: Path,
        after: Built | None,
        **wanted: Unpack[Wanted],
    ) -> Built:
        work = self._continued(after) if after else self._fresh("build")
        request = BuildRequest(
            app=app,
            buildpacks=(wanted.get("buildpack", self.buildpack), *wanted.get("beside", ())),
            work=work,
            env={**self.settings, **wanted.get("env", {})},
            lifecycle_env=wanted.get("lifecycle_env", {}),
            bindings=wanted.get("bindings"),
            binds=wanted.get("binds", ()),
            network=wanted.get("network", True),
            umask=wanted.get("umask", 0o022),
        )
        result = do(self.platform, request)
        own = result.layers / BUILDPACK
        return Built(result.code, result.output, work, own, result.workspace, result.image)

    def _continued(self, after: Built) -> Path:
        """Copy the directory of an earlier build, which others may want to go on from too."""
        work = self._fresh("build")
        # With its owners: the lifecycle gives itself the layers and the cache, not the layout.
        run("cp", "-a", "--", after.work / "cache", after.work / "layout", work)
        return work

    def _fresh(self, name: str) -> Path:
        path = self.directory / f"{name}-{next(self.numbers)}"
        path.mkdir(parents=True)
        return path


def fixture(name: str) -> Path:
    """One of the project's sample apps."""
    return FIXTURES / name


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
