"""Values for a build with the real lifecycle: platform, request and result."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tools.platforms.sandbox import Bind


@dataclass(frozen=True, slots=True)
class Platform:
    """Everything that a build needs besides the app and the buildpacks."""

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
    """One build."""

    app: Path
    """The directory of the app; the build uses a copy."""
    buildpacks: tuple[Path, ...]
    """Complete trees with a `buildpack.toml`, tried as one group in this order."""
    work: Path
    """Work directory, made if it is missing; give it again to build with the cache."""
    image: str = "app"
    env: Mapping[str, str] = field(default_factory=dict)
    """Variables of `pack build --env`: files in `<platform>/env`."""
    bindings: Path | None = None
    """Directory of service bindings, `<name>/type` and so on, copied to `<platform>/bindings`."""
    lifecycle_env: Mapping[str, str] = field(default_factory=dict)
    """Added to the lifecycle's own environment: `CNB_EXEC_ENV`, proxies."""
    lifecycle_flags: tuple[str, ...] = ()
    """Added to the `creator`'s arguments, such as `-skip-restore`."""
    binds: tuple[Bind, ...] = ()
    """Further directories and files of the host to mount."""
    network: bool = True
    umask: int = 0o022
    timeout: float = 900
    on_line: Callable[[str], None] | None = None
    """Called with each line of output as it comes."""


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a build."""

    code: int | None
    """The lifecycle's exit code (spec: platform.md, "Exit codes"); None: it ran out of time."""
    output: str
    image: Path
    """The image's OCI layout; exists when the build succeeded."""
    layers: Path
    """The build's own `/layers`, until the next build."""
    workspace: Path
    """The build's own `/workspace`, until the next build."""
