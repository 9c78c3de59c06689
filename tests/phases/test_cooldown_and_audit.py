"""The age of packages and the audit, with a real index, pip and uv."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import index
from tests.support.builds import Builds
from tests.support.index import Index
from tests.support.osv import osv_zip, record
from tests.support.trees import write_files
from tests.support.wheels import wheel

DAY = 24 * 60 * 60
AGES = {"1.0": 30 * DAY, "2.0": DAY}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """An index with an old and a young release of a package."""
    directory = tmp_path_factory.mktemp("packages")
    for version, age in AGES.items():
        path = wheel(directory, "good", version, {"good.py": f"VERSION = '{version}'"})
        uploaded = time.time() - age
        os.utime(path, (uploaded, uploaded))
    with index.running(directory, times=True) as running:
        yield running


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_range_gets_the_newest_release_that_is_old_enough(
    builds: Builds, packages: Index, tmp_path: Path, installer: str
) -> None:
    """The vulnerability of that release is a warning, and part of the record."""
    app = write_files(
        tmp_path / "app",
        {
            "requirements.txt": "good>=1\n",
            "Procfile": "web: python -m http.server $PORT",
            "pyproject.toml": '[tool.cnb-python]\ncooldown = "7 days"\n',
        },
    )
    bindings = write_files(tmp_path / "bindings", {"osv/type": "osv\n"})
    osv_zip(bindings / "osv", record("GHSA-1", "good", fixed="1.5"))
    env = {"PIP_INDEX_URL": packages.url, "BP_PYTHON_INSTALLER": installer}

    built = builds.phases(app, env=env, bindings=bindings)

    assert built.code == 0, built.output
    assert "Uploaded at least 7 days ago: 1 package" in built.output
    assert "good 1.0: GHSA-1, medium, fixed in 1.5" in built.output
    metadata = built.documents()["store.toml"]["metadata"]
    assert metadata["distributions"] == ["good 1.0"]
    assert metadata["cooldown"] == "168"
    assert metadata["findings"] == ["good 1.0 GHSA-1 medium 1.5 affected"]
    document = json.loads((built.layers / "launch.sbom.cdx.json").read_bytes())
    assert [each["id"] for each in document["vulnerabilities"]] == ["GHSA-1"]


def test_pinned_release_that_is_too_young_is_not_downloaded(
    builds: Builds, packages: Index, tmp_path: Path
) -> None:
    files = {"requirements.txt": "good==2.0\n", "app.py": ""}
    env = {"PIP_INDEX_URL": packages.url, "BP_PYTHON_COOLDOWN": "P7D"}
    before = len(packages.requests)

    built = builds.phases(write_files(tmp_path / "app", files), env=env)

    assert built.code != 0
    assert built.error.startswith("Packages are younger than 7 days\n")
    assert "; 1.0 is old enough" in built.error
    assert packages.requests[before:] == ["GET /simple/good/ 200"]
