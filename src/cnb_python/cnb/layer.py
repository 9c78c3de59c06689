"""A layer: a directory that is trusted only while `<name>.toml` stands beside it.

Every change withdraws that file first and writes it last, so a build killed in between leaves
nothing that a later one would take for a good layer.
https://github.com/buildpacks/spec/blob/main/buildpack.md#layer-types
"""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Never

from cnb_python.cnb import disk, toml
from cnb_python.cnb.env import EnvDelta
from cnb_python.cnb.env import write as write_env
from cnb_python.cnb.toml import Metadata, Unusable, Writable, checked, read_metadata
from cnb_python.errors.base import ContractBroken


class SbomFormat(Enum):
    """A format by the ending of its files; buildpack.toml must declare its media type."""

    CYCLONEDX = "cdx.json"
    SPDX = "spdx.json"
    SYFT = "syft.json"

    @property
    def media_type(self) -> str:
        """What `sbom-formats` in buildpack.toml calls it, without a version."""
        return f"application/{_SUBTYPES[self]}+json"


_SUBTYPES = {
    SbomFormat.CYCLONEDX: "vnd.cyclonedx",
    SbomFormat.SPDX: "spdx",
    SbomFormat.SYFT: "vnd.syft",
}


def write_sbom(layers_dir: Path, subject: str, form: SbomFormat, content: bytes) -> None:
    """Write the bill of *subject*: a layer's name, `launch` or `build`.

    Those of a layer are restored with it, those of `launch` and `build` never.
    """
    disk.write(layers_dir / f"{subject}.sbom.{form.value}", content)


def remove_sboms(layers_dir: Path, subject: str) -> None:
    """Remove every bill of *subject*.

    One can be left from a layer whose cache was lost, and would be taken for the new layer's.
    """
    for form in ("{}.sbom.*", ".{}.sbom.*.partial"):
        for path in layers_dir.glob(form.format(subject)):
            disk.remove(path)


type LayerMetadata = Metadata

# `build.toml`, `launch.toml` and `store.toml` are documents. No dots, although the specification
# has them: the lifecycle takes a bill of materials' layer name up to the first one.
_RESERVED = frozenset({"build", "launch", "store"})
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_PROGRAM = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class LayerTypes:
    """Who sees a layer: later buildpacks, the image, the next build."""

    build: bool = False
    launch: bool = False
    cache: bool = False


@dataclass(frozen=True, slots=True)
class Restored:
    """The previous build left this layer."""

    metadata: LayerMetadata
    has_contents: bool
    """False: its contents are in the previous image, where it can be re-used from."""


@dataclass(frozen=True, slots=True)
class Empty:
    """There is nothing to start from."""

    reason: str
    """Why what was there cannot be used; empty when nothing was there."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer by its name, whether or not it exists: see `layer_of`."""

    layers_dir: Path
    name: str

    @property
    def path(self) -> Path:
        """Where its contents are once `finish` has run, and in the image."""
        return self.layers_dir / self.name

    def state(self) -> Restored | Empty:
        """Return what the previous build left. Never raises for what the files hold."""
        if not self._toml.exists(follow_symlinks=False):
            return Empty("")
        found = read_metadata(self._toml)
        if isinstance(found, Unusable):
            return Empty(found.reason)
        return Restored(found, has_contents=_is_directory(self.path))

    def restored(self) -> LayerMetadata | None:
        """Return the metadata the previous build left; None when there is none we can use."""
        state = self.state()
        return state.metadata if isinstance(state, Restored) else None

    def begin(self) -> Path:
        """Return a fresh directory to fill, beside the layer and without a `.toml`.

        Whatever a killed build left there is removed; the layer itself stays until `finish`.
        """
        disk.remove(self._staging)
        disk.make_directory(self._staging)
        return self._staging

    def begin_in_place(self) -> Path:
        """Return the layer's own directory, fresh, for contents that name their own path.

        The old layer is gone from here on; the new one counts once `finish` has run.
        """
        self._withdraw()
        disk.remove(self._staging)
        disk.remove(self.path)
        disk.make_directory(self.path)
        return self.path

    def finish(
        self,
        types: LayerTypes,
        metadata: LayerMetadata,
        env: Iterable[EnvDelta] = (),
        exec_d: Mapping[str, bytes] | None = None,
        sboms: Mapping[SbomFormat, bytes] | None = None,
    ) -> None:
        """Make what was filled since `begin` or `begin_in_place` the layer.

        *exec_d* holds programs by name, which run before each start of a process; *sboms* the
        bills of materials. Raises ContractBroken, before the old layer is touched, when nothing
        was begun or what is to be written is invalid.
        """
        table = self._table(types, metadata)
        made = self._made()
        disk.make_directory(made)
        write_env(made, env)
        _write_programs(made / "exec.d", exec_d or {})
        self._withdraw()
        remove_sboms(self.layers_dir, self.name)
        if made != self.path:
            disk.remove(self.path)
            made.rename(self.path)
        for form, content in (sboms or {}).items():
            write_sbom(self.layers_dir, self.name, form, content)
        self._declare(table)

    def keep(self, types: LayerTypes, metadata: LayerMetadata) -> None:
        """Keep the restored contents; the types must be written on every build or it is dropped.

        Raises ContractBroken when there are no contents.
        """
        table = self._table(types, metadata)
        if not _is_directory(self.path):
            self._refuse("kept but has no contents")
        disk.remove(self._staging)
        self._declare(table)

    def reuse_from_image(self, metadata: LayerMetadata) -> None:
        """Take the contents from the previous image: launch only, and no directory here.

        A directory beside the file, even an empty one, would replace the good layer. Without a
        previous image that has the layer, the export fails.
        """
        table = self._table(LayerTypes(launch=True), metadata)
        self._withdraw()
        disk.remove(self._staging)
        disk.remove(self.path)
        self._declare(table)

    def drop(self) -> None:
        """Remove all there is of the layer."""
        self._withdraw()
        remove_sboms(self.layers_dir, self.name)
        disk.remove(self._staging)
        disk.remove(self.path)

    @property
    def _toml(self) -> Path:
        return self.layers_dir / f"{self.name}.toml"

    @property
    def _staging(self) -> Path:
        # No layer can be called so. The lifecycle exports a directory only for its `.toml`.
        return disk.draft_of(self.path)

    def _made(self) -> Path:
        if _is_directory(self._staging):
            return self._staging
        if not _is_directory(self.path) or self._toml.exists(follow_symlinks=False):
            self._refuse("finished but never begun")
        return self.path

    def _declare(self, table: dict[str, Writable]) -> None:
        # The lifecycle makes the directory of our layers with the platform's umask, and its mode
        # is part of every layer's archive. A directory that is somebody else's stays as it is.
        with suppress(PermissionError):
            disk.make_directory(self.layers_dir)
        toml.write(self._toml, table)

    def _withdraw(self) -> None:
        disk.remove(self._toml)
        disk.remove(disk.draft_of(self._toml))

    def _table(self, types: LayerTypes, metadata: LayerMetadata) -> dict[str, Writable]:
        document = f"{self.name}.toml"
        return {"types": asdict(types), "metadata": checked(metadata, document)}

    def _refuse(self, problem: str) -> Never:
        raise ContractBroken("layer", f"{self.name} is {problem}")


def layer_of(layers_dir: Path, name: str) -> Layer:
    """Return the layer called *name*.

    Raises ContractBroken for a name that the lifecycle, or its bills of materials, take amiss.
    """
    if not _NAME.fullmatch(name) or name in _RESERVED:
        raise ContractBroken("layer", f"a layer cannot be called {name!r}")
    return Layer(layers_dir, name)


def _is_directory(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _write_programs(directory: Path, programs: Mapping[str, bytes]) -> None:
    if programs:
        disk.remove(directory)
        disk.make_directory(directory)
    for name, content in programs.items():
        if not _PROGRAM.fullmatch(name):
            raise ContractBroken("layer", f"an exec.d program cannot be called {name!r}")
        disk.write(directory / name, content, disk.PROGRAM_MODE)


def check_contents(layers_dir: Path, made: Iterable[str]) -> None:
    """Assert that exactly the layers *made* have a directory; for the very end of a build.

    One that has a directory by mistake, even an empty one, would silently replace the good layer
    of the previous image, and be re-used from then on. Raises ContractBroken.
    """
    present = {path.name for path in layers_dir.iterdir() if _is_directory(path)}
    if present != set(made):
        wrong = sorted(present.symmetric_difference(made))
        raise ContractBroken("layer", f"contents were made, or not made, by mistake: {wrong}")
