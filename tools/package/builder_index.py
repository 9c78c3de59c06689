"""Creates the builders for both architectures and their image index: `make builder-index`.

The index is an OCI image layout, `dist/cnb-python-builder-index`. It runs no program for another
architecture but those that install the packages of its base images.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tools import cache
from tools.package import assemble, builder, index
from tools.platforms import base_images, debian_packages, rootfs
from tools.platforms.engine import Engine, running
from tools.processes import Unavailable, run, say

BASES = (rootfs.DEFAULT, "debian-12-arm64")
INDEX = assemble.DIST / "cnb-python-builder-index"


def write(engine: Engine, products: Sequence[tuple[str, Path]], into: Path) -> index.Index:
    """Create a builder of each base and buildpack in *products*; write them and their index.

    *into*: the directory of the OCI image layout, which is replaced.
    """
    with tempfile.TemporaryDirectory(dir=cache.directory()) as folder:
        archives = []
        for base_name, product in products:
            name = base_images.tagged(builder.NAME, base_name)
            builder.ensure(engine, product, name, base_name)
            archives.append(_exported(engine, name, Path(folder, f"{base_name}.tar")))
        return index.write(archives, into)


def _exported(engine: Engine, name: str, archive: Path) -> Path:
    """Write the image *name* of the engine to the OCI archive *archive*; return that."""
    skopeo = debian_packages.program("skopeo", "skopeo")
    host = engine.env.get("DOCKER_HOST") or os.environ.get("DOCKER_HOST")
    daemon = ("--src-daemon-host", host) if host else ()
    tag = name if ":" in name else f"{name}:latest"
    source, target = f"docker-daemon:{tag}", f"oci-archive:{archive}"
    run(skopeo, "--insecure-policy", "copy", "--quiet", *daemon, source, target)
    return archive


def main(arguments: Sequence[str]) -> None:
    """Write the index and print its digest."""
    parser = argparse.ArgumentParser(prog="builder_index.py", description=main.__doc__)
    parser.add_argument("--go-modules", action="store_true", help="as that of assemble.py")
    options = parser.parse_args(arguments)
    released = not options.go_modules
    products = [
        (name, builder.buildpack(released=released, arch=rootfs.base("build", name).arch))
        for name in BASES
    ]
    with running() as engine:
        written = write(engine, products, INDEX)
    say(f"dist/{INDEX.name}, image index of the builders, {written.digest}")


if __name__ == "__main__":
    os.umask(0o022)
    try:
        main(sys.argv[1:])
    except Unavailable as error:
        sys.exit(str(error))
