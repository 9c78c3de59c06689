"""Builds an app again as an image records it: the same Python and settings, by this checkout."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tools.platforms import lifecycle, oci, this_machine
from tools.platforms.build_request import BuildRequest, Platform
from tools.platforms.sandbox import Bind
from tools.processes import Unavailable, fail
from tools.verify.other_machine import other_machine, other_user

# https://github.com/buildpacks/spec/blob/main/platform.md#errors
_NOT_DETECTED = 20
_CONSTRAINTS = "/cnb/constraints.txt"
_NOT_TAKEN = "The buildpack does not take this app."


@dataclass(frozen=True, slots=True)
class Rebuild:
    """What to build, and with what."""

    source: Path
    buildpack: Path
    settings: Mapping[str, str]
    """Variables by which the build makes the recorded choices."""
    env: Mapping[str, str]
    """How this machine reaches an index, and the variables that the user gave: they win."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """The release of each package that the app's files leave open; none: the index decides."""


def rebuilt(rebuild: Rebuild, platform: Platform, scratch: Path) -> oci.Image:
    """Return the image of a build from nothing, in the existing directory *scratch*.

    Raises `Unavailable` if the build fails.
    """
    return _image(platform, _request(rebuild, rebuild.source, scratch))


def rebuilt_elsewhere(
    rebuild: Rebuild, platform: Platform, scratch: Path, *, as_other_user: bool
) -> oci.Image:
    """Return the image of a build on another machine, with the source in another directory.

    *as_other_user*: with another user for the build, who owns all files then.
    """
    source = scratch / "another directory" / "source"
    shutil.copytree(rebuild.source, source, symlinks=True)
    binds: tuple[Bind, ...] = ()
    if as_other_user:
        platform, users = other_user(platform, scratch)
        binds = (users,)
    with other_machine(platform, scratch) as conditions:
        request = conditions.of(_request(rebuild, source, scratch))
        return _image(platform, replace(request, binds=(*request.binds, *binds)))


def _request(rebuild: Rebuild, source: Path, scratch: Path) -> BuildRequest:
    constraints: dict[str, str] = {}
    binds: tuple[Bind, ...] = ()
    if rebuild.versions:
        file = scratch / "constraints.txt"
        lines = (f"{name}=={version}\n" for name, version in sorted(rebuild.versions.items()))
        file.write_text("".join(lines))
        file.chmod(0o644)
        constraints = dict.fromkeys(("PIP_CONSTRAINT", "UV_CONSTRAINT"), _CONSTRAINTS)
        binds = (Bind(file, _CONSTRAINTS),)
    return BuildRequest(
        app=source,
        buildpacks=(rebuild.buildpack,),
        work=scratch / "build",
        env={**rebuild.settings, **constraints, **rebuild.env},
        binds=binds,
        lifecycle_env=this_machine.proxies(os.environ),
    )


class NotDetected(Unavailable):
    """The buildpack does not take the app."""


def _image(platform: Platform, request: BuildRequest) -> oci.Image:
    result = lifecycle.create(platform, request)
    if result.code == _NOT_DETECTED:
        raise NotDetected(_NOT_TAKEN)
    if result.code != 0:
        fail(f"The app cannot be built again:\n\n{result.output.strip()}")
    return oci.read(result.image)
