"""Builds images with pack under unique names, and removes them at the end."""

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
    """The result of `pack build`."""

    code: int
    output: str


@dataclass(frozen=True, slots=True)
class Built:
    """An image that pack built."""

    name: str
    id: str
    output: str
    """The output of pack, the lifecycle and the buildpack."""
    layers: Mapping[str, str]
    """Digest of each layer of the buildpack by name, and of `app`."""


@dataclass(frozen=True, slots=True)
class PackBuilds:
    """An engine, a builder, and the images that were built with them."""

    engine: Engine
    builder: str
    settings: Mapping[str, str]
    """Variables of each build: the mirror of Pythons, and how this machine reaches an index."""
    token: str
    """Prefix of all names: `cnb-python-test-1a2b3c4d`."""
    before: Inventory
    image_names: list[str] = field(default_factory=list)
    """Ids of all images that were built; a rebuild takes the name of the previous image."""

    def name(self, app: str) -> str:
        """Return the name of the image of *app*."""
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
        """Run `pack build` with a trusted builder."""
        settings = {**self.settings, **(env or {})}
        command = [
            flag
            for flag in builder.pack_flags(self.engine, self.builder)
            if trusted or flag != "--trust-builder"
        ]
        network = () if "--network" in flags else ("--network", "host")
        return self.pack(
            *("build", image, "--path", app, *command, *network, *flags),
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
        """Return what the engine and the lifecycle's label contain about *image*."""
        image_id = base_images.image_id(self.engine, image)
        self.image_names.append(image_id)
        books = base_images.label(self.engine, image, "io.buildpacks.lifecycle.metadata")
        return Built(image, image_id, output, _layers(json.loads(books)))

    def close(self) -> None:
        """Remove every image and volume of this session; containers remove themselves."""
        remove(self.engine, self.token)
        for image in take(self.engine).images:
            # A rebuild has taken its name.
            if any(_same(image, built) for built in self.image_names):
                self.engine.docker("image", "rm", "--force", image)

    def left(self) -> list[str]:
        """Return what is in the engine and was not at the start of the session."""
        return take(self.engine).beyond(self.before)


def _same(short: str, full: str) -> bool:
    return full.removeprefix("sha256:").startswith(short)


def _layers(books: Mapping[str, Any]) -> dict[str, str]:
    """Return the digest of each layer by name, from the label of the lifecycle."""
    layers = {"app": " ".join(part["sha"] for part in books["app"])}
    for buildpack in books["buildpacks"]:
        for name, facts in (buildpack.get("layers") or {}).items():
            layers[name] = facts["sha"]
    return layers
