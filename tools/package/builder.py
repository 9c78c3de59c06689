"""Creates the builder image `cnb-python/builder`, which contains the assembled buildpack."""

import argparse
import os
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

import tomli_w

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tools import cache
from tools.package import assemble, tree
from tools.platforms import base_images, oci, real_tools, rootfs
from tools.platforms.engine import Engine, running
from tools.processes import Unavailable, run, say

ROOT = rootfs.ROOT
CONFIG = ROOT / "builder/builder.toml"
NAME = "cnb-python/builder"


def buildpack(*, released: bool = False, arch: str = "") -> Path:
    """Return the assembled tree for *arch* or this machine, made again if its sources changed.

    *released* as that of `Product`.
    """
    arch = arch or oci.arch()
    product = assemble.Product(arch, assemble.declared_api(), offline=(), released=released)
    with cache.locked("dist"):
        if assemble.assemble(product):
            say(f"Assembled the buildpack in {product.folder.relative_to(ROOT)}")
    return product.folder


def ensure(
    engine: Engine, product: Path, name: str = NAME, base_name: str = rootfs.DEFAULT
) -> str:
    """Create the builder with the tree *product* unless it is up to date; return its name.

    It has the base images of *base_name*, and their architecture.
    """
    bases = [base_images.ensure(engine, role, base_name) for role in ("build", "run")]
    arch = rootfs.base("build", base_name).arch or oci.arch()
    archive = real_tools.lifecycle_archive(arch)
    config = config_of(product, archive, base_name)
    ids = [base_images.image_id(engine, base) for base in bases]
    # The folder's name is the digest of what the lifecycle was built from.
    lifecycle = archive.name
    pins = cache.digest(repr(config), tree.digest(product), lifecycle, *ids)
    if base_images.label(engine, name, base_images.PINS) == pins:
        return name
    say(f"Creating the builder {name}")
    old = base_images.image_id(engine, name)
    local = ("--pull-policy", "never", "--label", f"{base_images.PINS}={pins}")
    create(engine, name, config, arch, local)
    base_images.remove(engine, old)
    return name


def pack_env(engine: Engine) -> dict[str, str]:
    """Return the variables that pack needs: the engine, and its home below the cache."""
    home = str(cache.directory() / "pack-home")
    # One key for all checkouts and runs, so that they use the same cache volumes.
    return {**engine.env, "PACK_HOME": home, "PACK_VOLUME_KEY": "cnb-python", "NO_COLOR": "1"}


def pack_flags(engine: Engine, name: str = NAME) -> tuple[str, ...]:
    """Return the options that each `pack build` on this engine needs."""
    flags = ("--builder", name, "--trust-builder", "--pull-policy", "never")
    # Otherwise pack gives the default socket to the lifecycle, even if the engine has another.
    host = engine.env.get("DOCKER_HOST") or os.environ.get("DOCKER_HOST")
    return (*flags, "--docker-host", host) if host else flags


def config_of(product: Path, lifecycle: Path, base_name: str) -> dict[str, object]:
    """Return builder.toml with the images of *base_name*, and what is local instead of published.

    Local are the tree *product* of the buildpack, and *lifecycle*.
    """
    config: dict[str, object] = tomllib.loads(CONFIG.read_text())
    facts = tomllib.loads((product / "buildpack.toml").read_text())["buildpack"]
    distro = " ".join(rootfs.base("run", base_name).distro).title()
    config["description"] = f"Python apps, by cnb-python on {distro}"
    config["build"] = {"image": base_images.image_name("build", base_name)}
    config["run"] = {"images": [{"image": base_images.image_name("run", base_name)}]}
    config["buildpacks"] = [{"id": facts["id"], "uri": str(product)}]
    config["order"] = [{"group": [{"id": facts["id"]}]}]
    config["lifecycle"] = {"uri": str(lifecycle)}
    return config


def create(
    engine: Engine, name: str, config: dict[str, object], arch: str, flags: Sequence[str]
) -> None:
    """Create the builder *name* for *arch* with pack, its options *flags* and builder.toml."""
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "builder.toml"
        written.write_text(tomli_w.dumps(config))
        run(
            *(real_tools.pack(), "builder", "create", name, "--config", written),
            *(*flags, "--target", f"linux/{arch}"),
            env=pack_env(engine),
        )


def main(arguments: Sequence[str]) -> None:
    """Create the builder and print how to use it."""
    parser = argparse.ArgumentParser(prog="builder.py", description=main.__doc__)
    parser.add_argument("--go-modules", action="store_true", help="as that of assemble.py")
    parser.add_argument("--base", default=rootfs.DEFAULT, choices=rootfs.names())
    options = parser.parse_args(arguments)
    arch = rootfs.base("build", options.base).arch
    product = buildpack(released=not options.go_modules, arch=arch)
    with running() as engine:
        name = base_images.tagged(NAME, options.base)
        ensure(engine, product, name, options.base)
        size = int(engine.docker("image", "inspect", "--format", "{{.Size}}", name))
        say(f"\n{name} is ready ({size / 1e6:.0f} MB). Build with it:\n")
        say(f"  pack build my-image {' '.join(pack_flags(engine, name))}")
        if engine.env:
            store = cache.directory() / "engine"
            say(
                f"\nIt is kept in {store}, the store of an engine that runs only while a command"
                " of this project needs it. Where a Docker engine answers, it goes there instead."
            )


if __name__ == "__main__":
    os.umask(0o022)
    try:
        main(sys.argv[1:])
    except Unavailable as error:
        sys.exit(str(error))
