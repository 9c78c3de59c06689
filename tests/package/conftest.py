"""Packages as `make package` makes them, in a separate directory."""

from pathlib import Path

import pytest

from tools.package import assemble


@pytest.fixture(scope="session", name="dist")
def _dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dist")


@pytest.fixture(scope="session", name="trees")
def _trees(dist: Path) -> dict[str, Path]:
    """Return the tree of each target by architecture."""
    products = [
        assemble.Product(arch, assemble.declared_api(), (), dist) for arch in assemble.ARCHES
    ]
    for product in products:
        assemble.assemble(product)
    return {product.arch: product.folder for product in products}


@pytest.fixture(scope="session", name="tree")
def _tree(trees: dict[str, Path]) -> Path:
    """The tree for this machine."""
    return trees[assemble.this_machine()]
