"""Builds an app into an image: `image.py APP`.

Uses pack if a container engine is running; else the real lifecycle, which writes an OCI image
layout that `tools/serve` can start. The variable IMAGE names the image.
"""

import difflib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tools import cache
from tools.package import builder
from tools.platforms import image_report, lifecycle, oci, real_tools, this_machine
from tools.platforms.engine import Engine, answering
from tools.processes import Unavailable, fail, need_root, say

ROOT = builder.ROOT
IMAGES = ROOT / "build/image"
PORT = 8000
# https://github.com/buildpacks/spec/blob/main/platform.md#errors
REASONS = {
    20: "the buildpack did not recognise the app",
    21: "the detect phase failed",
    51: "the buildpack failed, see its error above",
    62: "the image could not be written",
}


def find_app(argument: str) -> Path:
    """Return the directory of the app; raises `Unavailable` if it is missing."""
    app = Path(argument)
    if argument and app.is_dir():
        return app.resolve()
    if app.is_file():
        fail(f"APP={argument} is a file: give the directory of an app.")
    samples = sorted(path.name for path in (ROOT / "fixtures").iterdir())
    near = difflib.get_close_matches(app.name, samples, n=1)
    suggestion = f" Did you mean APP=fixtures/{near[0]}?" if near else ""
    problem = f"There is no directory {argument}." if argument else "APP is empty."
    return fail(f"{problem}{suggestion} Sample apps in fixtures/: {', '.join(samples)}.")


def image_name(app: Path, environ: Mapping[str, str]) -> str:
    """Return the variable IMAGE, or a name from the app's directory."""
    plain = re.sub(r"[^a-z0-9]+", "_", app.name.lower()).strip("_") or "app"
    return environ.get("IMAGE") or f"cnb-python-{plain}"


def with_pack(engine: Engine, app: Path, name: str, env: Mapping[str, str]) -> None:
    """Build with pack, to the engine."""
    builder_name = builder.ensure(engine, builder.buildpack())
    network = ("--network", "host") if this_machine.stays_here(env) else ()
    variables = [f"--env={key}={value}" for key, value in env.items()]
    say(f"Building {name} with pack")
    command = (
        *(real_tools.pack(), "build", name, "--path", app),
        *builder.pack_flags(engine, builder_name),
        *(*network, *variables),
    )
    ended = subprocess.run(command, env={**os.environ, **builder.pack_env(engine)}, check=False)
    if ended.returncode:
        fail("\nNo image was built: see above.")
    template = "{{.CreatedBy}}|{{.Size}}"
    history = ("history", "--no-trunc", "--human=false", "--format", template, name)
    rows = image_report.of_history(engine.docker(*history).splitlines())
    say(f"\nBuilt {name}\n\n{image_report.table(rows)}")
    say(f"\nRun it:\n\n  docker run --rm -e PORT={PORT} -p {PORT}:{PORT} {name}")


def in_place(app: Path, env: Mapping[str, str]) -> None:
    """Build with the real lifecycle, without an engine, to `build/image/<app>`."""
    need_root("No container engine answers. Building without one")
    product = builder.buildpack()
    platform = lifecycle.standard()
    key = f"{app.name}-{cache.digest(str(app))}"
    with cache.locked(f"build-{key}"):
        say(f"Building {app.name} with the lifecycle (no container engine answers)")
        request = lifecycle.BuildRequest(
            app=app,
            buildpacks=(product,),
            work=cache.directory() / "builds" / key,
            env=env,
            lifecycle_env=this_machine.proxies(os.environ),
            on_line=_show,
        )
        result = lifecycle.create(platform, request)
        if result.code != 0:
            reason = REASONS.get(result.code or 0, "see above")
            fail(f"\nNo image was built: {reason} (the lifecycle's exit code is {result.code}).")
        lifecycle.complete(platform, result.image)
        delivered = _deliver(result.image, IMAGES / app.name)
    _print_result(delivered)


def _show(line: str) -> None:
    # Always printed, since a lifecycle that was built from source has no SBOM of itself.
    if not line.startswith("Warning: Did not find SBOM"):
        say(line)


def _deliver(image: Path, to: Path) -> Path:
    """Replace the previous image layout with *image*, by hard links where possible."""
    partial, former = to.with_name(f".{to.name}.new"), to.with_name(f".{to.name}.old")
    for leftover in (partial, former):
        shutil.rmtree(leftover, ignore_errors=True)
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(image, partial, copy_function=_link)
    if to.exists():
        to.rename(former)
    partial.rename(to)
    shutil.rmtree(former, ignore_errors=True)
    return to


def _link(source: str, target: str) -> None:
    # Blobs are named by their content and never change; the lifecycle rewrites the other files.
    if "blobs" not in Path(source).parts:
        shutil.copyfile(source, target)
        return
    try:
        Path(target).hardlink_to(source)
    except OSError:  # another file system
        shutil.copyfile(source, target)


def _print_result(image: Path) -> None:
    layers = image_report.table(image_report.of_layout(oci.read(image)))
    say(f"\nBuilt {image.relative_to(ROOT)}, an OCI image directory\n\n{layers}")
    say(f"\nRun it in place:\n\n  {ROOT / 'tools/serve'} {image} {PORT}")


def main(arguments: list[str]) -> None:
    """Build the app that the arguments name."""
    app = find_app(arguments[0] if arguments else "")
    engine = answering()
    with this_machine.interpreters(this_machine.of_this_machine()) as env:
        if engine:
            with_pack(engine, app, image_name(app, os.environ), env)
        else:
            in_place(app, env)


if __name__ == "__main__":
    os.umask(0o022)
    try:
        main(sys.argv[1:])
    except Unavailable as error:
        sys.exit(str(error))
