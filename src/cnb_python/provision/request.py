"""What one build is to provide."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol

from cnb_python.cnb.layer import check_contents
from cnb_python.layers import python
from cnb_python.layers import store as store_layer
from cnb_python.layers.store import BuildRecord, PreviousBuild

if TYPE_CHECKING:
    # Loads compression modules, which an unchanged build can do without.
    from cnb_python.store.store import Store


import hashlib
from dataclasses import dataclass
from functools import cached_property

from cnb_python.app import App
from cnb_python.cnb import toml
from cnb_python.cnb.context import BuildContext
from cnb_python.cnb.env import EnvDelta
from cnb_python.cnb.plan import PYTHON, merged
from cnb_python.config.settings import Settings
from cnb_python.errors.inputs import UnreadableToml
from cnb_python.layers.cache_keys import EnvironmentKey, PackageKey, environment_key, package_key
from cnb_python.layers.process_defaults import launch_environment
from cnb_python.layers.python import Runtime
from cnb_python.layout.names import VENV
from cnb_python.managers.base import Manager, Resolution
from cnb_python.python.releases import Release


class ProvidedEnvironment(NamedTuple):
    """What the environment of this build is, wherever its files are."""

    job: ProvisionRequest
    distributions: Mapping[str, str]
    """Version by name."""
    layers: Mapping[str, str]
    """Digest of its contents by name of each layer."""
    static_files_key: str
    """What the previous build noted of its static files; see `Record.collected`."""
    sizes: Mapping[str, str]
    """Bytes in digits by name of the previous image's layers, as far as they are known."""
    store: Callable[[], Store]
    """Opens the store; what a previous build kept can be brought from it."""


def environment_of(
    job: ProvisionRequest,
    before: PreviousBuild,
    distributions: Mapping[str, str],
    layers: Mapping[str, str],
    store: Callable[[], Store],
) -> ProvidedEnvironment:
    """Return the environment with what is known from the build *before*."""
    record = before.record
    static_files_key = record.static_files_key if record and before.has_store else ""
    sizes = record.layer_sizes if record else {}
    return ProvidedEnvironment(job, distributions, layers, static_files_key, sizes, store)


type StepsNeedingEnvironment = Callable[[ProvidedEnvironment], str]
"""Who of ours wants to run something in it, as a phrase; empty: nobody.

Asked once in a build, when the environment is known and before anything is laid out.
"""


def no_steps(environment: ProvidedEnvironment) -> str:
    """Nobody wants to run anything."""
    del environment
    return ""


class StepResults(NamedTuple):
    """What running something in it has added."""

    layers: Mapping[str, int] = {}
    """Bytes by name of each further layer of the image."""
    made: frozenset[str] = frozenset()
    """The names of those that were made, and not taken from the previous image."""
    trees: frozenset[str] = frozenset()
    """The keys of what the store is to keep."""
    static_files_key: str = ""
    """To be noted; see `Record.collected`."""


class Provided(Protocol):
    """Python and the packages, here where somebody wants to run something in them."""

    @property
    def environment(self) -> ProvidedEnvironment:
        """What there is."""
        ...

    @property
    def needed_by(self) -> str:
        """Who wants to run something in it, which is all here then; empty: nobody."""
        ...

    def close(self, added: StepResults) -> BuildRecord:
        """Take back what the previous image has, and note what there is; nothing runs after it.

        Raises PackagesChanged when what ran changed what was installed, PackagesAdded when it
        installed more.
        """
        ...


class Reused(NamedTuple):
    """Everything is taken from the previous image."""

    environment: ProvidedEnvironment
    before: PreviousBuild
    record: BuildRecord
    needed_by: str = ""

    def close(self, added: StepResults) -> BuildRecord:
        """Keep the store as it is."""
        context = self.environment.job.context
        known = {python.NAME, store_layer.NAME, *self.record.layers}
        sizes = {name: size for name, size in self.record.layer_sizes.items() if name in known}
        sizes |= {name: str(size) for name, size in added.layers.items()}
        record = self.record._replace(layer_sizes=sizes)
        store_layer.keep(context, self.before, record)
        kept = (store_layer.NAME,) if self.before.has_store else ()
        check_contents(context.layers_dir, {*kept, *added.made})
        return record


_PROJECT = "project.toml"


def find_build_consumers(context: BuildContext, settings: Settings) -> str:
    """Return who asked, as a phrase: `the setting BP_PYTHON_BUILD`; empty where nobody did."""
    if settings.build:
        return f"the setting {settings.named('build')}"
    if True in merged(context.plan, PYTHON).get("build", ()):
        return "another buildpack"
    if _adds_buildpacks(context):
        return f"the buildpacks that {_PROJECT} adds"
    return ""


def _adds_buildpacks(context: BuildContext) -> bool:
    """Whether the app's project descriptor adds buildpacks, which cannot say what they need.

    https://github.com/buildpacks/spec/blob/main/extensions/project-descriptor.md
    """
    path = context.app_dir / _PROJECT
    try:
        table = toml.read(path) if path.is_file() else {}
    except UnreadableToml:
        return False  # pack has read it before us, and says so
    buildpacks = toml.table_at(toml.table_at(table, "io"), "buildpacks")
    own, after = buildpacks.get("group"), toml.table_at(buildpacks, "post").get("group")
    # A group in place of the builder's has us in it.
    return bool(after) or (isinstance(own, list) and len(own) > 1)


@dataclass(frozen=True)
class ProvisionRequest:
    """Python and the packages of an app."""

    app: App
    manager: Manager
    runtime: Runtime
    settings: Settings
    context: BuildContext
    build_consumers: str
    """Who else wants to see Python and the packages, as a phrase; empty: nobody."""
    tools: str
    """The tools that install, with their versions: `pip 26.3, uv 0.13.8`."""

    @property
    def release(self) -> Release:
        """The app's Python."""
        return self.runtime.release

    @cached_property
    def package_key(self) -> PackageKey:
        """What everything that is installed depends on."""
        return package_key(self.runtime.release, self.context, self.tools, self.app.directory)

    @cached_property
    def environment_key(self) -> EnvironmentKey:
        """What else the image's environment depends on."""
        return environment_key(self.manager.name, self.settings, self.context)

    def env(self, distributions: Mapping[str, str]) -> tuple[EnvDelta, ...]:
        """Return the variables of the app's processes, with *distributions* installed."""
        venv = self.context.layers_dir / VENV
        return launch_environment(self.app.directory, venv, distributions)


def decision_digest(decision: Resolution) -> str:
    """Return a SHA-256 in hex over everything that was decided."""
    text = "\n".join("\0".join(map(repr, pin)) for pin in decision.pins)
    return hashlib.sha256(text.encode()).hexdigest()


def env_digest(env: tuple[EnvDelta, ...]) -> str:
    """Return a SHA-256 in hex over variables."""
    return hashlib.sha256(repr(env).encode()).hexdigest()
