"""Runs the real lifecycle without a container engine, as a platform such as pack would.

Each build gets new `/layers`, `/workspace` and `/platform`; only the cache and the image layout
(the previous image) are kept. The result is an OCI image layout on the run image. Needs root for
mounts and owners of files.
"""

import shutil
from pathlib import Path

from tools import cache
from tools.platforms import oci, real_tools, rootfs
from tools.platforms.build_request import BuildRequest, Platform, Result
from tools.platforms.rootfs import Base
from tools.platforms.sandbox import Bind, Ended, Sandbox
from tools.platforms.sandbox import run as run_inside
from tools.platforms.work_folders import FILED, RUN_IMAGE, Folders, identity, named

__all__ = ["BuildRequest", "Platform", "Result", "complete", "create", "detect"]
__all__ += ["detect_and_build", "standard"]

PLATFORM_API = "0.15"


def standard(name: str = rootfs.DEFAULT) -> Platform:
    """Return the pinned lifecycle with the base images *name*, made the first time."""
    run_rootfs = rootfs.rootfs("run", name)
    facts = rootfs.base("run", name)
    arch = facts.arch or oci.arch()
    return Platform(
        build_rootfs=rootfs.rootfs("build", name),
        run_rootfs=run_rootfs,
        run_image=run_image(run_rootfs, facts),
        lifecycle=real_tools.lifecycle(arch),
        user=rootfs.base("build", name).user,
        group=facts.group,
    )


def run_image(tree: Path, facts: Base) -> Path:
    """Return the root file system *tree* as an image with the labels of *facts*.

    Its directory has the form of `oci.write_base`.
    """
    arch = facts.arch or oci.arch()
    pins = cache.digest(tree.name, repr(facts), Path(oci.__file__).read_bytes())

    def write(into: Path) -> None:
        oci.write_base(tree, into, facts.labels, facts.environment, arch)

    return cache.entry("run-image", pins, "Compressing the run image (5 seconds)", write)


def create(platform: Platform, request: BuildRequest) -> Result:
    """Build an image with the `creator`, as pack does with a trusted builder.

    It starts as root; the buildpack runs as the image's user, with the additional group 0.
    """
    folders = Folders(request.work)
    folders.prepare(platform, request)
    _make_sparse(platform, folders.layout / FILED.format(named(request)))
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
        named(request),
    )
    room = _room(platform, request, folders, binds)
    return folders.result(_run(room, request, creator), request)


def complete(platform: Platform, image: Path) -> None:
    """Add the run image's layer to a built image, which is complete then."""
    for blob in (platform.run_image / "layer").iterdir():
        target = image / "blobs/sha256" / blob.name
        if target.exists():
            continue
        try:
            target.hardlink_to(blob)
        except OSError:  # another file system
            shutil.copyfile(blob, target)


def _make_sparse(platform: Platform, image: Path) -> None:
    """Undo `complete`, since reading a complete previous image takes seconds."""
    for blob in (platform.run_image / "layer").iterdir():
        (image / "blobs/sha256" / blob.name).unlink(missing_ok=True)


def detect(platform: Platform, request: BuildRequest) -> Result:
    """Run only the `detector`, as the build image's user without additional groups."""
    folders = Folders(request.work)
    folders.prepare(platform, request)
    return folders.result(_phase("detector", platform, request, folders), request)


def detect_and_build(platform: Platform, request: BuildRequest) -> Result:
    """Run `detector` and, if it passes, `builder`, both as the build image's user.

    As with an untrusted builder. Restores nothing and makes no image: the layers are in
    `Result.layers`.
    """
    detected = detect(platform, request)
    if detected.code != 0:
        return detected
    folders = Folders(request.work)
    built = folders.result(_phase("builder", platform, request, folders), request)
    return Result(
        built.code, detected.output + built.output, built.image, built.layers, built.workspace
    )


def phase(
    platform: Platform, request: BuildRequest, *command: str, as_root: bool = False
) -> Ended:
    """Run a phase with the program and arguments *command*, in the directories of *request*.

    `Folders.prepare` makes them. *as_root*: for the phases that read and write images.
    """
    folders = Folders(request.work)
    cache_bind = Bind(folders.cache, "/cache", writable=True)
    binds = (*_binds(platform, request, folders), cache_bind)
    room = _room(platform, request, folders, binds, drop=not as_root)
    return _run(room, request, (f"/cnb/lifecycle/{command[0]}", *command[1:]))


def _phase(name: str, platform: Platform, request: BuildRequest, folders: Folders) -> Ended:
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
    folders: Folders,
    binds: tuple[Bind, ...],
    *,
    drop: bool = False,
) -> Sandbox:
    env = {
        # An image's environment, and the variables that an engine adds.
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


def _binds(platform: Platform, request: BuildRequest, folders: Folders) -> tuple[Bind, ...]:
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


def _home(buildpack: Path) -> str:
    name, version = identity(buildpack)
    return f"/cnb/buildpacks/{name.replace('/', '_')}/{version}"
