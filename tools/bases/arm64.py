"""Builds and runs sample apps for arm64 on this machine, with an emulator: `make arm64`.

The buildpack, the lifecycle, uv, the Pythons and the wheels are those for arm64. The exit code is
1 if an app does not work, or if a shard without code for one processor differs from amd64's.
"""

import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools import cache, fixtures
from tools.bases import layers, sample_builds
from tools.bases.layers import Layer
from tools.bases.sample_builds import App, SampleBuilds
from tools.platforms import emulation, lifecycle, oci, rootfs, this_machine
from tools.processes import Unavailable, say

ARCH = "arm64"
BASE = "debian-12-arm64"
APPS = (sample_builds.FLASK, sample_builds.DJANGO, sample_builds.FASTAPI)
# An emulated program is about ten times as slow.
BUILD_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Comparison:
    """The shards of an app on two architectures."""

    same: tuple[Layer, ...]
    """Those with the same digest that have nothing for one processor."""
    different: tuple[str, ...]
    """The names of those that have nothing for one processor, and differ."""


def compare(here: Sequence[Layer], emulated: Sequence[Layer]) -> Comparison:
    """Compare the shards of one app that have nothing for one processor."""
    others = {layer.name: layer for layer in layers.for_any_processor(emulated)}
    both = [each for each in layers.for_any_processor(here) if each.name in others]
    return Comparison(
        same=tuple(each for each in both if each.diff_id == others[each.name].diff_id),
        different=tuple(e.name for e in both if e.diff_id != others[e.name].diff_id),
    )


def problems(app: App, compared: Comparison) -> list[str]:
    """Return what is wrong with the shards of *app*."""
    return [f"{app.name}: shard {name} differs on {ARCH}" for name in compared.different]


def build(arch: str, base: str, folder: Path) -> dict[App, tuple[Layer, ...]]:
    """Build and start the apps for *arch* below *folder*; return their layers."""
    product = sample_builds.buildpack(arch, folder / "buildpack")
    settings = this_machine.of_this_machine()
    with this_machine.interpreters(settings, arch) as environment:
        platform = lifecycle.standard(base)
        builds = SampleBuilds(folder, product, platform, environment, BUILD_SECONDS)
        with emulation.of(arch if arch != oci.arch() else ""):
            return {app: _built(builds, app, arch) for app in APPS}


def _built(builds: SampleBuilds, app: App, arch: str) -> tuple[Layer, ...]:
    result = builds.build(app)
    builds.check(app, result)
    image = oci.read(result.image)
    size = builds.size(result) / 1e6
    say(f"  {app.name} for {arch}: detected, built and started, {size:.0f} MB compressed")
    return layers.of_buildpack(image)


def report(app: App, compared: Comparison) -> None:
    """Print the digests of the shards that are the same on both architectures."""
    say(f"\n{app.name}: shards without code for one processor")
    for layer in compared.same:
        say(f"  {layer.name:<24} same on amd64 and {ARCH}  {layer.diff_id}")
    for name in compared.different:
        say(f"  {name:<24} DIFFERS")
    if not (compared.same or compared.different):
        say("  none: each of its shards has a package with code for one processor")


def main() -> int:
    """Build the apps for both architectures and compare; return the exit code."""
    fixtures.main()
    with tempfile.TemporaryDirectory(prefix="arm64-", dir=cache.directory()) as name:
        here = build(oci.arch(), rootfs.DEFAULT, Path(name, oci.arch()))
        emulated = build(ARCH, BASE, Path(name, ARCH))
    found = []
    for app in APPS:
        compared = compare(here[app], emulated[app])
        report(app, compared)
        found += problems(app, compared)
    say("\n" + ("\n".join(found) or f"The sample apps work on {ARCH}."))
    return 1 if found else 0


if __name__ == "__main__":
    os.umask(0o022)
    try:
        sys.exit(main())
    except Unavailable as error:
        sys.exit(str(error))
