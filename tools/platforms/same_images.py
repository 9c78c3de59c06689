"""Shows whether images stay the same: `same_images.py record|compare DIR [APP ...]`.

`record` builds each sample app of `fixtures/` at one commit and keeps the images, the caches and
all digests in DIR. `compare`, at another commit, builds each recorded app again: once from
nothing, once over the recorded cache and image. It prints one line for each app, names the first
difference and exits with 1 if there is one. Both need root, since they run the real lifecycle.

Of the buildpack's own tree an image holds only the id, version and homepage in `buildpack.toml`
and the program that is compiled from `execd/`, so any other change of the code can leave every
image as it is. `compare` uses the apps, the base images and the lifecycle of `record`.
"""

import argparse
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from tools import fixtures
from tools.package import builder
from tools.platforms import image_differences, lifecycle, oci, this_machine
from tools.platforms.build_request import BuildRequest, Platform, Result
from tools.platforms.image_differences import Build, difference
from tools.processes import Unavailable, fail, run, say

FIXTURES = builder.ROOT / "fixtures"
RECORDING = "recording.json"
# The work directory of the build that is kept.
RECORDED = "recorded"
# What the lifecycle prints for each layer that it does not take from the previous image.
ADDED = ("Adding layer ", "Added ")


@dataclass(frozen=True, slots=True)
class App:
    """What is recorded of an app."""

    clean: Build
    unchanged: Build
    """A second build of the same files, over the cache and the image of the first."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What `record` keeps beside images and caches."""

    commit: str
    platform: Platform
    apps: Mapping[str, App]


@dataclass(frozen=True, slots=True)
class Builds:
    """Builds apps below one directory."""

    directory: Path
    platform: Platform
    buildpack: Path
    env: Mapping[str, str]

    def work(self, name: str, build: str) -> Path:
        """Return the work directory of a build of an app."""
        return self.directory / name / build

    def clean(self, name: str, build: str) -> Build:
        """Build an app from nothing."""
        shutil.rmtree(self.work(name, build), ignore_errors=True)
        return self._build(name, build)

    def unchanged(self, name: str, build: str) -> Build:
        """Build an app over a copy of the recorded cache and image."""
        work, recorded = self.work(name, build), self.work(name, RECORDED)
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        # With owners: the lifecycle changes those of the cache by itself, not those of the image.
        run("cp", "-a", "--", recorded / "cache", recorded / "layout", work)
        return self._build(name, build)

    def first_difference(self, name: str, build: str, before: Build, after: Build) -> str:
        """Return where a build differs from the recorded one; remove it if it does not."""
        text = difference(before, after)
        if not text:
            shutil.rmtree(self.work(name, build))
        elif before.code == after.code == 0:
            works = (self.work(name, RECORDED), self.work(name, build))
            old, new = ((_image(work), _store(work)) for work in works)
            text = f"{text}; {image_differences.first_location(old, new)}"
        return f"DIFFERENT {build}: {text}" if text else ""

    def _build(self, name: str, build: str) -> Build:
        request = BuildRequest(
            app=self.directory / name / "app",
            buildpacks=(self.buildpack,),
            work=self.work(name, build),
            env=self.env,
            lifecycle_env=this_machine.proxies(os.environ),
        )
        result = lifecycle.create(self.platform, request)
        self.work(name, build).with_suffix(".log").write_text(result.output)
        digests = _digests(result, request.work)
        shutil.rmtree(request.work / "fresh")
        return digests


def _image(work: Path) -> Path:
    return next(work.glob("layout/*/app/latest"))


def _store(work: Path) -> Path:
    return next(work.glob("cache/committed/*.tar"))


def _digests(result: Result, work: Path) -> Build:
    if result.code != 0:
        return Build(result.code)
    own = result.layers / "cnb-python_python"
    configuration = image_differences.configuration(result.image)
    return Build(
        code=0,
        layers=tuple((layer.title, layer.diff_id) for layer in oci.read(result.image).layers),
        configuration=hashlib.sha256(configuration.encode()).hexdigest(),
        image=image_differences.manifest_digest(result.image),
        store=image_differences.store_files(_store(work)),
        directories=tuple(sorted(path.name for path in own.iterdir() if path.is_dir())),
        added=tuple(line for line in result.output.splitlines() if line.startswith(ADDED)),
    )


def record(builds: Builds, names: Sequence[str]) -> bool:
    """Build and keep each app; return whether two clean builds of each are the same."""
    apps, is_same = {}, True
    commit = run("git", "rev-parse", "HEAD", cwd=builder.ROOT).strip()
    for name in names:
        began = time.monotonic()
        shutil.rmtree(builds.directory / name, ignore_errors=True)
        (builds.directory / name).mkdir(parents=True)
        run("cp", "-a", "--", FIXTURES / name, builds.directory / name / "app")
        clean = unchanged = builds.clean(name, RECORDED)
        if clean.code == 0:
            unchanged = builds.unchanged(name, "unchanged")
            shutil.rmtree(builds.work(name, "unchanged"))
        apps[name] = App(clean, unchanged)
        write(builds.directory, Recording(commit, builds.platform, apps))
        text = builds.first_difference(name, "second", clean, builds.clean(name, "second"))
        is_same &= not text
        _report(name, text or _summary(apps[name]), began)
    return is_same


def compare(builds: Builds, recording: Recording, names: Sequence[str]) -> bool:
    """Build each app again in both ways; return whether everything is as recorded."""
    is_same = True
    for name in names:
        began = time.monotonic()
        app = recording.apps[name]
        clean = builds.clean(name, "new-clean")
        text = builds.first_difference(name, "new-clean", app.clean, clean)
        if app.clean.code == 0 and not text:
            unchanged = builds.unchanged(name, "new-unchanged")
            text = builds.first_difference(name, "new-unchanged", app.unchanged, unchanged)
        is_same &= not text
        _report(name, text or f"same: {_summary(app)}", began)
    return is_same


def _summary(app: App) -> str:
    if app.clean.code != 0:
        return f"no image (exit code {app.clean.code})"
    layers = "; ".join(app.unchanged.added) or "none"
    return (
        f"{len(app.clean.layers)} layers, {app.clean.image}; made by an unchanged build: {layers}"
    )


def _report(name: str, text: str, began: float) -> None:
    say(f"{name:<18} {text} ({time.monotonic() - began:.0f} s)")


def write(directory: Path, recording: Recording) -> None:
    """Write *recording* into *directory*, for `read`."""
    (directory / RECORDING).write_bytes(TypeAdapter(Recording).dump_json(recording, indent=1))


def read(directory: Path) -> Recording:
    """Return what `record` left in *directory*; raise `Unavailable` if there is nothing."""
    path = directory / RECORDING
    if not path.exists():
        fail(f"{directory} holds no recording: make one with `record` first.")
    return TypeAdapter(Recording).validate_json(path.read_bytes())


def main(arguments: Sequence[str]) -> int:
    """Do what *arguments* ask for; return the exit code."""
    parser = argparse.ArgumentParser(description="Shows whether images stay the same.")
    parser.add_argument("action", choices=["record", "compare"])
    parser.add_argument("directory", type=Path, metavar="DIR")
    parser.add_argument("apps", nargs="*", metavar="APP", help="only these sample apps")
    options = parser.parse_args(arguments)
    directory = options.directory.resolve()
    recording = read(directory) if options.action == "compare" else None
    with this_machine.interpreters(this_machine.of_this_machine()) as env:
        platform = recording.platform if recording else lifecycle.standard()
        builds = Builds(directory, platform, builder.buildpack(), env)
        if recording:
            is_same = compare(builds, recording, options.apps or tuple(recording.apps))
        else:
            fixtures.main()
            names = sorted(path.name for path in FIXTURES.iterdir())
            is_same = record(builds, options.apps or names)
    return 0 if is_same else 1


if __name__ == "__main__":
    os.umask(0o022)
    try:
        sys.exit(main(sys.argv[1:]))
    except Unavailable as error:
        sys.exit(str(error))
