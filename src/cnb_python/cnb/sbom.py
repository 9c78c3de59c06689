"""Bills of materials: files beside the layers, one per subject and format.

https://github.com/buildpacks/spec/blob/main/buildpack.md#software-bill-of-materials
"""

from enum import Enum
from pathlib import Path

from cnb_python.cnb import disk


class SbomFormat(Enum):
    """A format by the ending of its files; buildpack.toml must declare its media type."""

    CYCLONEDX = "cdx.json"
    SPDX = "spdx.json"
    SYFT = "syft.json"

    @property
    def media_type(self) -> str:
        """What `sbom-formats` in buildpack.toml calls it, without a version."""
        return f"application/{_SUBTYPES[self]}+json"


_SUBTYPES = {
    SbomFormat.CYCLONEDX: "vnd.cyclonedx",
    SbomFormat.SPDX: "spdx",
    SbomFormat.SYFT: "vnd.syft",
}


def write_sbom(layers_dir: Path, subject: str, form: SbomFormat, content: bytes) -> None:
    """Write the bill of *subject*: a layer's name, `launch` or `build`.

    Those of a layer are restored with it, those of `launch` and `build` never.
    """
    disk.write(layers_dir / f"{subject}.sbom.{form.value}", content)


def remove_sboms(layers_dir: Path, subject: str) -> None:
    """Remove every bill of *subject*.

    One can be left from a layer whose cache was lost, and would be taken for the new layer's.
    """
    for form in ("{}.sbom.*", ".{}.sbom.*.partial"):
        for path in layers_dir.glob(form.format(subject)):
            disk.remove(path)
