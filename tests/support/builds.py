"""Builds apps under the real lifecycle: `builds.image(app)`, `builds.phases(app)`.

One `Builds` serves a test session. Each build has a directory of its own, a copy of the one of an
earlier build if it continues that.
"""

import itertools
import json
import shutil
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
# What precedes the address at the end of an error.
MORE = "\n\nMore: "


@dataclass(frozen=True)
class Built:
    """The result of a build."""

    code: int | None
    output: str = field(repr=False)
    """The output of the buildpack and the lifecycle."""
    work: Path
    layers: Path
    """The buildpack's own directory of layers, as the build phase left it."""
    workspace: Path
    directory: Path
    """The image layout."""

    @property
    def error(self) -> str:
        """The one error message of the buildpack: the title, then the text below it.

        The address of its section in the documentation is left out.
        """
        assert self.output.count("[Error: ") == 1, self.output
        # A traceback of a tool would be indented.
        assert "\nTraceback" not in self.output, self.output
        title, text = self.output.partition("[Error: ")[2].split("]\n", 1)
        return (
            f"{title}\n{text.partition('ERROR: failed to build')[0].partition(MORE)[0].rstrip()}"
        )

    @property
    def scratch(self) -> list[str]:
        """The names of the files that the build left in `/tmp`."""
        return [path.name for path in (self.work / "fresh/tmp").iterdir()]

    @property
    def image(self) -> oci.Image:
        return oci.read(self.directory)

    def layer(self, name: str) -> oci.Layer:
        """Return the image's layer *name*."""
        title = f"cnb-python/python:{name}"
        return next(layer for layer in self.image.layers if layer.title == title)

    def names(self, layer: str) -> list[str]:
        """Return the paths in the image's layer *layer*."""
        return run("tar", "-tf", self.image.blob(self.layer(layer))).splitlines()

    def documents(self) -> dict[str, dict[str, Any]]:
        """Return each TOML file of the buildpack's layers, by name."""
        return {path.name: tomllib.loads(path.read_text()) for path in self.layers.glob("*.toml")}

    def labels(self) -> dict[str, Any]:
        """Return the labels that contain JSON, which are those of the lifecycle."""
        labels = self.image.labels.items()
        return {name: json.loads(text) for name, text in labels if text.startswith("{")}

    def materials(self) -> dict[str, str]:
        """Return the digest of each file and commit that the image's build downloaded, by name."""
        buildpacks = self.labels()["io.buildpacks.lifecycle.metadata"]["buildpacks"]
        rows = next(each["store"]["metadata"]["materials"] for each in buildpacks if each["store"])
        downloaded = ("package", "build requirement")
        parsed = [json.loads(row) for row in rows]
        return {
            row["name"]: ":".join(*row["digest"].items())
            for row in parsed
            if row["annotations"]["kind"] in downloaded
        }

    @cached_property
    def root(self) -> Path:
        """The layers of the image, extracted by this process."""
        directory = tempfile.mkdtemp(prefix="root-", dir=self.work.parent)
        return unpack(self.image, Path(directory) / "root")

    def __getstate__(self) -> dict[str, Any]:
        """Return everything except `root`, which each process extracts itself."""
        return {name: value for name, value in vars(self).items() if name != "root"}

    @contextmanager
    def serve(
        self,
        process: str | None = None,
        *args: str,
        env: Mapping[str, str] | None = None,
        root: Path | None = None,
        writable_tmp: bool = False,
        run_rootfs: Path | None = None,
        binds: tuple[Bind, ...] = (),
    ) -> Iterator[Served]:
        """Run a process of the image as a user that it does not know, read-only, confined.

        *root* replaces `root`: a changed copy of it. *writable_tmp*: `/tmp` is writable.
        *run_rootfs*: the contents of another run image.
        *binds*: directories of this machine in the container.
        """
        start = Start(
            self.directory,
            free_port(),
            process,
            args,
            env,
            writable_tmp=writable_tmp,
            binds=binds,
            layers=root or self.root,
            run_rootfs=run_rootfs,
        )
        with serving(start) as served:
            yield served

    def run(
        self, *command: str, env: Mapping[str, str] | None = None, root: Path | None = None
    ) -> str:
        """Return the output of *command* with the environment variables of the image."""
        with self.serve("launcher", "--", *command, env=env, root=root) as served:
            served.process.wait(30)
            return served.output


class BuildOptions(TypedDict, total=False):
    """How a build differs from a default one."""

    buildpack: Path
    """A tree in place of the packaged one."""
    env: Mapping[str, str]
    """Variables of `pack build --env`, which override the session's."""
    lifecycle_env: Mapping[str, str]
    """Added to the environment of the lifecycle itself."""
    bindings: Path
    binds: tuple[Bind, ...]
    earlier: tuple[Path, ...]
    """Trees of earlier buildpacks."""
    beside: tuple[Path, ...]
    """Trees of later buildpacks."""
    network: bool
    umask: int


@dataclass(frozen=True, slots=True)
class Builds:
    """Everything that a build needs besides the app."""

    platform: Platform
    buildpack: Path
    """The packaged tree."""
    settings: Mapping[str, str]
    """Variables of each build: the mirror of Pythons, and how this machine reaches an index."""
    directory: Path
    """The directory of all builds."""
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def image(
        self, app: Path, after: Built | None = None, **options: Unpack[BuildOptions]
    ) -> Built:
        """Build with the `creator`, after the build *after*: with its cache and image."""
        return self._build(lifecycle.create, app, after, **options)

    def phases(
        self,
        app: Path,
        after: Built | None = None,
        layers: Path | None = None,
        **options: Unpack[BuildOptions],
    ) -> Built:
        """Run `detector` and `builder` as the build image's user, without making an image.

        *after*: with the layers that a restorer would restore of that build and its image.
        *layers*: the directory to build in.
        """
        layers = self.restored(after) if after else layers
        if layers:
            bind = Bind(layers, "/layers", writable=True)
            options["binds"] = (*options.get("binds", ()), bind)
        built = self._build(lifecycle.detect_and_build, app, None, **options)
        return replace(built, layers=layers / BUILDPACK) if layers else built

    def restored(self, build: Built) -> Path:
        """Make a directory of layers as a restorer does after *build*, from cache and image.

        Restores the metadata of the image's layers, with their SBOMs, and the contents of cached
        ones too, but not the layer types, which the next build sets again.
        """
        layers = self._fresh("layers")
        own = layers / BUILDPACK
        own.mkdir()
        for name, document in build.documents().items():
            types = document.get("types", {})
            if types.get("cache"):
                # Hard links, since builds replace these large files but never write to them.
                run("cp", "-al", "--", build.layers / name.removesuffix(".toml"), own)
            # A layer for a build consumer is not restored: the next build may have none.
            in_image = types.get("launch") and not types.get("build")
            if types.get("cache") or in_image or name == "store.toml":
                (own / name).write_text(tomli_w.dumps({"metadata": document["metadata"]}))
        for sbom in build.layers.glob("*.sbom.*"):
            if not sbom.name.startswith("build."):
                shutil.copyfile(sbom, own / sbom.name)
        run("chown", f"{self.platform.user}:{self.platform.group}", layers, own, *own.iterdir())
        return layers

    def detect(self, app: Path, **options: Unpack[BuildOptions]) -> Built:
        """Run only the `detector`."""
        return self._build(lifecycle.detect, app, None, **options)

    def phase(
        self,
        name: str,
        app: Path,
        *args: str,
        env: Mapping[str, str] | None = None,
        umask: int = 0o022,
        tree: Path | None = None,
    ) -> Ended:
        """Run bin/*name* alone, with the variables of a lifecycle and *env*.

        Runs as the build image's user in *app*, not in a copy; it writes to `/tmp`.
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

    def _build(
        self,
        run_phases: Callable[[Platform, BuildRequest], Result],
        app: Path,
        after: Built | None,
        **options: Unpack[BuildOptions],
    ) -> Built:
        work = self._copy_work(after) if after else self._fresh("build")
        request = BuildRequest(
            app=app,
            buildpacks=(
                *options.get("earlier", ()),
                options.get("buildpack", self.buildpack),
                *options.get("beside", ()),
            ),
            work=work,
            env={**self.settings, **options.get("env", {})},
            lifecycle_env=options.get("lifecycle_env", {}),
            bindings=options.get("bindings"),
            binds=options.get("binds", ()),
            network=options.get("network", True),
            umask=options.get("umask", 0o022),
        )
        result = run_phases(self.platform, request)
        own = result.layers / BUILDPACK
        return Built(result.code, result.output, work, own, result.workspace, result.image)

    def _copy_work(self, after: Built) -> Path:
        """Copy the directory of an earlier build, from which other tests may continue too."""
        work = self._fresh("build")
        # With owners: the lifecycle changes those of the cache, but not of the layout.
        run("cp", "-a", "--", after.work / "cache", after.work / "layout", work)
        return work

    def _fresh(self, name: str) -> Path:
        path = self.directory / f"{name}-{next(self.numbers)}"
        path.mkdir(parents=True)
        return path


def fixture(name: str) -> Path:
    """Return the directory of a sample app."""
    return FIXTURES / name


def free_port() -> int:
    """Return a free port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
