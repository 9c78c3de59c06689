"""Layers `venv` and `deps-*` (shards): makes those that changed, and reuses the others.

Separate from `previous_image`, as an unchanged build need not load it.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from cnb_python.cnb import disk
from cnb_python.cnb.disk import State
from cnb_python.cnb.layer import EnvDelta, LayerTypes, layer_of
from cnb_python.config.settings import MERGED
from cnb_python.distributions.model import Distribution, is_small_part
from cnb_python.install import virtual_environment
from cnb_python.install.collecting import LARGEST_ARCHIVED
from cnb_python.install.installer import FilesNeeded, Place
from cnb_python.install.request import InstallResult
from cnb_python.layers import previous_image
from cnb_python.layout import links, shards
from cnb_python.layout.links import Copy, VenvEntry
from cnb_python.layout.materialize import (
    materialize_links,
    materialize_merged,
    materialize_shard,
)
from cnb_python.layout.names import DEVELOPMENT, SHARD_PREFIX, TREE, VENV
from cnb_python.layout.shards import Shard
from cnb_python.store.archive import Changes

NOTHING_ABSENT: Mapping[str, Collection[str]] = {}
# Layers of many distributions: numbered shards, the one for development, and `venv` of the merged
# layout.
_COMMON = re.compile(rf"{SHARD_PREFIX}\d\d|{DEVELOPMENT}|{VENV}")


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """How an environment becomes layers."""

    layers_dir: Path
    interpreter: Path
    """Its final path."""
    line: str
    """The release line as directories name it: `3.14`, `3.14t`."""
    scope: str
    """What else the bytes depend on: the package key, as text."""
    layout: str
    build: bool
    """Later buildpacks see the environment."""
    env: Callable[[Mapping[str, str]], tuple[EnvDelta, ...]]
    """Returns the variables of the app's processes, given the versions of the distributions."""
    restored: Mapping[str, str]
    """Digest by name of each layer that the previous image has."""

    @property
    def types(self) -> LayerTypes:
        """The types of all these layers."""
        return LayerTypes(build=self.build, launch=True)


class Layers(NamedTuple):
    """The contents of the environment's layers, by files and digests."""

    distributions: Mapping[str, Distribution]
    """By name."""
    shards: tuple[Shard, ...]
    """One per layer; in the merged layout a single one, for `venv`."""
    venv_entries: tuple[VenvEntry, ...]
    """The links and copies in `venv`."""
    env: tuple[EnvDelta, ...]
    digests: Mapping[str, str]
    """Digest of the contents by name of the layer."""
    changed: frozenset[str]
    """The names of the layers that have to be made."""
    same: frozenset[str]
    """The names of the layers that the previous image has."""

    def all_changed(self) -> Layers:
        """Return the same layers, all of which have to be made."""
        return self._replace(changed=frozenset(self.digests))

    def sizes(self) -> dict[str, int]:
        """Return the bytes of each layer by its name."""
        copies = sum(entry.file.size for entry in self.venv_entries if isinstance(entry, Copy))
        return {VENV: copies} | {shard.name: shard.size for shard in self.shards}

    def not_archived(self) -> frozenset[str]:
        """Return the names of the distributions in own layers that are too large for the store.

        A build with a new image name starts from the store alone and has to install again what
        the store lacks, so everything smaller is archived as long as the budget allows.
        """
        return frozenset(
            name
            for shard in self.shards
            if not _COMMON.fullmatch(shard.name) and shard.size > LARGEST_ARCHIVED
            for name in shard.distributions
        )


def layers_of(
    plan: LayerPlan,
    distributions: Sequence[Distribution],
    development: Container[str] = frozenset(),
) -> Layers:
    """Return the layers of an environment with *distributions*. Raises PathConflict.

    Only tests and development need those named in *development*.
    """
    env = plan.env({item.name: item.version for item in distributions})
    layer_shards = shards.shards_of(
        distributions, merged=plan.layout == MERGED, development=development
    )
    venv_entries = links.venv_entries(layer_shards, plan.line)
    digests = {shard.name: _digest(plan, shard.digest) for shard in layer_shards}
    digests[VENV] = _digest(plan, links.digest_of_entries(venv_entries), repr(env))
    same = frozenset(name for name in digests if plan.restored.get(name) == digests[name])
    changed = digests.keys() if plan.build else digests.keys() - same
    by_name = {item.name: item for item in distributions}
    return Layers(by_name, layer_shards, venv_entries, env, digests, frozenset(changed), same)


def needs(layers: Layers) -> FilesNeeded:
    """Return the distributions whose files are needed on disk to make the changed *layers*."""
    changed = (shard for shard in layers.shards if shard.name in layers.changed)
    whole = {owner for shard in changed for owner in shard.distributions}
    copies = [entry for entry in layers.venv_entries if isinstance(entry, Copy)]
    if VENV not in layers.changed:
        return FilesNeeded(frozenset(whole), frozenset())
    whole |= owners_of_large_copies(layers)
    return FilesNeeded(frozenset(whole), frozenset(copy.owner for copy in copies) - whole)


def owners_of_large_copies(layers: Layers) -> set[str]:
    """Return the names of the distributions whose small parts do not have all copies in `venv`."""
    copies = (entry for entry in layers.venv_entries if isinstance(entry, Copy))
    return {copy.owner for copy in copies if not is_small_part(copy.file)}


def begin_shards(plan: LayerPlan, layers: Layers) -> dict[str, Place]:
    """Begin the layer of each changed shard; return where the files of its distributions belong.

    By the name of the distribution. What was begun before is removed.
    """
    return {
        name: Place(tree, _changes(layers, shard, name))
        for shard in layers.shards
        if shard.name in layers.changed
        for tree in [_begin(plan, shard)]
        for name in shard.distributions
    }


def _begin(plan: LayerPlan, shard: Shard) -> Path:
    """Begin the layer of *shard*; return the new directory for its files."""
    into = layer_of(plan.layers_dir, shard.name).begin()
    if shard.name == VENV:
        virtual_environment.make_environment(into, plan.interpreter, plan.line)
        return into
    tree = into / TREE
    disk.make_directory(tree)
    return tree


def _changes(layers: Layers, shard: Shard, name: str) -> Changes:
    """Return how the files of distribution *name* in *shard* differ from those of its archive."""
    omitted: list[str] = []
    targets: dict[str, str] = {}
    for file in layers.distributions[name].files:
        owned = shard.files.get(file.path)
        if owned is None or owned.owner != name:
            omitted.append(file.path)
        elif owned.file.target != file.target:
            targets[file.path] = owned.file.target
    return Changes(frozenset(omitted), targets)


def assemble(
    plan: LayerPlan,
    layers: Layers,
    install_result: InstallResult,
    absent: Mapping[str, Collection[str]] = NOTHING_ABSENT,
) -> dict[str, Mapping[str, State]]:
    """Make every changed layer, and reuse the others from the previous image.

    *absent*: the paths that need not be there yet, by the name of the distribution. Returns the
    states of the paths in those new shards of which they are known, by name.
    """
    # First, while the files that it copies are not yet moved to their shards.
    if VENV in layers.changed:
        _make_venv(plan, layers, install_result)
    states: dict[str, Mapping[str, State]] = {}
    for shard in layers.shards:
        if shard.name in layers.changed and shard.name != VENV:
            states[shard.name] = _make_shard(plan, layers, shard, install_result, absent) or {}
    same = {name: layers.digests[name] for name in layers.digests.keys() - layers.changed}
    previous_image.reuse(plan.layers_dir, same)
    previous_image.drop_all_but(plan.layers_dir, layers.digests)
    return {name: each for name, each in states.items() if each}


def _make_venv(plan: LayerPlan, layers: Layers, install_result: InstallResult) -> None:
    layer, root_of = layer_of(plan.layers_dir, VENV), install_result.roots.__getitem__
    if plan.layout == MERGED:
        (shard,) = layers.shards
        materialize_merged(shard, layer.begun(), root_of, _placed(shard, install_result))
    else:
        into = layer.begin()
        virtual_environment.make_environment(into, plan.interpreter, plan.line)
        materialize_links(layers.venv_entries, into, root_of)
    layer.finish(plan.types, previous_image.metadata(layers.digests[VENV]), layers.env)


def _make_shard(
    plan: LayerPlan,
    layers: Layers,
    shard: Shard,
    install_result: InstallResult,
    absent: Mapping[str, Collection[str]],
) -> Mapping[str, State] | None:
    layer = layer_of(plan.layers_dir, shard.name)
    states = materialize_shard(
        shard,
        layer.begun(),
        install_result.roots.__getitem__,
        _placed(shard, install_result),
        {path for name in shard.distributions for path in absent.get(name, ())},
    )
    layer.finish(plan.types, previous_image.metadata(layers.digests[shard.name]))
    return states


def _placed(shard: Shard, install_result: InstallResult) -> Mapping[str, State]:
    states: dict[str, State] = {}
    for name in shard.distributions:
        states |= install_result.placed.get(name, {})
    return states


def _digest(plan: LayerPlan, *parts: str) -> str:
    return hashlib.sha256("\0".join((plan.scope, *parts)).encode()).hexdigest()
