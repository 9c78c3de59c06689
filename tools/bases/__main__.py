"""Builds and runs sample apps on every base image, and compares them: `make bases`.

An additional base is Debian 12 with a run image without a shell. The exit code is 1 if an app does
not work on a base, if a layer without compiled code is not the same on all bases, or if the change
from one base to the next moves such a layer. After a failure, the tool goes on with the next base.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tools import cache, fixtures
from tools.bases import layers, sample_builds
from tools.bases.layers import Layer
from tools.bases.sample_builds import App, SampleBuilds
from tools.platforms import distroless, lifecycle, oci, rootfs, this_machine
from tools.platforms.build_request import Platform
from tools.processes import Unavailable, say

APPS = (
    sample_builds.DJANGO,
    sample_builds.FASTAPI,
    sample_builds.POETRY,
    sample_builds.EXTENSIONS,
)
# The app whose image is moved from one base to the next.
MOVED = sample_builds.DJANGO
# The default base with another run image.
NO_SHELL = "no-shell"


def of_this_machine() -> tuple[str, ...]:
    """Return the names of the bases that run on this machine without an emulator."""
    own = (name for name in rootfs.names() if not rootfs.base("run", name).arch)
    return (*own, NO_SHELL)


def platform(name: str) -> Platform:
    """Return the lifecycle with the base images *name*."""
    if name != NO_SHELL:
        return lifecycle.standard(name)
    tree = distroless.tree()
    image = lifecycle.run_image(tree, rootfs.base("run"))
    return replace(lifecycle.standard(), run_rootfs=tree, run_image=image)


def build(builds: SampleBuilds, app: App, after: Path | None = None) -> tuple[Layer, ...]:
    """Build and start *app*; print its size, and return its layers."""
    result = builds.build(app, after)
    builds.check(app, result)
    built = layers.of_buildpack(oci.read(result.image))
    compiled = sorted(name for layer in built for name in layer.compiled)
    note = f", compiled: {', '.join(compiled)}" if compiled else ""
    say(f"  {app.name:<16} works, {builds.size(result) / 1e6:.0f} MB compressed{note}")
    return built


def problems(app: App, by_base: Mapping[str, Sequence[Layer]]) -> list[str]:
    """Return each layer of *app* that should be the same on two bases and is not."""
    differences = []
    if not by_base:
        return []
    (first, before), *further = by_base.items()
    for base, after in further:
        compiled = layers.with_compiled((*before, *after))
        different = set(layers.differing(before, after)) - compiled
        differences += [
            f"{app.name}: layer {name} differs on {base} and {first}" for name in different
        ]
    return sorted(differences)


def report(app: App, by_base: Mapping[str, Sequence[Layer]]) -> None:
    """Print how many layers of *app* are the same on all bases, and the digests of all."""
    on_first = next(iter(by_base.values()), ())
    say(f"\n{app.name}: layers on {', '.join(by_base)}")
    for layer in on_first:
        digests = {base: _digest(each, layer.name) for base, each in by_base.items()}
        values = sorted(set(digests.values()))
        shown = values[0] if len(values) == 1 else "  ".join(digests.values())
        same = "same" if len(values) == 1 else "differ"
        say(f"  {layer.name:<24} {same:<7} {shown}")


def _digest(built: Sequence[Layer], name: str) -> str:
    return next((each.diff_id[7:19] for each in built if each.name == name), "none")


def run(names: Sequence[str], apps: Sequence[App], folder: Path) -> list[str]:
    """Build *apps* on the bases *names*, below *folder*; return what is wrong."""
    product = sample_builds.buildpack(oci.arch(), folder / "buildpack")
    by_app: dict[App, dict[str, tuple[Layer, ...]]] = {app: {} for app in apps}
    differences = []
    previous: Path | None = None
    with this_machine.interpreters(this_machine.of_this_machine()) as settings:
        for name in names:
            say(f"\n{name}")
            try:
                builds = SampleBuilds(folder / name, product, platform(name), settings)
                say(f"  {'the run image':<16} {builds.run_image_size() / 1e6:.1f} MB compressed")
                for app in apps:
                    differences += _build(builds, app, by_app[app], name)
                if previous and name in by_app.get(MOVED, {}):
                    again = replace(builds, directory=folder / f"{name}-moved")
                    differences += _move(again, previous, by_app[MOVED][name], name)
            except Unavailable as error:
                differences.append(_failure(f"{name}: {error}"))
            previous = folder / name / MOVED.name if name in by_app.get(MOVED, {}) else previous
    for app, by_base in by_app.items():
        report(app, by_base)
        differences += problems(app, by_base)
    return differences


def _build(
    builds: SampleBuilds, app: App, by_base: dict[str, tuple[Layer, ...]], name: str
) -> list[str]:
    """Add the layers of *app* on the base *name* to *by_base*; return what is wrong."""
    try:
        by_base[name] = build(builds, app)
    except Unavailable as error:
        return [_failure(f"{app.name} on {name}: {error}")]
    return []


def _move(builds: SampleBuilds, previous: Path, fresh: Sequence[Layer], name: str) -> list[str]:
    """Build `MOVED` over its build on the previous base; return what differs from *fresh*."""
    say(f"  {MOVED.name} over the cache and the image of the previous base:")
    different = layers.differing(fresh, build(builds, MOVED, previous))
    return [f"{MOVED.name}: the new base {name} moves layer {layer}" for layer in different]


def _failure(text: str) -> str:
    say(f"  {text}")
    return text


def main(arguments: Sequence[str]) -> int:
    """Compare the bases that *arguments* name, or all of this machine; return the exit code."""
    parser = argparse.ArgumentParser(description="Builds the sample apps on every base.")
    parser.add_argument("bases", nargs="*", metavar="BASE", help="only these bases")
    parser.add_argument("--app", action="append", choices=[app.name for app in APPS])
    options = parser.parse_args(arguments)
    fixtures.main()
    apps = [app for app in APPS if not options.app or app.name in options.app]
    with tempfile.TemporaryDirectory(prefix="bases-", dir=cache.directory()) as folder:
        differences = run(options.bases or of_this_machine(), apps, Path(folder))
    say(
        "\n"
        + ("\n".join(differences) or "Every layer without compiled code is the same on all bases.")
    )
    return 1 if differences else 0


if __name__ == "__main__":
    os.umask(0o022)
    try:
        sys.exit(main(sys.argv[1:]))
    except Unavailable as error:
        sys.exit(str(error))
