"""The environment's layers that the previous image has: `venv` and the shares."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from cnb_python.cnb import disk
from cnb_python.cnb.layer import Restored, layer_of
from cnb_python.layers import cache_keys, process_defaults, python
from cnb_python.layout.names import SHARD_PREFIX, VENV

# The lifecycle takes nothing for a layer that has no `.toml`.
WORK = ".cnb-python-work"
"""Where a build puts everything that does not last, beside the layers."""
_DRAFTS = disk.draft_of(Path("*")).name


def remove_leftovers(layers_dir: Path) -> None:
    """Remove what no restorer puts into *layers_dir*; for the very start of a build.

    Of a launch layer a restorer gives the metadata and no contents
    (https://github.com/buildpacks/spec/blob/main/buildpack.md#layer-types). With contents it is a
    killed build's, even when it is whole: it would be taken for one that the previous image has,
    and that there may never have been.
    """
    for path in (layers_dir / WORK, *layers_dir.glob(_DRAFTS)):
        disk.remove(path)
    for name in (
        python.NAME,
        process_defaults.NAME,
        cache_keys.NLTK,
        *names(layers_dir),
    ):
        layer = layer_of(layers_dir, name)
        if layer.path.exists(follow_symlinks=False):
            layer.drop()


_DIGEST = "digest"


def names(layers_dir: Path) -> tuple[str, ...]:
    """Return the names of all such layers that there is a trace of, good or not."""
    found = {path.name.removesuffix(".toml") for path in layers_dir.glob(f"{SHARD_PREFIX}*")}
    # With a dot it is no layer of ours, but its bill of materials or a stranger's.
    return (*sorted(name for name in found if "." not in name), VENV)


def digests(layers_dir: Path) -> dict[str, str]:
    """Return the digest of the contents of each layer that can be re-used, by name."""
    found = {}
    for name in names(layers_dir):
        state = layer_of(layers_dir, name).state()
        digest = state.metadata.get(_DIGEST) if isinstance(state, Restored) else None
        if isinstance(digest, str):
            found[name] = digest
    return found


def metadata(digest: str) -> dict[str, str]:
    """Return what such a layer remembers: an image's labels hold it, so it is short."""
    return {_DIGEST: digest}


def reuse(layers_dir: Path, layers: Mapping[str, str]) -> None:
    """Take *layers*, digests by name, from the previous image."""
    for name, digest in layers.items():
        layer_of(layers_dir, name).reuse_from_image(metadata(digest))


def drop_all_but(layers_dir: Path, wanted: Iterable[str]) -> None:
    """Remove every such layer that is not *wanted* any more."""
    for name in set(names(layers_dir)) - set(wanted):
        layer_of(layers_dir, name).drop()
