"""What a build has of Python and the packages, until everything that runs in them has run."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol

from cnb_python.cnb.layer import check_contents
from cnb_python.layers import python
from cnb_python.layers import store as store_layer
from cnb_python.layers.build_record import Record
from cnb_python.layers.store import Previous
from cnb_python.provision.request import Job

if TYPE_CHECKING:
    # Loads compression modules, which an unchanged build can do without.
    from cnb_python.store.store import Store


class Environment(NamedTuple):
    """What the environment of this build is, wherever its files are."""

    job: Job
    distributions: Mapping[str, str]
    """Version by name."""
    layers: Mapping[str, str]
    """Digest of its contents by name of each layer."""
    collected: str
    """What the previous build noted of its static files; see `Record.collected`."""
    sizes: Mapping[str, str]
    """Bytes in digits by name of the previous image's layers, as far as they are known."""
    store: Callable[[], Store]
    """Opens the store; what a previous build kept can be brought from it."""


def environment_of(
    job: Job,
    before: Previous,
    distributions: Mapping[str, str],
    layers: Mapping[str, str],
    store: Callable[[], Store],
) -> Environment:
    """Return the environment with what is known from the build *before*."""
    record = before.record
    collected = record.collected if record and before.has_store else ""
    sizes = record.layer_sizes if record else {}
    return Environment(job, distributions, layers, collected, sizes, store)


type Wants = Callable[[Environment], str]
"""Who of ours wants to run something in it, as a phrase; empty: nobody.

Asked once in a build, when the environment is known and before anything is laid out.
"""


def nobody(environment: Environment) -> str:
    """Nobody wants to run anything."""
    del environment
    return ""


class Added(NamedTuple):
    """What running something in it has added."""

    layers: Mapping[str, int] = {}
    """Bytes by name of each further layer of the image."""
    made: frozenset[str] = frozenset()
    """The names of those that were made, and not taken from the previous image."""
    trees: frozenset[str] = frozenset()
    """The keys of what the store is to keep."""
    collected: str = ""
    """To be noted; see `Record.collected`."""


class Provided(Protocol):
    """Python and the packages, here where somebody wants to run something in them."""

    @property
    def environment(self) -> Environment:
        """What there is."""
        ...

    @property
    def wanted_by(self) -> str:
        """Who wants to run something in it, which is all here then; empty: nobody."""
        ...

    def close(self, added: Added) -> Record:
        """Take back what the previous image has, and note what there is; nothing runs after it.

        Raises PackagesChanged when what ran changed what was installed, PackagesAdded when it
        installed more.
        """
        ...


class Reused(NamedTuple):
    """Everything is taken from the previous image."""

    environment: Environment
    before: Previous
    record: Record
    wanted_by: str = ""

    def close(self, added: Added) -> Record:
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
