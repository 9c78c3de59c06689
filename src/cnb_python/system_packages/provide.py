"""Makes or reuses the layers of system packages.

- `system-packages`: what the image needs.
- `system-packages-build`: headers and the like, on disk only while packages are installed.
- `system-packages-debs`: the packages as they were fetched, in the cache.

An unchanged list of packages keeps the versions of the previous build: apt does not run.
"""

import hashlib
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
from cnb_python.errors.libraries import NoApt, OtherDistribution
from cnb_python.layers import cache_keys, sbom_files
from cnb_python.layers.cache_keys import SBOM, LayerKey, differences, names, part
from cnb_python.layers.previous_image import WORK
from cnb_python.layers.sbom_files import LayerSbom
from cnb_python.provision.request import NoSystemPackages, SystemLayers
from cnb_python.sbom.model import Document, document
from cnb_python.system.interface import System
from cnb_python.system.output import megabytes
from cnb_python.system_packages.request import Requested, parsed

if TYPE_CHECKING:
    from cnb_python.system_packages.paths import PathVariable

NAME = cache_keys.SYSTEM_PACKAGES
DEVELOPMENT = f"{NAME}-build"
CACHE = f"{NAME}-debs"
# Raise it with every change of what the layers hold.
_FORMAT = "2"
_SETTING = "system_packages"
_PACKAGES, _LAUNCH, _BUILD, _SIZE = "packages", "launch", "build", "size"
_PROGRAMS = "programs"
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
    settings: Settings, context: BuildContext, system: System, *, build: bool
) -> SystemLayers:
    """Return the system packages that *settings* list; those to fetch are in place.

    *build*: whether later buildpacks get them too, with the packages for development.
    Raises BadSystemPackages, NoApt, OtherDistribution, RefusedSystemPackages, and what apt and the
    unpacking raise.
    """
    layers = [layer_of(context.layers_dir, name) for name in (NAME, DEVELOPMENT, CACHE)]
    if not settings.system_packages:
        was_there = isinstance(layers[0].state(), Restored)
        for layer in layers:
            layer.drop()
        return NoSystemPackages(context.environ, is_changed=was_there)
    requested = parsed(settings.system_packages, settings.named(_SETTING))
    release = _release(system.root)
    if not (system.root / _APT).exists():
        raise NoApt(release.get("PRETTY_NAME", ""))
    _check_release(release, context)
    key = _SystemPackagesKey(
        _FORMAT,
        f"{release.get('ID', '')} {release.get('VERSION_ID', '')}".strip(),
        context.target.arch,
        str(context.layers_dir),
        " ".join(map(str, requested)),
    )
    provided = _DebianPackages(key, requested, context, system, build)
    provided.start()
    return provided


@dataclass(slots=True)
class _DebianPackages:
    """The system packages of a build; implements `SystemLayers`."""

    key: _SystemPackagesKey
    requested: Sequence[Requested]
    context: BuildContext
    system: System
    build: bool
    is_changed: bool = False
    metadata: Metadata = field(default_factory=dict)
    """Of layer `system-packages`."""
    _previous: Metadata | None = None
    """That of the previous image, if it is valid."""
    _states: Mapping[str, Mapping[str, State]] = field(default_factory=dict)
    """Of everything in the layers, by the layer's name; empty if they are not on disk."""
    _has_cache: bool = False

    def start(self) -> None:
        """Reuse what was restored if it is valid; else fetch and unpack the packages."""
        self._layer(DEVELOPMENT).drop()
        self._previous = self._restored(NAME)
        if self._layer(NAME).path.exists(follow_symlinks=False):
            self._layer(NAME).drop()  # left by a killed build
            self._previous = None
        self._keep_cache()
        if self._previous is None:
            self.is_changed = True
            self._make(self._fetched())
        else:
            sbom = self._sbom(self._previous)
            self.metadata = {**self._previous, SBOM: sbom.digest}
            sbom.write(self.context.layers_dir, NAME)
            self._layer(NAME).reuse_from_image(self.metadata)
            count = len(_texts(self.metadata, _PACKAGES))
            self.system.output.line(f"Reusing {count} system packages from the previous image")

    @property
    def environ(self) -> Mapping[str, str]:
        """The variables of the build, with those of the packages."""
        environ = dict(self.context.environ)
        for text in _texts(self.metadata, _BUILD):
            name, action, value = text.split(" ", 2)
            given = environ.get(name, "")
            appended = f"{given}:{value}" if given else value
            environ[name] = (given or value) if action == "default" else appended
        return environ

    @property
    def libraries(self) -> tuple[str, ...]:
        """The directories of the image's layer in which programs search for libraries."""
        values = (text.split(" ", 2) for text in _texts(self.metadata, _LAUNCH))
        return tuple(
            directory
            for name, _, value in values
            if name == "LD_LIBRARY_PATH"
            for directory in value.split(":")
        )

    @property
    def programs(self) -> frozenset[str]:
        """The names of the programs that the image gets; they are not on disk in every build."""
        return frozenset(_texts(self.metadata, _PROGRAMS))

    @property
    def packages(self) -> tuple[str, ...]:
        """What the image gets: `name=version architecture sha256` of each package's file."""
        return tuple(_texts(self.metadata, _PACKAGES))

    @property
    def layers(self) -> Mapping[str, str]:
        """The size in bytes of the image's layer, by its name."""
        return {NAME: str(self.metadata.get(_SIZE, ""))}

    @property
    def directories(self) -> frozenset[str]:
        """The names of the layers on disk."""
        return frozenset({*self._states, *((CACHE,) if self._has_cache else ())})

    def materialize(self) -> None:
        """Write the files to disk, for what is installed in this build."""
        if not self._states:
            self._make(self._fetched())

    def finish(self) -> None:
        """Undo what foreign code changed in the layers, and remove what only the build needed."""
        if not self._states:
            return
        if any(_states(self._layer(name).path) != before for name, before in self._states.items()):
            self.system.output.warning(_CHANGED, ("They are unpacked again.",))
            self._make(self._fetched())
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

            lines = _texts(metadata, _PACKAGES)
            return document(NAME, debian.components(lines, self.key.distro))

        return sbom_files.restored_or_made(self.context.layers_dir, NAME, metadata.get(SBOM), make)

    def _keep_cache(self) -> None:
        restored = self._restored(CACHE)
        layer = self._layer(CACHE)
        if restored is None or not layer.path.is_dir():
            layer.drop()
        else:
            layer.keep(LayerTypes(cache=True), restored)
            self._has_cache = True

    def _fetched(self) -> Mapping[str, Path]:
        """Return the files of all packages by name, from the cache if they are there."""
        cached = self._restored(CACHE)
        if cached is not None:
            lines = _texts(cached, _PACKAGES)
            if files := _verified(self._layer(CACHE).path, lines):
                return files
        return self._fetch()

    def _fetch(self) -> Mapping[str, Path]:
        from cnb_python.system_packages.fetch import fetch  # noqa: PLC0415 - unchanged builds run no apt

        layer = self._layer(CACHE)
        work = self.context.layers_dir / WORK
        disk.remove(work)
        disk.make_directory(work)
        try:
            lines = fetch(self.requested, work, layer.begin_in_place(), self.context, self.system)
        finally:
            disk.remove(work)
        layer.finish(LayerTypes(cache=True), {**self.key.metadata(), _PACKAGES: list(lines)})
        self._has_cache = True
        return _verified(layer.path, lines)

    def _make(self, files: Mapping[str, Path]) -> None:
        from cnb_python.system_packages import contents  # noqa: PLC0415 - unchanged builds unpack nothing
        from cnb_python.system_packages.deb import Deb  # noqa: PLC0415 - as above
        from cnb_python.system_packages.paths import TRIPLETS  # noqa: PLC0415 - as above

        output = self.system.output
        layer, development = self._layer(NAME), self._layer(DEVELOPMENT)
        unpacked = contents.unpack(
            contents.UnpackRequest(
                debs={name: Deb(path) for name, path in files.items()},
                requested=self.requested,
                run_root=layer.begin_in_place(),
                development_root=development.begin_in_place(),
                triplet=TRIPLETS.get(self.context.target.arch, ""),
                system=self.system,
            )
        )
        for name, reason in unpacked.left_out:
            output.line(f"Leaving out {name}: {reason}")
        size = _size(layer.path)
        cached = self._restored(CACHE) or {}
        self.metadata = {
            **self.key.metadata(),
            _PACKAGES: [
                line
                for line in _texts(cached, _PACKAGES)
                if line.partition("=")[0] in unpacked.run_packages
            ],
            _LAUNCH: [" ".join(each) for each in unpacked.launch],
            _BUILD: [" ".join(each) for each in unpacked.build],
            _PROGRAMS: sorted(_programs(unpacked.launch)),
            _SIZE: str(size),
        }
        env = _deltas(LAUNCH, unpacked.launch)
        of_build = _deltas(BUILD, unpacked.build) if self.build else []
        sbom = self._sbom(self.metadata)
        self.metadata = {**self.metadata, SBOM: sbom.digest}
        types = LayerTypes(launch=True, build=self.build)
        layer.finish(types, self.metadata, env, sboms=sbom.files)
        development.finish(LayerTypes(build=self.build), {}, of_build)
        self._states = {each.name: _states(each.path) for each in (layer, development)}
        count = len(unpacked.run_packages)
        output.line(f"Unpacked {count} system packages for the image: {megabytes(size)}")


def _deltas(scope: Scope, variables: Iterable[PathVariable]) -> list[EnvDelta]:
    return [
        EnvDelta(scope, each.name, "append", each.value, ":")
        if each.action == "append"
        else EnvDelta(scope, each.name, "default", each.value)
        for each in variables
    ]


def _programs(variables: Iterable[PathVariable]) -> set[str]:
    """Return the names of the files in the directories of PATH."""
    return {
        file.name
        for each in variables
        if each.name == "PATH"
        for directory in each.value.split(":")
        for file in Path(directory).iterdir()
        if file.is_file()
    }


def _verified(directory: Path, lines: Iterable[str]) -> dict[str, Path]:
    """Return the files in *directory* by package; none if one of *lines* is not there, or damaged.

    Each line is a package as `PlannedPackage` prints it: name, version, architecture, digest.
    """
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


def _texts(metadata: Mapping[str, object], name: str) -> list[str]:
    listed = metadata.get(name)
    return [text for text in listed if isinstance(text, str)] if isinstance(listed, list) else []
