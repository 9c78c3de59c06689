"""What a build starts from in `<layers>`: layers of the previous image to reuse, and leftovers."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from cnb_python.cnb import disk
from cnb_python.cnb.layer import Restored, is_layer_name, layer_of
from cnb_python.layers import cache_keys, process_defaults, python
from cnb_python.layout.names import SHARD_PREFIX, VENV

# Without a `.toml` it is no layer, so the lifecycle ignores it.
WORK = ".cnb-python-work"
"""The directory beside the layers for everything temporary."""
_DRAFTS = disk.draft_of(Path("*")).name
_DIGEST = "digest"


def with_sboms(environment: Iterable[str]) -> frozenset[str]:
    """Return the layers that may have an SBOM, given those of the *environment*."""
    more = {python.NAME, process_defaults.NAME, cache_keys.SYSTEM_PACKAGES}
    return frozenset({*environment, *more})


def remove_leftovers(layers_dir: Path) -> None:
    """Remove what a killed build left in *layers_dir*; called at the start of a build.

    The restorer gives a launch layer back with its metadata and without contents
    (https://github.com/buildpacks/spec/blob/main/buildpack.md#layer-types). So a launch layer with
    contents is a killed build's. Even a complete one is removed, since the previous image need not
    have it.
    """
    for path in (layers_dir / WORK, *layers_dir.glob(_DRAFTS), *_odd_shards(layers_dir)):
        disk.remove(path)
    for name in (python.NAME, process_defaults.NAME, cache_keys.NLTK, *names(layers_dir)):
        layer = layer_of(layers_dir, name)
        if layer.path.exists(follow_symlinks=False):
            layer.drop()


def _odd_shards(layers_dir: Path) -> Iterator[Path]:
    """Yield what is named like a shard, but in a way that the lifecycle does not accept."""
    for path in layers_dir.glob(f"{SHARD_PREFIX}*"):
        if not is_layer_name(path.name.partition(".")[0]):
            yield path


def names(layers_dir: Path) -> tuple[str, ...]:
    """Return the names of the environment's layers that have any trace in *layers_dir*."""
    shards = {path.name.removesuffix(".toml") for path in layers_dir.glob(f"{SHARD_PREFIX}*")}
    # With a dot in its name it is a layer's SBOM, or another buildpack's file.
    return (*sorted(filter(is_layer_name, shards)), VENV)


def digests(layers_dir: Path) -> dict[str, str]:
    """Return the digest of the contents of each reusable layer of the environment, by name."""
    digest_by_name = {}
    for name in names(layers_dir):
        state = layer_of(layers_dir, name).state()
        digest = state.metadata.get(_DIGEST) if isinstance(state, Restored) else None
        if isinstance(digest, str):
            digest_by_name[name] = digest
    return digest_by_name


def metadata(digest: str) -> dict[str, str]:
    """Return the metadata of a layer of the environment; short, as the image's labels hold it."""
    return {_DIGEST: digest}


def reuse(layers_dir: Path, layers: Mapping[str, str]) -> None:
    """Reuse *layers*, digests by name, from the previous image."""
    for name, digest in layers.items():
        layer_of(layers_dir, name).reuse_from_image(metadata(digest))


def drop_all_but(layers_dir: Path, layers: Iterable[str]) -> None:
    """Remove every layer of the environment that is not in *layers*."""
    for name in set(names(layers_dir)) - set(layers):
        layer_of(layers_dir, name).drop()
