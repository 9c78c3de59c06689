"""The files of SBOMs beside the layers, and whether they are those that a build wrote.

The lifecycle keeps the SBOMs of all launch layers in one layer of the image, and restores them
with the metadata of layers: all or, with a Platform API older than 0.8, none. An unchanged build
only compares digests, so this module loads no library.
https://github.com/buildpacks/spec/blob/main/platform.md#sbom
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from cnb_python.cnb import disk
from cnb_python.cnb.context import BuildContext
from cnb_python.cnb.layer import SbomFormat, write_sbom
from cnb_python.layers import python
from cnb_python.layers.store import SBOM_OF_PACKAGES, SBOM_OF_PYTHON
from cnb_python.sbom.model import Document
from cnb_python.system import regular_file
from cnb_python.system.regular_file import TooLargeToRead

# Raise it with every change of what an SBOM has.
FORMAT = "3"
FORMATS = (SbomFormat.CYCLONEDX, SbomFormat.SPDX)
type Sboms = Mapping[str, Mapping[SbomFormat, bytes]]
"""The SBOMs of layers, by the layer's name and their format."""

BUILD = "build"
"""What the SBOM of the build itself is written for, in place of a layer; it is never restored."""

_LARGEST = 64 << 20


def digest(sboms: Sboms) -> str:
    """Return a SHA-256 in hex over the files of *sboms*."""
    total = hashlib.sha256(FORMAT.encode())
    for layer in sorted(layer for layer in sboms if sboms[layer]):
        for form, content in sorted(sboms[layer].items(), key=lambda each: each[0].value):
            total.update(f"\n{layer} {form.value} {hashlib.sha256(content).hexdigest()}".encode())
    return total.hexdigest()


def digests(sboms: Sboms) -> dict[str, str]:
    """Return the `BuildRecord.sboms` of *sboms*: of Python if it is there, and of the packages."""
    of_packages = {layer: sboms[layer] for layer in sboms if layer not in {python.NAME, BUILD}}
    of_python = {python.NAME: sboms[python.NAME]} if python.NAME in sboms else {}
    listed = {SBOM_OF_PYTHON: of_python, SBOM_OF_PACKAGES: of_packages}
    return {name: digest(each) for name, each in listed.items() if each}


def are_restored(
    context: BuildContext, layers: Collection[str], expected: str, *, may_be_lost: bool = True
) -> bool:
    """Whether the SBOMs of *layers* are on disk with the digest *expected*.

    Also true if no SBOM is there and the platform may restore none: such a platform exports none.
    *may_be_lost*: whether a platform that restores SBOMs can have lost these.
    """
    sboms = read(context.layers_dir, layers)
    if digest(sboms) == expected:
        return True
    is_lost = may_be_lost and context.restores_sboms
    return not is_lost and not any(map(any, sboms.values()))


def read(layers_dir: Path, layers: Iterable[str]) -> Sboms:
    """Return the SBOMs of *layers* that are in *layers_dir*; what cannot be read is left out."""
    return {layer: _read(layers_dir, layer) for layer in layers}


def _read(layers_dir: Path, layer: str) -> dict[SbomFormat, bytes]:
    sboms = {}
    for form in FORMATS:
        path = layers_dir / f"{layer}.sbom.{form.value}"
        try:
            sboms[form] = regular_file.read(path, _LARGEST, follow=False)
        except OSError, TooLargeToRead:
            continue
    return sboms


def load() -> None:
    """Import what `rendered` needs, which takes as long as writing 200 components."""
    import cnb_python.sbom.cyclonedx  # noqa: F401, PLC0415 - see above


def rendered(documents: Iterable[Document]) -> Sboms:
    """Return *documents* in both formats."""
    from cnb_python.sbom import cyclonedx, spdx  # noqa: PLC0415 - importing its library takes 0.2 s

    return {
        each.layer: {
            SbomFormat.CYCLONEDX: cyclonedx.render(each),
            SbomFormat.SPDX: spdx.render(each),
        }
        for each in documents
    }


class LayerSbom(NamedTuple):
    """The SBOM of a layer that records its digest in its own metadata."""

    digest: str
    files: Mapping[SbomFormat, bytes]

    def write(self, layers_dir: Path, layer: str) -> None:
        """Write the files for a *layer* that is reused; a layer that is made gets them itself."""
        write(layers_dir, {layer: self.files})


def restored_or_made(
    context: BuildContext, layer: str, recorded: object, make: Callable[[], Document]
) -> LayerSbom:
    """Return the restored SBOM of *layer*, or a new one if that is not the one written before.

    *recorded*: the digest in the metadata of the restored layer. *make*: returns the SBOM.
    """
    if isinstance(recorded, str) and are_restored(context, (layer,), recorded):
        return LayerSbom(recorded, _read(context.layers_dir, layer))
    sboms = rendered([make()])
    return LayerSbom(digest(sboms), sboms[layer])


def write(layers_dir: Path, sboms: Sboms) -> None:
    """Write *sboms*, in place of what is there of the same layers. Raises OSError."""
    for layer, by_format in sboms.items():
        for form, content in by_format.items():
            write_sbom(layers_dir, layer, form, content)


def remove_all_but(layers_dir: Path, layers: Collection[str]) -> None:
    """Remove every SBOM that is not of one of *layers*, or not in a format of this buildpack."""
    expected = {f"{layer}.sbom.{form.value}" for layer in layers for form in FORMATS}
    for path in layers_dir.glob("*.sbom.*"):
        if path.name not in expected:
            disk.remove(path)
