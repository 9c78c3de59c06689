"""What one build has to provide, and the environment that app steps then work in."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol

from cnb_python.app import App
from cnb_python.cnb import toml
from cnb_python.cnb.context import PYTHON, BuildContext, merged
from cnb_python.cnb.layer import EnvDelta
from cnb_python.config.settings import Settings
from cnb_python.errors.inputs import UnreadableToml
from cnb_python.install.upload_limit import UploadLimit
from cnb_python.layers.cache_keys import EnvironmentKey, PackageKey, environment_key, package_key
from cnb_python.layers.process_defaults import launch_environment
from cnb_python.layers.python import Runtime
from cnb_python.layers.store import BuildRecord, PreviousBuild
from cnb_python.layout.names import VENV
from cnb_python.managers.base import Manager, PackageIndexes, Pin, Resolution
from cnb_python.python.releases import Release

if TYPE_CHECKING:
    from cnb_python.distributions.model import Distribution, LibraryNeed
    from cnb_python.provision.on_demand import OnDemand, ReadBefore

    # Loads compression modules, which an unchanged build does not need.
    from cnb_python.store.store import Store


_PROJECT_DESCRIPTOR = "project.toml"


class SystemLayers(Protocol):
    """The Debian packages that the app lists, in layers of their own."""

    @property
    def environ(self) -> Mapping[str, str]:
        """The variables of the build, with those by which the packages are found."""
        ...

    @property
    def is_changed(self) -> bool:
        """Whether the image gets other packages than the previous one."""
        ...

    @property
    def libraries(self) -> tuple[str, ...]:
        """The directories in which the image's processes search for their libraries."""
        ...

    @property
    def library_needs(self) -> tuple[LibraryNeed, ...]:
        """The libraries that their files are linked with and that they do not contain."""
        ...

    @property
    def programs(self) -> frozenset[str]:
        """The names of the programs that the image gets of them."""
        ...

    @property
    def packages(self) -> tuple[str, ...]:
        """What the image gets: `name=version architecture sha256` of each package's file."""
        ...

    @property
    def distribution(self) -> str:
        """The Linux distribution of the packages: `debian 12`."""
        ...

    @property
    def layers(self) -> Mapping[str, str]:
        """Bytes by name of each of their layers in the image, in digits."""
        ...

    @property
    def directories(self) -> frozenset[str]:
        """The names of their layers that are on disk."""
        ...

    def materialize(self) -> None:
        """Write the files that are only in the previous image to disk."""
        ...

    def finish(self) -> None:
        """Undo what foreign code changed, and remove what only the build needed."""
        ...


class NoSystemPackages(NamedTuple):
    """The app lists none, and the previous image has none."""

    environ: Mapping[str, str] = MappingProxyType({})
    is_changed: bool = False
    libraries: tuple[str, ...] = ()
    library_needs: tuple[LibraryNeed, ...] = ()
    programs: frozenset[str] = frozenset()
    packages: tuple[str, ...] = ()
    distribution: str = ""
    layers: Mapping[str, str] = {}
    directories: frozenset[str] = frozenset()

    def materialize(self) -> None:
        """Do nothing."""

    def finish(self) -> None:
        """Do nothing."""


NO_SYSTEM_PACKAGES = NoSystemPackages()


class PackageChecks(Protocol):
    """What is checked of the packages before anything of them runs: their age, and an audit."""

    @property
    def resolving(self) -> UploadLimit | None:
        """The limit with which resolving managers leave out releases that would not pass."""
        ...

    @property
    def building(self) -> UploadLimit | None:
        """The same for build requirements, and for the programs of managers."""
        ...

    def check_recorded(self, record: BuildRecord) -> BuildRecord:
        """Audit the packages of the previous build; return *record* with the result.

        Raises the failure that stops the build.
        """
        ...

    def check_resolved(
        self, resolution: Resolution, new: Sequence[Pin], indexes: Callable[[], PackageIndexes]
    ) -> None:
        """Check all of *resolution*; *new*: the pins that did not pass in an earlier build.

        Raises the failure that stops the build.
        """
        ...

    def recorded(self, record: BuildRecord) -> BuildRecord:
        """Return *record* with the results of `check_resolved`."""
        ...


class NoChecks(NamedTuple):
    """Nothing is checked."""

    resolving: UploadLimit | None = None
    building: UploadLimit | None = None

    def check_recorded(self, record: BuildRecord) -> BuildRecord:
        """Return *record* without an audit, whose settings have changed."""
        return record._replace(audited="", findings=())

    def check_resolved(
        self, resolution: Resolution, new: Sequence[Pin], indexes: Callable[[], PackageIndexes]
    ) -> None:
        """Do nothing."""

    def recorded(self, record: BuildRecord) -> BuildRecord:
        """Return *record*."""
        return record


NO_CHECKS = NoChecks()


@dataclass(frozen=True)
class ProvisionRequest:
    """The Python and the environment that one app needs."""

    app: App
    manager: Manager
    runtime: Runtime
    settings: Settings
    context: BuildContext
    build_consumers: str
    """The build consumers, as a phrase: `another buildpack`; else empty."""
    system_packages: SystemLayers = NO_SYSTEM_PACKAGES
    checks: PackageChecks = NO_CHECKS

    @property
    def release(self) -> Release:
        """The release of the app's Python."""
        return self.runtime.release

    @cached_property
    def package_key(self) -> PackageKey:
        """The cache key of the installed distributions."""
        return package_key(self.runtime.release, self.context, self.app.directory)

    @cached_property
    def environment_key(self) -> EnvironmentKey:
        """The cache key of their layout."""
        return environment_key(self.manager.name, self.settings, self.context)

    def env(self, distributions: Mapping[str, str]) -> tuple[EnvDelta, ...]:
        """Return the variables of the app's processes.

        *distributions* maps the normalized names of what is installed to versions.
        """
        venv = self.context.layers_dir / VENV
        return launch_environment(self.app.directory, venv, distributions)


def find_build_consumers(context: BuildContext, settings: Settings) -> str:
    """Return what needs Python and the packages during the build, as a phrase.

    Examples are `the setting BP_PYTHON_BUILD` and `another buildpack`; empty if nothing does.
    """
    if settings.build:
        return f"the setting {settings.named('build')}"
    if True in merged(context.plan, PYTHON).get("build", ()):
        return "another buildpack"
    if _adds_buildpacks(context):
        return f"the buildpacks that {_PROJECT_DESCRIPTOR} adds"
    return ""


def _adds_buildpacks(context: BuildContext) -> bool:
    """Whether the app's project descriptor adds buildpacks, which cannot declare what they need.

    https://github.com/buildpacks/spec/blob/main/extensions/project-descriptor.md
    """
    path = context.app_dir / _PROJECT_DESCRIPTOR
    try:
        table = toml.read(path) if path.is_file() else {}
    except UnreadableToml:
        return False  # the platform has read the file already, and reports the error
    buildpacks = toml.table_at(toml.table_at(table, "io"), "buildpacks")
    group, post = buildpacks.get("group"), toml.table_at(buildpacks, "post").get("group")
    # A `group` replaces the builder's, so one of its buildpacks is this one.
    return bool(post) or (isinstance(group, list) and len(group) > 1)


def resolution_digest(resolution: Resolution) -> str:
    """Return a SHA-256 in hex over every pin of *resolution*, and which are for development."""
    # Without `by_itself` and `needs`, which follow from the others and from uv's settings.
    text = "\n".join(
        "\0".join(
            map(repr, (pin.name, pin.version, pin.origin, pin.line, pin.is_cacheable, pin.extras))
        )
        for pin in resolution.pins
    )
    if resolution.development:
        text += "\n" + " ".join(sorted(resolution.development))
    return hashlib.sha256(text.encode()).hexdigest()


def env_digest(env: tuple[EnvDelta, ...]) -> str:
    """Return a SHA-256 in hex over the variables *env*."""
    return hashlib.sha256(repr(env).encode()).hexdigest()


class ProvidedEnvironment(NamedTuple):
    """The environment of one build, whether its files are on disk or only in the image."""

    request: ProvisionRequest
    distributions: Mapping[str, str]
    """Version by normalized name."""
    layers: Mapping[str, str]
    """Digest of its contents by name of each layer."""
    static_files_key: str
    """`BuildRecord.static_files_key` of the previous build; empty if it has none."""
    sizes: Mapping[str, str]
    """Bytes by name of the previous image's layers, in digits, as far as recorded."""
    store: Callable[[], Store]
    """Opens the store, with what the previous build put into it."""
    installed: Sequence[Distribution] = ()
    """The distributions with their files; none if every layer is in the previous image."""
    on_demand: OnDemand | None = None
    """What need not be on disk at once; None if everything is."""


def environment_of(
    request: ProvisionRequest,
    previous: PreviousBuild,
    distributions: Mapping[str, str],
    layers: Mapping[str, str],
    store: Callable[[], Store],
    installed: Sequence[Distribution] = (),
) -> ProvidedEnvironment:
    """Return the environment, with what the record of the previous build adds."""
    record = previous.record
    static_files_key = record.static_files_key if record and previous.has_store else ""
    sizes = record.layer_sizes if record else {}
    return ProvidedEnvironment(
        request, distributions, layers, static_files_key, sizes, store, installed
    )


type StepsNeedingEnvironment = Callable[[ProvidedEnvironment], str]
"""Returns the app steps that need the environment on disk, as a phrase; empty if none does.

Called once per build, when the environment is known and before any layer is written.
"""


def no_steps(environment: ProvidedEnvironment) -> str:
    """Return that no app step needs the environment."""
    del environment
    return ""


type ReadByStep = Callable[[], ReadBefore | None]
"""Returns what the only step that needs the environment read before; None if it is not known.

Called after `StepsNeedingEnvironment`.
"""


def nothing_read() -> None:
    """Return that it is not known what a step reads."""


class StepResults(NamedTuple):
    """What the app steps added."""

    layers: Mapping[str, int] = {}
    """Bytes by name of each further layer of the image."""
    new_layers: frozenset[str] = frozenset()
    """The names of those layers that this build made, instead of reusing them."""
    trees: frozenset[str] = frozenset()
    """The keys of the archives that the store has to keep."""
    records: frozenset[str] = frozenset()
    """Those of `trees` whose sizes may differ between two builds of the same app."""
    static_files_key: str = ""
    """`BuildRecord.static_files_key` of this build."""
    downloads: tuple[str, ...] = ()
    """SHA-256 and name of each file that another layer of the image was made from."""
    hooks: tuple[str, ...] = ()
    """SHA-256 and name of each hook of the app. What hooks download is not known."""


class Provided(Protocol):
    """Python and the environment, after provisioning and before the app steps."""

    @property
    def environment(self) -> ProvidedEnvironment:
        """The environment of this build."""
        ...

    @property
    def needed_by(self) -> str:
        """The app steps for which all layers are on disk, as a phrase; else empty."""
        ...

    def finish(self, results: StepResults) -> BuildRecord:
        """Remove temporary layers, save the store and return the build record.

        Called after the last app step. Raises PackagesChanged if a step changed an installed
        file, and PackagesAdded if it installed a package.
        """
        ...
