"""Removes what a killed build left: some platforms start a build again in the same directory."""

from pathlib import Path

from cnb_python.cnb import disk
from cnb_python.cnb.layer import layer_of
from cnb_python.layers import nltk as nltk_layer
from cnb_python.layers import previous_image, process_defaults, python

# The lifecycle takes nothing for a layer that has no `.toml`.
WORK = ".cnb-python-work"
"""Where a build puts everything that does not last, beside the layers."""
_DRAFTS = disk.draft_of(Path("*")).name


def remove(layers_dir: Path) -> None:
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
        nltk_layer.NAME,
        *previous_image.names(layers_dir),
    ):
        layer = layer_of(layers_dir, name)
        if layer.path.exists(follow_symlinks=False):
            layer.drop()
