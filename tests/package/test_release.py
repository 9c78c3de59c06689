"""The SBOM of a package lists what the tree contains."""

import re
from pathlib import Path

import pytest

from tests.support.sbom_schemas import check_cyclonedx, check_spdx, listed
from tools.package import assemble, bundled
from tools.release import sbom


@pytest.mark.parametrize("arch", assemble.ARCHES)
def test_sbom_is_valid_and_lists_everything_bundled(
    trees: dict[str, Path], dist: Path, arch: str
) -> None:
    product = assemble.Product(arch, assemble.declared_api(), (), dist)
    assert product.folder == trees[arch]

    written = sbom.rendered(sbom.of_package(product))

    content = check_cyclonedx(written[".cdx.json"])
    names = {each["name"]: each for each in listed(content)}
    locked = set(re.findall(r"^([a-z0-9-]+)==", bundled.LOCK.read_text(), re.MULTILINE))
    assert {*locked, "python", "openssl", "pip", "uv", "stdlib", "cnb-python/python"} <= {*names}
    assert names["uv"]["hashes"][0]["content"] == bundled.PINS["uv"]["sha256"][arch]
    assert {each["name"] for each in check_spdx(written[".spdx.json"])["packages"]} == {*names}
