"""The environment of one build: what app steps learn of it, and what they leave for its record."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol

from cnb_python.layers.store import BuildRecord, PreviousBuild
from cnb_python.provision.request import ProvisionRequest

if TYPE_CHECKING:
    # Loads compression modules, which an unchanged build does not need.
    from cnb_python.store.store import Store


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


def environment_of(
    request: ProvisionRequest,
    previous: PreviousBuild,
    distributions: Mapping[str, str],
    layers: Mapping[str, str],
    store: Callable[[], Store],
) -> ProvidedEnvironment:
    """Return the environment, with what the record of the previous build adds."""
    record = previous.record
    static_files_key = record.static_files_key if record and previous.has_store else ""
    sizes = record.layer_sizes if record else {}
    return ProvidedEnvironment(request, distributions, layers, static_files_key, sizes, store)


type StepsNeedingEnvironment = Callable[[ProvidedEnvironment], str]
"""Returns the app steps that need the environment on disk, as a phrase; empty if none does.

Called once per build, when the environment is known and before any layer is written.
"""


def no_steps(environment: ProvidedEnvironment) -> str:
    """Return that no app step needs the environment."""
    del environment
    return ""


class StepResults(NamedTuple):
    """What the app steps added."""

    layers: Mapping[str, int] = {}
    """Bytes by name of each further layer of the image."""
    new_layers: frozenset[str] = frozenset()
    """The names of those layers that this build made, instead of reusing them."""
    trees: frozenset[str] = frozenset()
    """The keys of the archives that the store has to keep."""
    static_files_key: str = ""
    """`BuildRecord.static_files_key` of this build."""


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
