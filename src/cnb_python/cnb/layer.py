"""A layer (a directory with a `<name>.toml` beside it), its variables and its SBOM.

Every change removes that file first and writes it last, so that a killed build leaves no layer
that a later build would use.
https://github.com/buildpacks/spec/blob/main/buildpack.md#layer-types
"""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Literal, Never, NewType

from cnb_python.cnb import disk, toml
from cnb_python.cnb.toml import Metadata, Unusable, Writable, checked, read_metadata
from cnb_python.errors.base import ContractBroken

Scope = NewType("Scope", str)
"""The phase or process that sees a variable: the directory of the layer that holds its file."""

BOTH = Scope("env")
BUILD = Scope("env.build")
LAUNCH = Scope("env.launch")

type Action = Literal["set", "append", "default", "override", "prepend"]
"""`set` is a file without a suffix: it overrides too, but is applied before the other files."""

_DELIMITER = ".delim"
type LayerMetadata = Metadata
# `build.toml`, `launch.toml` and `store.toml` are documents. The specification allows dots in
# names, but the lifecycle reads the layer's name of an SBOM only up to the first dot.
_RESERVED = frozenset({"build", "launch", "store"})
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_PROGRAM = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class EnvDelta:
    """One change of one variable."""

    scope: Scope
    name: str
    action: Action
    value: str
    delimiter: str = ""
    """Separates the old value, if there is one, from the appended or prepended one."""

    def __post_init__(self) -> None:
        # The name of the file is the variable up to the first dot; the kernel forbids `=` and NUL.
        if not self.name or set(self.name) & set("=/.\0"):
            raise ContractBroken("environment", f"a variable cannot be called {self.name!r}")
        if "\0" in self.value + self.delimiter:
            raise ContractBroken("environment", f"{self.name} holds a NUL")
        if self.delimiter and self.action not in {"append", "prepend"}:
            raise ContractBroken("environment", f"{self.action} {self.name} has a delimiter")

    @property
    def file_name(self) -> str:
        """The name of its file. The lifecycle applies files in the order of their names."""
        return self.name if self.action == "set" else f"{self.name}.{self.action}"


def process_scope(process: str) -> Scope:
    """Return the scope of the processes of one type."""
    return Scope(f"{LAUNCH}/{process}")


def write_env(layer: Path, deltas: Iterable[EnvDelta]) -> None:
    """Write *deltas* to *layer*, and remove all other variables there.

    Raises ContractBroken if two of them need the same file with different contents.
    """
    files = _files(deltas)
    for scope in (BOTH, BUILD, LAUNCH):
        disk.remove(layer / scope)
    for name, content in sorted(files.items()):
        if name.endswith(_DELIMITER) and not content:
            continue
        path = layer / name
        for parent in reversed(path.relative_to(layer).parents[:-1]):
            disk.make_directory(layer / parent)
        disk.write(path, content)


def _files(deltas: Iterable[EnvDelta]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for delta in deltas:
        texts = {f"{delta.scope}/{delta.file_name}": delta.value}
        if delta.action in {"append", "prepend"}:
            # Compared even if empty: both actions of a variable share the file.
            texts[f"{delta.scope}/{delta.name}{_DELIMITER}"] = delta.delimiter
        for name, text in texts.items():
            content = text.encode("utf-8", "surrogateescape")
            if files.setdefault(name, content) != content:
                raise ContractBroken("environment", f"two different contents for {name}")
    return files


class SbomFormat(Enum):
    """The format of an SBOM, by the suffix of its files; `buildpack.toml` must declare it."""

    CYCLONEDX = "cdx.json"
    SPDX = "spdx.json"
    SYFT = "syft.json"

    @property
    def media_type(self) -> str:
        """The media type for `sbom-formats` in `buildpack.toml`, without a version."""
        return f"application/{_SUBTYPES[self]}+json"


_SUBTYPES = {
    SbomFormat.CYCLONEDX: "vnd.cyclonedx",
    SbomFormat.SPDX: "spdx",
    SbomFormat.SYFT: "vnd.syft",
}


def write_sbom(layers_dir: Path, subject: str, form: SbomFormat, content: bytes) -> None:
    """Write the SBOM of *subject*: a layer's name, `launch` or `build`.

    The SBOM of a layer is restored with it, those of `launch` and `build` are not.
    """
    disk.write(layers_dir / f"{subject}.sbom.{form.value}", content)


def remove_sboms(layers_dir: Path, subject: str) -> None:
    """Remove all SBOMs of *subject*.

    One may be left over from a layer whose contents were lost; it would count for the new layer.
    """
    for form in ("{}.sbom.*", ".{}.sbom.*.partial"):
        for path in layers_dir.glob(form.format(subject)):
            disk.remove(path)


@dataclass(frozen=True, slots=True)
class LayerTypes:
    """The types of a layer: for later buildpacks, for the image, for the next build."""

    build: bool = False
    launch: bool = False
    cache: bool = False


@dataclass(frozen=True, slots=True)
class Restored:
    """The layer was restored from the previous build."""

    metadata: LayerMetadata
    has_contents: bool
    """False: its contents are only in the previous image, from which they can be reused."""


@dataclass(frozen=True, slots=True)
class Empty:
    """The layer was not restored."""

    reason: str
    """Why its metadata cannot be used; empty if it has no `.toml`."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer by its name, whether it exists or not; made by `layer_of`."""

    layers_dir: Path
    name: str

    @property
    def path(self) -> Path:
        """The directory of its contents after `finish`, also in the image."""
        return self.layers_dir / self.name

    def state(self) -> Restored | Empty:
        """Return what was restored of the layer. Never raises for the content of files."""
        if not self._toml.exists(follow_symlinks=False):
            return Empty("")
        metadata = read_metadata(self._toml)
        if isinstance(metadata, Unusable):
            return Empty(metadata.reason)
        return Restored(metadata, has_contents=_is_directory(self.path))

    def restored(self) -> LayerMetadata | None:
        """Return the restored metadata, None if the layer was not restored."""
        state = self.state()
        return state.metadata if isinstance(state, Restored) else None

    def begin(self) -> Path:
        """Return an empty directory beside the layer, in which to make its new contents.

        Leftovers of a killed build are removed; the layer itself stays until `finish`.
        """
        disk.remove(self._staging)
        disk.make_directory(self._staging)
        return self._staging

    def begin_in_place(self) -> Path:
        """Return the layer's own directory, emptied, for contents that contain their own path.

        The old layer is removed; the new one counts after `finish`.
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
        """Make the contents since `begin` or `begin_in_place` the layer.

        *exec_d* holds programs by name, which run before each start of a process. Raises
        ContractBroken, before the old layer is changed, if no contents were begun or anything to
        be written is invalid.
        """
        table = self._table(types, metadata)
        contents = self.begun()
        disk.make_directory(contents)
        write_env(contents, env)
        _write_programs(contents / "exec.d", exec_d or {})
        self._withdraw()
        remove_sboms(self.layers_dir, self.name)
        if contents != self.path:
            disk.remove(self.path)
            contents.rename(self.path)
        for form, content in (sboms or {}).items():
            write_sbom(self.layers_dir, self.name, form, content)
        self._declare(table)

    def keep(self, types: LayerTypes, metadata: LayerMetadata) -> None:
        """Keep the restored contents. A layer whose types are not written again is dropped.

        Raises ContractBroken if there are no contents.
        """
        table = self._table(types, metadata)
        if not _is_directory(self.path):
            self._refuse("kept but has no contents")
        disk.remove(self._staging)
        self._declare(table)

    def reuse_from_image(self, metadata: LayerMetadata) -> None:
        """Reuse the contents in the previous image: a launch layer without a directory.

        A directory beside the file, even an empty one, would replace the layer. The export fails
        if the previous image does not have it.
        """
        table = self._table(LayerTypes(launch=True), metadata)
        self._withdraw()
        disk.remove(self._staging)
        disk.remove(self.path)
        self._declare(table)

    def drop(self) -> None:
        """Remove the layer and all its files."""
        self._withdraw()
        remove_sboms(self.layers_dir, self.name)
        disk.remove(self._staging)
        disk.remove(self.path)

    @property
    def _toml(self) -> Path:
        return self.layers_dir / f"{self.name}.toml"

    @property
    def _staging(self) -> Path:
        # No layer can have this name. The lifecycle exports a directory only if it has a `.toml`.
        return disk.draft_of(self.path)

    def begun(self) -> Path:
        """Return the directory in which the new contents are made.

        Raises ContractBroken without one.
        """
        if _is_directory(self._staging):
            return self._staging
        if not _is_directory(self.path) or self._toml.exists(follow_symlinks=False):
            self._refuse("finished but never begun")
        return self.path

    def _declare(self, table: dict[str, Writable]) -> None:
        # The lifecycle makes the layers directory with the platform's umask, and its mode is in
        # the archive of every layer. The mode of another user's directory cannot be changed.
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


def is_layer_name(name: str) -> bool:
    """Whether the lifecycle accepts *name* for a layer, also for its SBOM."""
    return bool(_NAME.fullmatch(name)) and name not in _RESERVED


def layer_of(layers_dir: Path, name: str) -> Layer:
    """Return the layer called *name*.

    Raises ContractBroken for a name that the lifecycle does not accept, also for SBOMs.
    """
    if not is_layer_name(name):
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


def check_contents(layers_dir: Path, expected: Iterable[str]) -> None:
    """Check, at the end of a build, that exactly the *expected* layers have a directory.

    A directory made by mistake, even an empty one, would silently replace the layer of the
    previous image, in this and all later builds. Raises ContractBroken.
    """
    present = {path.name for path in layers_dir.iterdir() if _is_directory(path)}
    if present != set(expected):
        wrong = sorted(present.symmetric_difference(expected))
        raise ContractBroken("layer", f"contents exist, or are missing, by mistake: {wrong}")
