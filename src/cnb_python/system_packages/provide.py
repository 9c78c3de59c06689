"""Makes or reuses the layers of system packages.

- `system-packages`: what the image needs.
- `system-packages-build`: headers and the like, on disk only while packages are installed.
- `system-packages-debs`: the packages as they were fetched, in the cache.

An unchanged list of packages keeps the versions of the previous build: apt does not run.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cnb_python.cnb import disk
from cnb_python.cnb.context import BuildContext
from cnb_python.cnb.disk import State, state_of
from cnb_python.cnb.layer import (
    BUILD,
    LAUNCH,
    EnvDelta,
    Layer,
    LayerTypes,
    Restored,
    Scope,
    layer_of,
)
from cnb_python.cnb.toml import Metadata
from cnb_python.config.settings import Settings
from cnb_python.distributions.model import LibraryNeed
from cnb_python.errors.libraries import NoApt, OtherDistribution
from cnb_python.layers import cache_keys, sbom_files
from cnb_python.layers.cache_keys import SBOM, LayerKey, differences, names, part
from cnb_python.layers.sbom_files import LayerSbom
from cnb_python.provision.request import NoSystemPackages, SystemLayers
from cnb_python.sbom.model import Document, document
from cnb_python.system.interface import System
from cnb_python.system.output import megabytes
from cnb_python.system_packages.cache import BUDGET_BYTES, PACKAGES, DebCache, texts
from cnb_python.system_packages.request import Requested, counted, parsed

if TYPE_CHECKING:
    from cnb_python.system_packages.contents import Contents
    from cnb_python.system_packages.paths import PathVariable

NAME = cache_keys.SYSTEM_PACKAGES
DEVELOPMENT = cache_keys.SYSTEM_PACKAGES_BUILD
CACHE = f"{NAME}-debs"
# Raise it with every change of what the layers hold.
_FORMAT = "4"
_SETTING = "system_packages"
_LAUNCH, _BUILD, _SIZE = "launch", "build", "size"
# A part of the key.
_REQUESTED = "requested"
_PROGRAMS, _NEEDS = "programs", "needs"
_APT = "usr/bin/apt-get"
_RELEASE = ("etc/os-release", "usr/lib/os-release")
_CHANGED = "System packages were changed while the app's packages were built"


@dataclass(frozen=True, slots=True)
class _SystemPackagesKey(LayerKey):
    format: str = part("format of the layer")
    distro: str = part("Linux distribution of the build image")
    arch: str = part("architecture")
    directory: str = part("layers directory")
    requested: str = part("list of system packages")


def provide(
    settings: Settings,
    context: BuildContext,
    system: System,
    *,
    build: bool,
    budget: int = BUDGET_BYTES,
) -> SystemLayers:
    """Return the system packages that *settings* list; those to fetch are in place.

    *build*: whether later buildpacks get them too, with the packages for development.
    *budget*: the most bytes of fetched packages that the cache keeps.
    Raises BadSystemPackages, NoApt, OtherDistribution, RefusedSystemPackages, and what apt and the
    unpacking raise.
    """
    layers = [layer_of(context.layers_dir, name) for name in (NAME, DEVELOPMENT, CACHE)]
    if not settings.system_packages:
        was_there = isinstance(layers[0].state(), Restored)
        for layer in layers:
            layer.drop()
        return NoSystemPackages(context.environ, is_changed=was_there)
    requested = requested_by(settings)
    release = _release(system.root)
    if not (system.root / _APT).exists():
        raise NoApt(release.get("PRETTY_NAME", ""))
    _check_release(release, context)
    key = _SystemPackagesKey(
        _FORMAT,
        f"{release.get('ID', '')} {release.get('VERSION_ID', '')}".strip(),
        context.target.arch,
        str(context.layers_dir),
        _list(requested),
    )
    provided = _DebianPackages(key, requested, context, system, build, budget)
    provided.start()
    return provided


def requested_by(settings: Settings) -> tuple[Requested, ...]:
    """Return the packages that *settings* list. Raises BadSystemPackages."""
    return parsed(settings.system_packages, settings.named(_SETTING))


def is_list_of_previous_image(requested: Iterable[Requested], layers_dir: Path) -> bool:
    """Whether the restored layer was made for the list *requested*."""
    state = layer_of(layers_dir, NAME).state()
    return isinstance(state, Restored) and state.metadata.get(_REQUESTED) == _list(requested)


def _list(requested: Iterable[Requested]) -> str:
    return " ".join(map(str, requested))


@dataclass(slots=True)
class _DebianPackages:
    """The system packages of a build; implements `SystemLayers`."""

    key: _SystemPackagesKey
    requested: Sequence[Requested]
    context: BuildContext
    system: System
    build: bool
    budget: int
    is_changed: bool = False
    metadata: Metadata = field(default_factory=dict)
    """Of layer `system-packages`."""
    _previous: Metadata | None = None
    """That of the previous image, if it is valid."""
    _states: Mapping[str, Mapping[str, State]] = field(default_factory=dict)
    """Of everything in the layers, by the layer's name; empty if they are not on disk."""
    _cache: DebCache = field(init=False)

    def __post_init__(self) -> None:
        """Make the cache of fetched packages."""
        layer = self._layer(CACHE)
        self._cache = DebCache(layer, self.key, self.requested, self.context, self.system)

    def start(self) -> None:
        """Reuse what was restored if it is valid; else fetch and unpack the packages."""
        self._layer(DEVELOPMENT).drop()
        self._previous = self._restored(NAME)
        if self._layer(NAME).path.exists(follow_symlinks=False):
            self._layer(NAME).drop()  # left by a killed build
            self._previous = None
        self._cache.start(self._restored(CACHE))
        if self._previous is None:
            self.is_changed = True
            self._make(self._cache.files())
        else:
            sbom = self._sbom(self._previous)
            self.metadata = {**self._previous, SBOM: sbom.digest}
            sbom.write(self.context.layers_dir, NAME)
            self._layer(NAME).reuse_from_image(self.metadata)
            count = len(texts(self.metadata, PACKAGES))
            self.system.output.line(f"Reusing {count} system packages from the previous image")

    @property
    def environ(self) -> Mapping[str, str]:
        """The variables of the build, with those of the packages."""
        environ = dict(self.context.environ)
        for text in texts(self.metadata, _BUILD):
            name, action, value = text.split(" ", 2)
            given = environ.get(name, "")
            appended = f"{given}:{value}" if given else value
            environ[name] = (given or value) if action == "default" else appended
        return environ

    @property
    def libraries(self) -> tuple[str, ...]:
        """The directories of the image's layer in which programs search for libraries."""
        values = (text.split(" ", 2) for text in texts(self.metadata, _LAUNCH))
        return tuple(
            directory
            for name, _, value in values
            if name == "LD_LIBRARY_PATH"
            for directory in value.split(":")
        )

    @property
    def library_needs(self) -> tuple[LibraryNeed, ...]:
        """The libraries that their files are linked with and that they do not contain."""
        split = (text.split(" ") for text in texts(self.metadata, _NEEDS))
        return tuple(LibraryNeed(library, tuple(versions)) for library, *versions in split)

    @property
    def programs(self) -> frozenset[str]:
        """The names of the programs that the image gets; they are not on disk in every build."""
        return frozenset(texts(self.metadata, _PROGRAMS))

    @property
    def packages(self) -> tuple[str, ...]:
        """What the image gets: `name=version architecture sha256` of each package's file."""
        return tuple(texts(self.metadata, PACKAGES))

    @property
    def distribution(self) -> str:
        """The Linux distribution of the packages: `debian 12`."""
        return self.key.distro

    @property
    def layers(self) -> Mapping[str, str]:
        """The size in bytes of the image's layer, by its name."""
        return {NAME: str(self.metadata.get(_SIZE, ""))}

    @property
    def directories(self) -> frozenset[str]:
        """The names of the layers on disk."""
        return frozenset({*self._states, *((CACHE,) if self._cache.on_disk else ())})

    def materialize(self) -> None:
        """Write the files to disk, for what is installed in this build."""
        if not self._states:
            self._make(self._cache.files())

    def finish(self) -> None:
        """Undo what foreign code changed in the layers, and remove what only the build needed."""
        self._finish_layers()
        self._cache.finish(self.budget)

    def _finish_layers(self) -> None:
        if not self._states:
            return
        if any(_states(self._layer(name).path) != before for name, before in self._states.items()):
            self.system.output.warning(_CHANGED, ("They are unpacked again.",))
            self._make(self._cache.files())
        if not self.build:
            self._layer(DEVELOPMENT).drop()
            if self._previous and self.metadata == {**self._previous, SBOM: self.metadata[SBOM]}:
                # Equal packages make equal files.
                self._layer(NAME).reuse_from_image(self.metadata)

    def _layer(self, name: str) -> Layer:
        return layer_of(self.context.layers_dir, name)

    def _restored(self, name: str) -> Metadata | None:
        """Return the metadata of the layer *name* if it was made for the same key."""
        state = self._layer(name).state()
        if not isinstance(state, Restored):
            return None
        of_key = {each: state.metadata.get(each, "") for each in names(_SystemPackagesKey)}
        if reasons := differences(of_key, self.key):
            if name == NAME:
                for reason in reasons:
                    self.system.output.line(f"Fetching system packages: {reason}")
            return None
        return state.metadata

    def _sbom(self, metadata: Metadata) -> LayerSbom:
        """Return the SBOM of the packages in *metadata* of the image's layer."""

        def make() -> Document:
            from cnb_python.sbom import debian  # noqa: PLC0415 - unchanged builds write no SBOM

            lines = texts(metadata, PACKAGES)
            return document(NAME, debian.components(lines, self.key.distro))

        return sbom_files.restored_or_made(self.context, NAME, metadata.get(SBOM), make)

    def _make(self, files: Mapping[str, Path]) -> None:
        """Unpack *files*, packages by name, into the layers for the image and for the build."""
        output = self.system.output
        layer, development = self._layer(NAME), self._layer(DEVELOPMENT)
        unpacked = self._unpacked(files, layer, development)
        for name, reason in unpacked.left_out:
            output.line(f"Leaving out {name}: {reason}")
        size = _size(layer.path)
        self.metadata = self._metadata_of(unpacked, size)
        sbom = self._sbom(self.metadata)
        self.metadata = {**self.metadata, SBOM: sbom.digest}
        types = LayerTypes(launch=True, build=self.build)
        layer.finish(types, self.metadata, _deltas(LAUNCH, unpacked.launch), sboms=sbom.files)
        of_build = _deltas(BUILD, unpacked.build) if self.build else []
        development.finish(LayerTypes(build=self.build), {}, of_build)
        self._states = {each.name: _states(each.path) for each in (layer, development)}
        unpacked_packages = counted(len(unpacked.run_packages))
        output.line(f"Unpacked {unpacked_packages} for the image: {megabytes(size)}")

    def _unpacked(self, files: Mapping[str, Path], layer: Layer, development: Layer) -> Contents:
        from cnb_python.system_packages import contents  # noqa: PLC0415 - unchanged builds unpack nothing
        from cnb_python.system_packages.deb import Deb  # noqa: PLC0415 - as above
        from cnb_python.system_packages.paths import TRIPLETS  # noqa: PLC0415 - as above

        return contents.unpack(
            contents.UnpackRequest(
                debs={name: Deb(path) for name, path in files.items()},
                requested=self.requested,
                run_root=layer.begin_in_place(),
                development_root=development.begin_in_place(),
                triplet=TRIPLETS.get(self.context.target.arch, ""),
                system=self.system,
            )
        )

    def _metadata_of(self, unpacked: Contents, size: int) -> Metadata:
        """Return the metadata of the image's layer without its SBOM; *size* in bytes."""
        in_image = unpacked.run_packages
        lines = [line for line in self._cache.lines if line.partition("=")[0] in in_image]
        return {
            **self.key.metadata(),
            PACKAGES: lines,
            _LAUNCH: [" ".join(each) for each in unpacked.launch],
            _BUILD: [" ".join(each) for each in unpacked.build],
            _PROGRAMS: sorted(_programs(unpacked.launch)),
            _NEEDS: [" ".join((need.library, *need.versions)) for need in unpacked.needs],
            _SIZE: str(size),
        }


def _deltas(scope: Scope, variables: Iterable[PathVariable]) -> list[EnvDelta]:
    return [
        EnvDelta(scope, each.name, "append", each.value, ":")
        if each.action == "append"
        else EnvDelta(scope, each.name, "default", each.value)
        for each in variables
    ]


def _programs(variables: Iterable[PathVariable]) -> set[str]:
    """Return the names of the packages' files in the directories of PATH."""
    from cnb_python.system_packages.find_library import PROGRAMS  # noqa: PLC0415 - unchanged builds unpack nothing

    return {
        file.name
        for each in variables
        if each.name == "PATH"
        for directory in each.value.split(":")
        if not directory.endswith(PROGRAMS)
        for file in Path(directory).iterdir()
        if file.is_file()
    }


def _release(root: Path) -> dict[str, str]:
    """Return the values of os-release(5)."""
    for path in _RELEASE:
        try:
            lines = (root / path).read_text("utf-8", "replace").splitlines()
        except OSError:
            continue
        pairs = (line.partition("=") for line in lines if "=" in line)
        return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}
    return {}


def _check_release(release: Mapping[str, str], context: BuildContext) -> None:
    target = context.target
    built = release.get("ID", ""), release.get("VERSION_ID", "")
    run = target.distro_name, target.distro_version
    if all((*built, *run)) and built != run:
        raise OtherDistribution(" ".join(built), " ".join(run))


def _states(directory: Path) -> dict[str, State]:
    return {path: state_of(status) for path, status in disk.walk(directory)}


def _size(directory: Path) -> int:
    return sum((directory / path).lstat().st_size for path, _ in disk.walk(directory))
