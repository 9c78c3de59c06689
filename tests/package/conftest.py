"""The packages as `make package` makes them, in a folder of their own."""

from pathlib import Path

import pytest

from tools import package


@pytest.fixture(scope="session", name="dist")
def _dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dist")


@pytest.fixture(scope="session", name="trees")
def _trees(dist: Path) -> dict[str, Path]:
    """Every target's tree by architecture."""
    made = [package.Product(arch, package.declared_api(), (), dist) for arch in package.ARCHES]
    for product in made:
        package.assemble(product)
    return {product.arch: product.folder for product in made}


@pytest.fixture(scope="session", name="tree")
def _tree(trees: dict[str, Path]) -> Path:
    """The tree that runs on this machine."""
    return trees[package.this_machine()]
