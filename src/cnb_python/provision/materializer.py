"""Decides which of the environment's files are written to disk, and for which steps.

Separate from `provision/rebuild.py`, which makes the layers: this chooses what is in them on disk.
"""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from cnb_python.cnb.disk import State
from cnb_python.config.settings import MERGED
from cnb_python.distributions.model import Distribution, is_small_part
from cnb_python.install.installer import FilesNeeded, Place
from cnb_python.install.snapshot import Snapshot
from cnb_python.layers import python, venv_and_shards
from cnb_python.layers.sbom_files import Sboms
from cnb_python.layers.store import BuildRecord, PreviousBuild
from cnb_python.layers.venv_and_shards import LayerPlan, Layers
from cnb_python.layout.materialize import layer_states
from cnb_python.layout.names import TREE
from cnb_python.provision.finish import Rebuilt
from cnb_python.provision.on_demand import OnDemand
from cnb_python.provision.request import (
    ProvidedEnvironment,
    ProvisionRequest,
    ReadByStep,
    StepsNeedingEnvironment,
    environment_of,
)
from cnb_python.store.manifest import StoreEntry
from cnb_python.store.store import Store
from cnb_python.store.unpacking import unpack
from cnb_python.system.interface import Output


class NewLayers(NamedTuple):
    """The layers of the environment, as they are before the app steps."""

    layers: Layers
    states: Mapping[str, Mapping[str, State]]
    """Of the paths in a shard, by its name, if they are known."""
    entries: Mapping[str, StoreEntry]
    """What the store has, by the name of the distribution."""
    not_archived: frozenset[str]
    """The distributions whose contents the store need not keep."""
    record: BuildRecord
    archiving: Future[None]
    """Puts Python into the store."""
    sboms: Future[Sboms]
    """Writes the SBOMs of the layers."""


@dataclass(slots=True)
class Materializer:
    """Decides which layers to write to disk, once it is known what they hold."""

    request: ProvisionRequest
    plan: LayerPlan
    previous: PreviousBuild
    store: Store
    cached: Mapping[str, StoreEntry]
    steps_needing_environment: StepsNeedingEnvironment
    read_before: ReadByStep
    output: Output
    on_demand: OnDemand = field(default_factory=OnDemand)
    steps: str | None = None
    """The app steps that need the environment, as a phrase; None until they are known."""
    _development: frozenset[str] = frozenset()
    _places: dict[str, Place] = field(default_factory=dict)
    _layers: tuple[Sequence[Distribution], Layers] | None = None
    """The layers computed last, and the distributions that they hold."""

    def needs(
        self, distributions: Sequence[Distribution], development: frozenset[str]
    ) -> FilesNeeded:
        """Return the distributions whose files are needed on disk. Begins their layers.

        Only tests and development need those named in *development*.
        """
        if development != self._development:
            self._development, self._layers = development, None
        layers = self.layers_of(distributions)
        if self.steps is None:
            self.steps = self.steps_needing_environment(
                self._environment(distributions, layers.digests)
            )
            layers = self.layers_of(distributions)
            self._choose(layers)
        else:
            # Some are installed again, which may run code that reads others.
            self.on_demand.absent = {}
        self._places = venv_and_shards.begin_shards(self.plan, self.layers_of(distributions))
        return venv_and_shards.needs(self.layers_of(distributions))._replace(
            places=self._places | self._first_places()
        )

    def _choose(self, layers: Layers) -> None:
        """Choose what has to be on disk for the steps, and print it."""
        if not self.steps or self.request.build_consumers:
            return
        if self.plan.layout != MERGED:
            self.on_demand.read_before = self.read_before()
        if self.on_demand.read_before:
            large = venv_and_shards.owners_of_large_copies(layers)
            self.on_demand.choose(
                layers,
                [
                    name
                    for name, entry in self.cached.items()
                    if name not in large and self.store.is_intact(entry)
                ],
            )
        if absent := sum(map(len, self.on_demand.absent.values())):
            total = sum(len(item.files) for item in layers.distributions.values())
            count = f"{total - absent} of {total} files"
            self.output.line(f"Writing what {self.steps} read before to disk ({count})")
        else:
            self.output.line(f"Writing all packages to disk for {self.steps}")

    def _first_places(self) -> dict[str, Place]:
        """Return the places of distributions with absent files, which are not written yet."""
        return {
            name: _without(self._places[name], paths, self.cached[name].distribution)
            for name, paths in self.on_demand.absent.items()
        }

    def _bring(
        self, layers: Layers, snapshot: Snapshot, name: str, paths: Collection[str]
    ) -> None:
        """Write files of the distribution *name* into its layer, before a step reads them."""
        entry, position = self.cached[name], self._places[name]
        omitted = [file.path for file in entry.distribution.files if file.path not in paths]
        changes = position.changes._replace(omitted={*position.changes.omitted, *omitted})
        (shard,) = (each for each in layers.shards if name in each.distributions)
        layer = self.plan.layers_dir / shard.name
        states = unpack(self.store.job(entry, layer / TREE, changes))
        snapshot.extend(layer, layer_states(states))

    def layers_of(self, distributions: Sequence[Distribution]) -> Layers:
        """Return the layers of *distributions*, computed once for the same ones.

        If a step needs the environment, all of them count as changed.
        """
        if self._layers is None or self._layers[0] != distributions:
            layers = venv_and_shards.layers_of(self.plan, distributions, self._development)
            self._layers = (distributions, layers)
        layers = self._layers[1]
        return layers.all_changed() if self.steps else layers

    @property
    def _distributions(self) -> Sequence[Distribution]:
        return self._layers[0] if self._layers else ()

    def rebuilt(self, new: NewLayers) -> Rebuilt:
        """Return the environment with its temporary layers, after all layers were new."""
        layers, before_steps = new.layers, Snapshot()
        if self.steps:
            # Temporary layers too: a build without a previous image, which keeps them, has the
            # same checks.
            for name in {python.NAME, *layers.changed}:
                before_steps.add(self.plan.layers_dir / name, new.states.get(name))
        self.on_demand.begin(partial(self._bring, layers, before_steps))
        environment = self._environment(self._distributions, layers.digests)
        return Rebuilt(
            environment=environment._replace(on_demand=self.on_demand),
            store=self.store,
            entries=new.entries,
            not_archived=new.not_archived,
            record=new.record,
            changed=layers.changed,
            temporary_layers=frozenset() if self.plan.build else layers.changed & layers.same,
            needed_by=self.steps or "",
            snapshot=before_steps,
            archiving=new.archiving,
            output=self.output,
            sboms=new.sboms,
        )

    def _environment(
        self, distributions: Sequence[Distribution], digests: Mapping[str, str]
    ) -> ProvidedEnvironment:
        versions = {item.name: item.version for item in distributions}
        return environment_of(
            self.request, self.previous, versions, digests, lambda: self.store, distributions
        )


def _without(position: Place, paths: Collection[str], distribution: Distribution) -> Place:
    """Return *position* for the files of *distribution* except *paths*."""
    changes = position.changes._replace(omitted={*position.changes.omitted, *paths})
    written = (file for file in distribution.files if file.path not in changes.omitted)
    return Place(position.directory, changes, small=all(map(is_small_part, written)))
