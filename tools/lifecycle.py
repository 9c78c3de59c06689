"""Runs the real lifecycle without a container engine, as a platform such as pack would.

Each build gets fresh `/layers`, `/workspace` and `/platform`; only the cache and the image layout
(the previous image) outlive it. The result is an OCI image layout whose layers lie at their true
paths and whose base is the run image. Needs root: mounts and owners are real.
"""

import json
import shutil
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools import cache, oci, real_tools, rootfs
from tools.processes import run
from tools.sandbox import Bind, Ended, Sandbox
from tools.sandbox import run as run_inside

PLATFORM_API = "0.15"
RUN_IMAGE = "cnb-python-run"
# Where the lifecycle files an image name that has neither registry nor tag.
FILED = "index.docker.io/library/{}/latest"


@dataclass(frozen=True, slots=True)
class Platform:
    """The pieces a build needs besides the app and the buildpacks."""

    build_rootfs: Path
    run_rootfs: Path
    run_image: Path
    """The run image, as `oci.write_base` writes it."""
    lifecycle: Path
    """The folder with `creator` and the other phases, and `launcher`."""
    user: int = 1001
    group: int = 1000


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """One build, as a value."""

    app: Path
    """Copied: the build never touches it."""
    buildpacks: tuple[Path, ...]
    """Complete trees with a `buildpack.toml`, tried as one group in this order."""
    work: Path
    """A directory of this app's builds, made if need be. Give it again to build with cache."""
    image: str = "app"
    env: Mapping[str, str] = field(default_factory=dict)
    """What `pack build --env` sets: files in `<platform>/env`."""
    bindings: Path | None = None
    """Directory of service bindings, `<name>/type` and so on, copied to `<platform>/bindings`."""
    lifecycle_env: Mapping[str, str] = field(default_factory=dict)
    """Added to the lifecycle's own environment: `CNB_EXEC_ENV`, proxies."""
    lifecycle_flags: tuple[str, ...] = ()
    """Added to the `creator`'s arguments, such as `-skip-restore`."""
    binds: tuple[Bind, ...] = ()
    """Further directories and files of the host to be seen inside."""
    network: bool = True
    umask: int = 0o022
    timeout: float = 900
    on_line: Callable[[str], None] | None = None
    """Called with each line of output as it comes."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a build left."""

    code: int | None
    """The lifecycle's exit code (spec: platform.md, "Exit codes"); None: it ran out of time."""
    output: str
    image: Path
    """The image's OCI layout; exists when the build succeeded."""
    layers: Path
    """The build's own `/layers`, until the next build."""
    workspace: Path
    """The build's own `/workspace`, until the next build."""


def standard() -> Platform:
    """The pinned lifecycle over this project's own base images, made the first time."""
    run_rootfs = rootfs.rootfs("run")
    facts = rootfs.base("run")
    pins = cache.digest(run_rootfs.name, repr(facts), Path(oci.__file__).read_bytes())

    def write(into: Path) -> None:
        oci.write_base(run_rootfs, into, facts.labels, facts.environment)

    return Platform(
        build_rootfs=rootfs.rootfs("build"),
        run_rootfs=run_rootfs,
        run_image=cache.made("run-image", pins, "Compressing the run image (5 seconds)", write),
        lifecycle=real_tools.lifecycle(),
        user=rootfs.base("build").user,
        group=facts.group,
    )


def create(platform: Platform, request: BuildRequest) -> Result:
    """Build an image with the lifecycle's `creator`, which starts as root and drops to the user.

    As with pack and a trusted builder: the buildpack runs as the image's user with group 0 beside.
    """
    folders = _Folders(request.work)
    folders.prepare(platform, request)
    _make_sparse(platform, folders.layout / FILED.format(request.image))
    previous = FILED.format(RUN_IMAGE)
    binds = (
        *_binds(platform, request, folders),
        Bind(folders.cache, "/cache", writable=True),
        Bind(folders.layout, "/layout", writable=True),
        Bind(platform.run_image / "layout", f"/layout/{previous}"),
    )
    creator = (
        "/cnb/lifecycle/creator",
        *("-app", "/workspace", "-layers", "/layers", "-platform", "/platform"),
        *("-buildpacks", "/cnb/buildpacks", "-order", "/cnb/order.toml"),
        *("-layout", "-layout-dir", "/layout", "-cache-dir", "/cache", "-run", "/cnb/run.toml"),
        *("-launcher", "/cnb/lifecycle/launcher"),
        *("-uid", str(platform.user), "-gid", str(platform.group)),
        *request.lifecycle_flags,
        request.image,
    )
    room = _room(platform, request, folders, binds)
    return folders.result(_run(room, request, creator), request)


def complete(platform: Platform, image: Path) -> None:
    """Add the run image's layer to a built image, which then is whole and may be copied away."""
    for blob in (platform.run_image / "layer").iterdir():
        there = image / "blobs/sha256" / blob.name
        if there.exists():
            continue
        try:
            there.hardlink_to(blob)
        except OSError:  # another file system
            shutil.copyfile(blob, there)


def _make_sparse(platform: Platform, image: Path) -> None:
    """Undo `complete`: reading a whole previous image costs seconds."""
    for blob in (platform.run_image / "layer").iterdir():
        (image / "blobs/sha256" / blob.name).unlink(missing_ok=True)


def detect(platform: Platform, request: BuildRequest) -> Result:
    """Run only the `detector`, as the build image's user and with no other group."""
    folders = _Folders(request.work)
    folders.prepare(platform, request)
    return folders.result(_phase("detector", platform, request, folders), request)


def detect_and_build(platform: Platform, request: BuildRequest) -> Result:
    """Run `detector` and, when it passes, `builder`, both as the build image's user.

    As an untrusted builder's phases do. Nothing is restored and no image is made: what the
    buildpack wrote is in `Result.layers`.
    """
    found = detect(platform, request)
    if found.code != 0:
        return found
    folders = _Folders(request.work)
    built = folders.result(_phase("builder", platform, request, folders), request)
    return Result(
        built.code, found.output + built.output, built.image, built.layers, built.workspace
    )


@dataclass(frozen=True, slots=True)
class _Folders:
    """The parts of a work directory."""

    work: Path

    @property
    def cache(self) -> Path:
        return self.work / "cache"

    @property
    def layout(self) -> Path:
        return self.work / "layout"

    @property
    def fresh(self) -> Path:
        """What each build starts anew."""
        return self.work / "fresh"

    def prepare(self, platform: Platform, request: BuildRequest) -> None:
        shutil.rmtree(self.fresh, ignore_errors=True)
        filed = (self.layout / FILED.format(request.image)).parent.parent
        for path in (self.cache, filed, self.fresh):
            path.mkdir(parents=True, exist_ok=True)
        for name in ("layers", "platform/env", "scratch", "tmp"):
            (self.fresh / name).mkdir(parents=True)
        (self.fresh / "tmp").chmod(0o1777)
        # cp keeps links, modes and times, and is fast; the owner is the build's, as with pack.
        run("cp", "-a", "--", request.app, self.fresh / "workspace")
        self._write_platform(request)
        self._write_order(request.buildpacks)
        owner = f"{platform.user}:{platform.group}"
        run("chown", "-R", owner, *(self.fresh / name for name in ("layers", "workspace")))
        # The creator gives itself the layers and the cache, but not the layout.
        run("chown", owner, filed)

    def _write_platform(self, request: BuildRequest) -> None:
        for name, value in request.env.items():
            (self.fresh / "platform/env" / name).write_text(value)
        if request.bindings:
            shutil.copytree(request.bindings, self.fresh / "platform/bindings", symlinks=True)

    def _write_order(self, buildpacks: Sequence[Path]) -> None:
        members = [_identity(buildpack) for buildpack in buildpacks]
        group = "".join(
            f"[[order.group]]\nid = {json.dumps(name)}\nversion = {json.dumps(version)}\n"
            for name, version in members
        )
        (self.fresh / "order.toml").write_text(f"[[order]]\n{group}")
        (self.fresh / "run.toml").write_text(f'[[images]]\nimage = "{RUN_IMAGE}"\n')

    def result(self, ended: Ended, request: BuildRequest) -> Result:
        image = self.layout / FILED.format(request.image)
        return Result(
            ended.code, ended.output, image, self.fresh / "layers", self.fresh / "workspace"
        )


def _phase(name: str, platform: Platform, request: BuildRequest, folders: _Folders) -> Ended:
    paths = ["-app", "/workspace", "-layers", "/layers", "-platform", "/platform"]
    order = ["-order", "/cnb/order.toml", "-run", "/cnb/run.toml"] if name == "detector" else []
    room = _room(platform, request, folders, _binds(platform, request, folders), drop=True)
    phase = (f"/cnb/lifecycle/{name}", "-buildpacks", "/cnb/buildpacks", *paths, *order)
    return _run(room, request, phase)


def _run(room: Sandbox, request: BuildRequest, program: tuple[str, ...]) -> Ended:
    return run_inside(room, *program, timeout=request.timeout, on_line=request.on_line)


def _room(
    platform: Platform,
    request: BuildRequest,
    folders: _Folders,
    binds: tuple[Bind, ...],
    *,
    drop: bool = False,
) -> Sandbox:
    env = {
        # An image's environment, plus what an engine adds by itself.
        **rootfs.base("build").environment,
        "HOME": "/home/cnb" if drop else "/root",
        "HOSTNAME": "cnb-python",
        "CNB_PLATFORM_API": PLATFORM_API,
        # OCI layouts are an experimental feature of the lifecycle, refused by default.
        "CNB_EXPERIMENTAL_MODE": "quiet",
        "CNB_NO_COLOR": "true",
        **request.lifecycle_env,
    }
    return Sandbox(
        lower=(platform.build_rootfs,),
        scratch=folders.fresh / "scratch",
        binds=binds,
        user=platform.user if drop else 0,
        group=platform.group if drop else 0,
        umask=request.umask,
        network=request.network,
        env=env,
        directory="/",
    )


def _binds(platform: Platform, request: BuildRequest, folders: _Folders) -> tuple[Bind, ...]:
    fresh = folders.fresh
    return (
        Bind(platform.lifecycle, "/cnb/lifecycle"),
        *(Bind(tree, _home(tree)) for tree in request.buildpacks),
        Bind(fresh / "order.toml", "/cnb/order.toml"),
        Bind(fresh / "run.toml", "/cnb/run.toml"),
        Bind(fresh / "platform", "/platform"),
        Bind(fresh / "layers", "/layers", writable=True),
        Bind(fresh / "workspace", "/workspace", writable=True),
        Bind(fresh / "tmp", "/tmp", writable=True),  # noqa: S108 - a container's own
        *request.binds,
    )


def _identity(buildpack: Path) -> tuple[str, str]:
    """Id and version of a buildpack tree."""
    facts = tomllib.loads((buildpack / "buildpack.toml").read_text())["buildpack"]
    return facts["id"], facts["version"]


def _home(buildpack: Path) -> str:
    name, version = _identity(buildpack)
    return f"/cnb/buildpacks/{name.replace('/', '_')}/{version}"
