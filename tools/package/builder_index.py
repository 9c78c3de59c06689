"""Publishes a builder for amd64 and arm64, each on Debian 12: `make builder-index REGISTRY=...`.

The registry gets `build-base`, `run-base` and `builder`, each an image index of both
architectures. `dist/cnb-python-builder-index` has the builder as an OCI image layout.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tools import cache
from tools.package import assemble, builder, index
from tools.platforms import debian_packages, oci, real_tools, rootfs
from tools.platforms.engine import Engine, running
from tools.platforms.rootfs import Role
from tools.processes import Unavailable, run, say

BASES = (rootfs.DEFAULT, "debian-12-arm64")
INDEX = assemble.DIST / "cnb-python-builder-index"
# Registries that Docker and pack reach without encryption.
LOCAL = ("127.0.0.1", "localhost")


class Publisher:
    """Makes the images, and copies them into a registry."""

    def __init__(self, engine: Engine, registry: str, directory: Path) -> None:
        """*registry*: such as `registry.example/team`; *directory*: an empty one for archives."""
        self.engine = engine
        self.registry = registry
        self.directory = directory
        self.skopeo = debian_packages.program("skopeo", "skopeo")

    def publish_bases(self, role: Role) -> None:
        """Publish the build or the run image of all bases as one image index."""
        archives = [self._base(role, base_name) for base_name in BASES]
        self._publish(archives, f"{role}-base", self.directory / f"{role}-index")

    def publish_builder(self, products: Sequence[Path]) -> index.Index:
        """Publish the builder with the buildpacks *products*, one for each of `BASES`."""
        archives = []
        for base_name, product in zip(BASES, products, strict=True):
            name = self._create(base_name, product)
            archives.append(self._saved(f"docker://{name}", f"builder-{base_name}"))
        return self._publish(archives, "builder", INDEX)

    def _create(self, base_name: str, product: Path) -> str:
        """Publish the builder for one architecture; return its name.

        pack has to publish it, since an engine accepts builders for its own architecture alone.
        """
        arch = rootfs.base("build", base_name).arch or oci.arch()
        config = builder.config_of(product, real_tools.lifecycle_archive(arch), base_name)
        config["build"] = {"image": f"{self.registry}/build-base"}
        config["run"] = {"images": [{"image": f"{self.registry}/run-base"}]}
        name = f"{self.registry}/builder:{arch}"
        builder.create(self.engine, name, config, arch, ("--publish",))
        return name

    def _base(self, role: Role, base_name: str) -> Path:
        """Return an archive of a base image.

        Docker cannot make it: Docker 20.10 writes its own architecture into each image.
        """
        base, directory = rootfs.base(role, base_name), self.directory / f"{role}-{base_name}"
        directory.mkdir()
        oci.write_base(
            rootfs.rootfs(role, base_name),
            directory,
            base.labels,
            base.environment,
            base.arch or oci.arch(),
            user=f"{base.user}:{base.group}",
        )
        layout = directory / "layout"
        for blob in (directory / "layer").iterdir():
            blob.rename(layout / "blobs/sha256" / blob.name)
        return self._saved(f"oci:{layout}", directory.name)

    def _saved(self, source: str, name: str) -> Path:
        archive = self.directory / f"{name}.tar"
        self._copy("--src-tls-verify", source, f"oci-archive:{archive}")
        return archive

    def _publish(self, archives: Sequence[Path], name: str, layout: Path) -> index.Index:
        written = index.write(archives, layout)
        for archive in archives:
            archive.unlink()
        target = f"docker://{self.registry}/{name}"
        self._copy("--dest-tls-verify", "--all", f"oci:{layout}", target)
        say(f"{self.registry}/{name}: image index of both architectures, {written.digest}")
        return written

    def _copy(self, verify: str, *arguments: str) -> None:
        encrypted = str(self.registry.partition(":")[0] not in LOCAL).lower()
        command = (self.skopeo, "--insecure-policy", "copy", "--quiet", f"{verify}={encrypted}")
        run(*command, *arguments)


def main(arguments: Sequence[str]) -> None:
    """Publish the images, and print their digests."""
    parser = argparse.ArgumentParser(prog="builder_index.py", description=main.__doc__)
    parser.add_argument("registry", help="registry.example/team; log in with skopeo and docker")
    parser.add_argument("--go-modules", action="store_true", help="see assemble.py")
    options = parser.parse_args(arguments)
    released = not options.go_modules
    arches = [rootfs.base("build", name).arch for name in BASES]
    products = [builder.buildpack(released=released, arch=arch) for arch in arches]
    with running() as engine, tempfile.TemporaryDirectory(dir=cache.directory()) as folder:
        publisher = Publisher(engine, options.registry.rstrip("/"), Path(folder))
        for role in get_args(Role.__value__):
            publisher.publish_bases(role)
        publisher.publish_builder(products)
    say(f"dist/{INDEX.name} has the builder as an OCI image layout.")


if __name__ == "__main__":
    os.umask(0o022)
    try:
        main(sys.argv[1:])
    except Unavailable as error:
        sys.exit(str(error))
