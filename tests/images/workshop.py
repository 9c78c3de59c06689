"""Builds images with pack under names that nobody else uses, and removes them in the end."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.images.inventory import Inventory, remove, take
from tools.package import builder
from tools.platforms import base_images, real_tools
from tools.platforms.engine import Engine

BUILD_SECONDS = 420


@dataclass(frozen=True, slots=True)
class Packed:
    """How a `pack build` ended."""

    code: int
    output: str


@dataclass(frozen=True, slots=True)
class Built:
    """An image that pack has built."""

    name: str
    id: str
    output: str
    """What pack, the lifecycle and the buildpack printed."""
    layers: Mapping[str, str]
    """Digest by name of the layers that the buildpack made, and of the app's own: `app`."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """An engine, a builder, and the books of what was made with them."""

    engine: Engine
    builder: str
    settings: Mapping[str, str]
    """What every build is told: where interpreters are, and how an index is reached from here."""
    token: str
    """Part of every name given here: `cnb-python-test-1a2b3c4d`."""
    before: Inventory
    made: list[str] = field(default_factory=list)
    """Ids of the images that were built: a rebuild takes the name of the one before."""

    def name(self, app: str) -> str:
        """The image name for *app*."""
        return f"{self.token}/{app}"

    def build(
        self, app: Path, name: str, *flags: str | Path, env: Mapping[str, str] | None = None
    ) -> Built:
        """Build *app* into the image *name* of this session; fails with pack's output."""
        packed = self.pack_build(app, self.name(name), *flags, env=env)
        assert packed.code == 0, packed.output
        return self.built(self.name(name), packed.output)

    def pack_build(
        self,
        app: Path,
        image: str,
        *flags: str | Path,
        env: Mapping[str, str] | None = None,
        trusted: bool = True,
    ) -> Packed:
        """Run `pack build` as it is used with a builder of one's own."""
        settings = {**self.settings, **(env or {})}
        wanted = [
            flag
            for flag in builder.pack_flags(self.engine, self.builder)
            if trusted or flag != "--trust-builder"
        ]
        network = () if "--network" in flags else ("--network", "host")
        return self.pack(
            *("build", image, "--path", app, *wanted, *network, *flags),
            *(f"--env={name}={value}" for name, value in settings.items()),
        )

    def pack(self, *arguments: str | Path) -> Packed:
        """Run pack."""
        done = subprocess.run(
            (real_tools.pack(), *arguments),
            env={**os.environ, **builder.pack_env(self.engine)},
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            timeout=BUILD_SECONDS,
        )
        return Packed(done.returncode, done.stdout)

    def built(self, image: str, output: str) -> Built:
        """Read what the engine and the lifecycle's label say of *image*."""
        found = base_images.image_id(self.engine, image)
        self.made.append(found)
        books = base_images.label(self.engine, image, "io.buildpacks.lifecycle.metadata")
        return Built(image, found, output, _layers(json.loads(books)))

    def close(self) -> None:
        """Remove every image and volume of this session; containers remove themselves."""
        remove(self.engine, self.token)
        for image in take(self.engine).images:
            # A rebuilt one has lost its name to the newer one.
            if any(_same(image, built) for built in self.made):
                self.engine.docker("image", "rm", "--force", image)

    def left(self) -> list[str]:
        """Say what the engine holds now and did not when the session began."""
        return take(self.engine).beyond(self.before)


def _same(short: str, full: str) -> bool:
    return full.removeprefix("sha256:").startswith(short)


def _layers(books: Mapping[str, Any]) -> dict[str, str]:
    """Digests by layer name, from the label in which the lifecycle keeps its own books."""
    layers = {"app": " ".join(part["sha"] for part in books["app"])}
    for buildpack in books["buildpacks"]:
        for name, facts in (buildpack.get("layers") or {}).items():
            layers[name] = facts["sha"]
    return layers
