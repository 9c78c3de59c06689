"""The cache layer of system packages: their files as apt fetched them.

Every build restores and saves it, which takes time in proportion to its size. Beyond a budget it
keeps names, versions and digests only, and a build that needs the files fetches the same again.

Separate from `provide`, which decides what the layers for the image and for builds hold.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnb_python.cnb import disk
from cnb_python.cnb.context import BuildContext
from cnb_python.cnb.layer import Layer, LayerTypes
from cnb_python.cnb.toml import Metadata
from cnb_python.layers.cache_keys import LayerKey
from cnb_python.layers.previous_image import WORK
from cnb_python.system.interface import System
from cnb_python.system.output import megabytes
from cnb_python.system_packages.request import Requested

PACKAGES = "packages"
"""The name in the metadata of the list of packages, each as `PlannedPackage` prints it."""
BUDGET_BYTES = 64 * 1024 * 1024
"""The most that the cache keeps, as in the store."""
_TYPES = LayerTypes(cache=True)


@dataclass(slots=True)
class DebCache:
    """The fetched packages of one build, in the layer *layer*."""

    layer: Layer
    key: LayerKey
    requested: Sequence[Requested]
    context: BuildContext
    system: System
    lines: Sequence[str] = ()
    """A line for each package: name, version, architecture, digest."""
    on_disk: bool = False

    def start(self, restored: Metadata | None) -> None:
        """Keep the layer if *restored*, its metadata, is for the same key."""
        if restored is None or not self.layer.path.is_dir():
            self.layer.drop()
        else:
            self.layer.keep(_TYPES, restored)
            self.lines, self.on_disk = texts(restored, PACKAGES), True

    def files(self) -> Mapping[str, Path]:
        """Return the files of all packages by name; those that are not there are fetched.

        Raises what `fetch` raises.
        """
        return (self.on_disk and _verified(self.layer.path, self.lines)) or self._fetch()

    def finish(self, budget: int) -> None:
        """Remove the files if they are larger than *budget* (bytes)."""
        size = sum(status.st_size for _, status in disk.walk(self.layer.path))
        if not self.on_disk or size <= budget:
            return
        self.system.output.line(
            f"Not keeping the fetched packages in the cache: {megabytes(size)}, more than "
            f"{megabytes(budget)}"
        )
        self.layer.begin_in_place()
        self._record()

    def _fetch(self) -> Mapping[str, Path]:
        from cnb_python.system_packages.fetch import fetch  # noqa: PLC0415 - unchanged builds run no apt

        work = self.context.layers_dir / WORK
        disk.remove(work)
        disk.make_directory(work)
        into = self.layer.begin_in_place()
        try:
            self.lines = fetch(self.requested, self.lines, work, into, self.context, self.system)
        finally:
            disk.remove(work)
        self._record()
        return _verified(self.layer.path, self.lines)

    def _record(self) -> None:
        self.layer.finish(_TYPES, {**self.key.metadata(), PACKAGES: list(self.lines)})
        self.on_disk = True


def texts(metadata: Mapping[str, object], name: str) -> list[str]:
    """Return the texts of the list *name* in *metadata*, which may come from a damaged layer."""
    listed = metadata.get(name)
    return [text for text in listed if isinstance(text, str)] if isinstance(listed, list) else []


def _verified(directory: Path, lines: Iterable[str]) -> dict[str, Path]:
    """Return the files in *directory* by package; none if one of *lines* is missing or damaged."""
    files = {}
    for line in lines:
        name, _, remaining = line.partition("=")
        digest = remaining.rpartition(" ")[2]
        path = directory / f"{name}.deb"
        try:
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                    return {}
        except OSError:
            return {}
        files[name] = path
    return files
