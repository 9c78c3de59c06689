"""Layers `venv` and `deps-*`: the environment's files, each layer made only when it changes."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from cnb_python.cnb.env import EnvDelta
from cnb_python.cnb.layer import LayerTypes, layer_of
from cnb_python.config.settings import MERGED
from cnb_python.distributions.model import Distribution, is_small_part
from cnb_python.install import staging
from cnb_python.install.installer import FilesNeeded
from cnb_python.install.request import Synced
from cnb_python.layers import previous_image
from cnb_python.layout import links, shards
from cnb_python.layout.links import Copy, Place
from cnb_python.layout.materialize import (
    MovedFromStage,
    lay_out_links,
    lay_out_merged,
    lay_out_share,
)
from cnb_python.layout.names import VENV
from cnb_python.layout.shards import Shard


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """How an environment becomes layers."""

    layers_dir: Path
    interpreter: Path
    """By its final path."""
    line: str
    """As the environment's directories have it: `3.14`, `3.14t`."""
    scope: str
    """What else the bytes depend on: the environment's key, as text."""
    layout: str
    build: bool
    """Later buildpacks see the environment."""
    env: Callable[[Mapping[str, str]], tuple[EnvDelta, ...]]
    """The variables of the app's processes, by the versions of what is installed."""
    restored: Mapping[str, str]
    """Digest by name of each layer that the previous image has."""

    @property
    def types(self) -> LayerTypes:
        """The types of all these layers."""
        return LayerTypes(build=self.build, launch=True)


class Layers(NamedTuple):
    """What the layers are to hold."""

    shares: tuple[Shard, ...]
    """None where everything lies in `venv`."""
    places: tuple[Place, ...]
    """What `venv` holds."""
    env: tuple[EnvDelta, ...]
    digests: Mapping[str, str]
    """By name of the layer."""
    changed: frozenset[str]
    """The names of those that have to be made."""
    same: frozenset[str]
    """The names of those that the previous image has."""

    def all_changed(self) -> Layers:
        """Return the same layers, all of which have to be made."""
        return self._replace(changed=frozenset(self.digests))


def layers_of(plan: LayerPlan, distributions: Sequence[Distribution]) -> Layers:
    """Return what the environment of *distributions* is as layers. Raises PathClash."""
    env = plan.env({one.name: one.version for one in distributions})
    found = shards.shards_of(distributions, merged=plan.layout == MERGED)
    places = links.places(found, plan.line)
    digests = {share.name: _digest(plan, share.digest) for share in found}
    digests[VENV] = _digest(plan, links.digest_of_links(places), repr(env))
    same = frozenset(name for name in digests if plan.restored.get(name) == digests[name])
    changed = digests.keys() if plan.build else digests.keys() - same
    return Layers(found, places, env, digests, frozenset(changed), same)


def needs(layers: Layers) -> FilesNeeded:
    """Return the distributions whose files are needed on disk to make the changed *layers*."""
    changed = (share for share in layers.shares if share.name in layers.changed)
    whole = {owner for share in changed for owner in share.distributions}
    copies = [place for place in layers.places if isinstance(place, Copy)]
    if VENV not in layers.changed:
        return FilesNeeded(frozenset(whole), frozenset())
    whole |= {copy.owner for copy in copies if not is_small_part(copy.file)}
    return FilesNeeded(frozenset(whole), frozenset(copy.owner for copy in copies) - whole)


def assemble(plan: LayerPlan, layers: Layers, synced: Synced) -> None:
    """Make every layer that the previous image does not have; take the others from there."""
    # First: what is copied has not been moved to its share yet.
    if VENV in layers.changed:
        _make_venv(plan, layers, synced.roots)
    for share in layers.shares:
        if share.name in layers.changed and share.name != VENV:
            _make_share(plan, layers, share, synced.roots)
    same = {name: layers.digests[name] for name in layers.digests.keys() - layers.changed}
    previous_image.reuse(plan.layers_dir, same)
    previous_image.drop_all_but(plan.layers_dir, layers.digests)


def _make_venv(plan: LayerPlan, layers: Layers, roots: Mapping[str, Path]) -> None:
    layer = layer_of(plan.layers_dir, VENV)
    into = layer.begin()
    staging.make(into, plan.interpreter, plan.line)
    if plan.layout == MERGED:
        lay_out_merged(layers.shares[0], into, partial(_moved, roots))
    else:
        lay_out_links(layers.places, into, roots.__getitem__)
    layer.finish(plan.types, previous_image.metadata(layers.digests[VENV]), layers.env)


def _make_share(plan: LayerPlan, layers: Layers, share: Shard, roots: Mapping[str, Path]) -> None:
    layer = layer_of(plan.layers_dir, share.name)
    lay_out_share(share, layer.begin(), partial(_moved, roots))
    layer.finish(plan.types, previous_image.metadata(layers.digests[share.name]))


def _moved(roots: Mapping[str, Path], name: str) -> MovedFromStage:
    return MovedFromStage(roots[name])


def _digest(plan: LayerPlan, *parts: str) -> str:
    return hashlib.sha256("\0".join((plan.scope, *parts)).encode()).hexdigest()
