"""Makes the packages of a release with their SBOMs: `python3 -m tools.release.packages DIRECTORY`.

`tools.release` runs it twice, each time in a process of its own.
"""

import argparse
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools.package import assemble
from tools.processes import Unavailable, say
from tools.pythons import runtimes
from tools.release import sbom

APIS = ("0.10", "0.12")


def products(dist: Path, options: argparse.Namespace) -> Iterator[assemble.Product]:
    """Yield every package of a release, for each architecture those of one tree together."""
    released = not options.go_modules
    offline = runtimes.offline(options.arch, released=released) if options.offline else ()
    for arch in options.arch:
        for versions in ((), offline) if offline else ((),):
            for api in APIS:
                yield assemble.Product(arch, api, versions, dist, released=released)


def make(product: assemble.Product, into: Path) -> None:
    """Write *product* and its SBOMs to *into*. Raises Unavailable."""
    assemble.assemble(product)
    assemble.pack_file(product)
    document = sbom.of_package(product)
    for suffix, content in sbom.rendered(document).items():
        (into / f"{product.file.stem}{suffix}").write_bytes(content)
    product.file.replace(into / product.file.name)
    say(f"  {product.file.name}")


def main(arguments: Sequence[str]) -> None:
    """Make the packages."""
    parser = argparse.ArgumentParser(prog="tools.release.packages", description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--arch", nargs="*", default=assemble.ARCHES, choices=assemble.ARCHES)
    parser.add_argument("--no-offline", dest="offline", action="store_false")
    parser.add_argument("--go-modules", action="store_true", help="as that of assemble.py")
    options = parser.parse_args(arguments)
    into = options.directory.resolve()
    into.mkdir(parents=True, exist_ok=True)
    work = into / "work"
    try:
        for product in products(work, options):
            make(product, into)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Unavailable as error:
        sys.exit(str(error))
