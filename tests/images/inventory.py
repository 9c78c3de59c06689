"""Images, containers and volumes of an engine, and which of them a session has left."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tools.platforms import rootfs
from tools.platforms.engine import Engine

# `make builder` makes these, and every build uses them. They are kept on purpose, with the image
# of a registry that they may be based on.
KEPT = re.compile(r"cnb-python/(builder|build-base|run-base):latest")


@dataclass(frozen=True, slots=True)
class Inventory:
    """The images, containers and volumes of an engine."""

    images: frozenset[str]
    """`name:tag`, `name@sha256:...` without a tag, or the id of an image that has no name."""
    containers: frozenset[str]
    volumes: frozenset[str]
    networks: frozenset[str]

    def beyond(self, before: Inventory) -> list[str]:
        """Say what there is now and was not there before, apart from what is kept on purpose."""
        return sorted(self._new(before))

    def _new(self, before: Inventory) -> Iterator[str]:
        yield from (f"image {i}" for i in self.images - before.images if not _kept(i))
        yield from (f"container {name}" for name in self.containers - before.containers)
        yield from (f"volume {name}" for name in self.volumes - before.volumes)
        yield from (f"network {name}" for name in self.networks - before.networks)


def take(engine: Engine) -> Inventory:
    """Return the inventory of *engine*."""
    return Inventory(
        images=_listed(engine, "image", "ls", "--digests", "--format", _IMAGE),
        containers=_listed(engine, "container", "ls", "--all", "--format", "{{.Names}}"),
        volumes=_listed(engine, "volume", "ls", "--format", "{{.Name}}"),
        networks=_listed(engine, "network", "ls", "--format", "{{.Name}}"),
    )


# An image that was pulled by digest has a repository but no tag.
_IMAGE = (
    '{{if eq .Repository "<none>"}}{{.ID}}{{else if eq .Tag "<none>"}}{{.Repository}}@{{.Digest}}'
    "{{else}}{{.Repository}}:{{.Tag}}{{end}}"
)


def _listed(engine: Engine, *command: str) -> frozenset[str]:
    return frozenset(engine.docker(*command).split())


def _kept(image: str) -> bool:
    return bool(KEPT.fullmatch(image)) or image == rootfs.base("run").registry_image


def sweep(engine: Engine, prefix: str) -> None:
    """Remove what a killed session left in an engine that only this project uses.

    Its containers too, whatever they are called: they hold the volumes.
    """
    for container in take(engine).containers:
        engine.docker("container", "rm", "--force", "--volumes", container)
    remove(engine, prefix)


def remove(engine: Engine, *words: str) -> None:
    """Remove the images and volumes whose names contain all of *words*."""
    now = take(engine)
    for image in now.images:
        if all(word in image for word in words):
            engine.docker("image", "rm", "--force", image)
    for volume in now.volumes:
        if all(word in volume for word in words):
            engine.docker("volume", "rm", volume)
