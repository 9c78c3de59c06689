"""Scanners list what is installed: from the image, and from its SBOMs."""

from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from cnb_python.sbom import purl
from tests.support.builds import BUILDPACK, Builds, Built, fixture
from tools.platforms import lifecycle, scanners
from tools.platforms.scanners import python_packages

APPS = ("pip_flask", "pip_django", "uv_fastapi", "pip_science", "pip_c_extension")
LAYOUTS = ("linked", "merged")


@pytest.fixture(
    scope="module", params=[(app, layout) for app in APPS for layout in LAYOUTS], ids="-".join
)
def built(request: pytest.FixtureRequest, builds: Builds) -> Built:
    app, layout = request.param
    image = builds.image(fixture(app), env={"BP_PYTHON_LAYOUT": layout})
    assert image.code == 0, image.output
    lifecycle.complete(builds.platform, image.directory)
    return image


@pytest.fixture(name="installed", scope="module")
def _installed(built: Built) -> list[str]:
    """The package URLs of the distributions whose files are in the image."""
    found = [
        path.name.removesuffix(".dist-info").split("-")
        for path in (built.root / f"layers/{BUILDPACK}").rglob("site-packages/*.dist-info")
        if path.is_dir() and not path.is_symlink()
    ]
    assert found
    return sorted(purl.pypi(canonicalize_name(name), version) for name, version in found)


def sboms(built: Built, suffix: str) -> list[Path]:
    return sorted((built.root / f"layers/sbom/launch/{BUILDPACK}").glob(f"*/sbom.{suffix}"))


def test_syft_lists_each_distribution_once(
    built: Built, installed: list[str], tmp_path: Path
) -> None:
    listed = scanners.syft(("scan", str(built.directory)), tmp_path)

    assert python_packages(listed) == installed


def test_trivy_lists_each_distribution_once_for_each_source(
    built: Built, installed: list[str], tmp_path: Path
) -> None:
    """It adds what both SBOMs in the image list to what it finds itself."""
    image = ("image", str(built.directory))
    listed = scanners.trivy(image, tmp_path)
    by_itself = scanners.trivy((*image, "layers/sbom"), tmp_path)

    assert python_packages(by_itself) == installed
    assert python_packages(listed) == sorted(3 * installed)


@pytest.mark.parametrize("suffix", ["cdx.json", "spdx.json"])
@pytest.mark.parametrize(
    "scan",
    [
        lambda file, work: scanners.syft(("convert", str(file)), work),
        lambda file, work: scanners.trivy(("sbom", str(file)), work),
    ],
    ids=["syft", "trivy"],
)
def test_sboms_list_each_distribution_once(
    built: Built,
    installed: list[str],
    tmp_path: Path,
    suffix: str,
    scan: Callable[[Path, Path], list[str]],
) -> None:
    listed = [each for file in sboms(built, suffix) for each in scan(file, tmp_path)]

    assert sorted(python_packages(listed)) == installed


@pytest.mark.parametrize("suffix", ["cdx.json", "spdx.json"])
def test_only_syft_lists_what_is_linked_into_python(
    built: Built, tmp_path: Path, suffix: str
) -> None:
    """Trivy leaves out packages without a registry, `pkg:generic`."""
    file = next(each for each in sboms(built, suffix) if each.parent.name == "python")
    by_syft = scanners.syft(("convert", str(file)), tmp_path)
    names = [purl.partition("@")[0].removeprefix("pkg:generic/") for purl in by_syft]

    assert {"python", "openssl", "sqlite", "zlib"} < set(names)
    assert len(set(names)) == len(names)
    assert scanners.trivy(("sbom", str(file)), tmp_path) == []
