"""One build by the real lifecycle, as values: what it stands on, what is asked, what came out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tools.platforms.sandbox import Bind


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
