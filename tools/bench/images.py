"""Sizes, layers and start time of finished images in an engine."""

import http.client
import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from tools.platforms.engine import Engine
from tools.processes import fail

RUN = "cnb-python/run-base"
METADATA = "io.buildpacks.lifecycle.metadata"
PATIENCE = 60.0
LABEL = "cnb-python-bench"


def size(engine: Engine, image: str) -> int:
    """Return the bytes that *image* has beside the run image, unpacked."""
    whole, base = (
        int(engine.docker("image", "inspect", "--format", "{{.Size}}", name))
        for name in (image, RUN)
    )
    return whole - base


def copy_layers(engine: Engine, image: str, buildpack: str, to: Path) -> None:
    """Copy the layers of *buildpack* (`cnb-python_python`) out of *image*, to the folder *to*."""
    container = _create(engine, image)
    try:
        engine.docker("cp", "--archive", f"{container}:/layers/{buildpack}/.", to)
    finally:
        engine.docker("rm", container)


def volume_size(engine: Engine, volume: str) -> int:
    """Return the bytes of the files in *volume*."""
    options = ("--rm", "--user=0", "--network=none", f"--volume={volume}:/volume:ro")
    output = engine.docker(
        "run", *options, "--entrypoint=du", RUN, "--summarize", "--apparent-size", "-B1", "/volume"
    )
    return int(output.split()[0])


def seconds_to_answer(engine: Engine, image: str) -> float:
    """Return how long a new container takes from its start to the first 200 at `/`."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    # With the host's network, so that the engine's port forwarding is not measured.
    options = ("--network=host", f"--env=PORT={port}", "--env=WEB_CONCURRENCY=1")
    container = _create(engine, image, *options)
    try:
        began = time.monotonic()
        engine.docker("start", container)
        while not _answers(port):
            if time.monotonic() - began > PATIENCE:
                fail(f"{image} does not answer:\n{engine.docker('logs', container)[-2000:]}")
            time.sleep(0.01)
        return time.monotonic() - began
    finally:
        engine.docker("rm", "--force", "--volumes", container)


def _answers(port: int) -> bool:
    # Without the proxies of the environment, which cannot reach this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}/", timeout=10) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        return fail(f"The app answers with {error.code}.")
    except OSError, http.client.HTTPException:
        return False


def digests(labels: Mapping[str, str]) -> dict[str, str]:
    """Return the digest of each layer of the buildpacks, by name, from the lifecycle's label."""
    metadata = json.loads(labels[METADATA])
    return {
        name: facts["sha"]
        for buildpack in metadata["buildpacks"]
        for name, facts in (buildpack.get("layers") or {}).items()
    }


def sweep(engine: Engine, prefix: str) -> None:
    """Remove every image and volume whose name has *prefix* in it, and their containers."""
    images = engine.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split()
    volumes = engine.docker("volume", "ls", "--format", "{{.Name}}").split()
    # The container of a killed build runs an image of pack, with volumes of the benchmark.
    uses = [f"volume={volume}" for volume in volumes if prefix in volume]
    uses += [f"label={LABEL}={image}" for image in images if prefix in image]
    for use in uses:
        for container in engine.docker("ps", "--all", "--quiet", f"--filter={use}").split():
            engine.docker("rm", "--force", "--volumes", container)
    for image in images:
        if prefix in image:
            engine.docker("image", "rm", "--force", image)
    for volume in volumes:
        if prefix in volume:
            engine.docker("volume", "rm", volume)


def _create(engine: Engine, image: str, *options: str) -> str:
    """Create a container of *image* that `sweep` finds; return its id."""
    whole = image if ":" in image else f"{image}:latest"
    return engine.docker("create", f"--label={LABEL}={whole}", *options, image).strip()
