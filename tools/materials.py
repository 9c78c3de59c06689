"""Prints the materials of an image as JSON: `python3 -m tools.materials IMAGE`.

IMAGE is an OCI image directory, as `make image` makes, or a name that Docker knows. The list has a
ResourceDescriptor of in-toto for each download of the build: see docs/how-to/verify.md.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.platforms import oci
from tools.processes import Unavailable, run
from tools.verify import recorded


def main(argv: Sequence[str]) -> None:
    """Print the materials of the image that *argv* names. Raises `Unavailable`."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.materials", description=__doc__)
    parser.add_argument("image", help="an OCI image directory, or a name")
    listed = recorded.rows(_labels(parser.parse_args(argv).image))
    json.dump(listed, sys.stdout, indent=2)
    sys.stdout.write("\n")


def _labels(image: str) -> Mapping[str, str]:
    if Path(image).is_dir():
        return oci.read(Path(image)).labels
    template = "{{json .Config.Labels}}"
    labels: dict[str, str] | None = json.loads(
        run("docker", "image", "inspect", "--format", template, image)
    )
    return labels or {}


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Unavailable as error:
        sys.exit(str(error))
