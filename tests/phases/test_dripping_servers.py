"""Servers that send a byte now and then: no time-out of pip or uv ends that, but the build's does.

The name of the package says what of it drips: its page, or its file.
"""

from pathlib import Path

import pytest

from tests.support import broken_index
from tests.support.builds import Builds, Built
from tests.support.trees import App
from tests.support.wheels import wheel

UNSET = {"PIP_EXTRA_INDEX_URL": "", "PIP_FIND_LINKS": ""}


@pytest.mark.parametrize(
    ("installer", "package"),
    [
        ("uv", "large"),
        pytest.param("uv", "good", marks=pytest.mark.thorough),
        pytest.param("pip", "large", marks=pytest.mark.thorough),
        ("pip", "good"),
    ],
)
def test_build_ends_when_a_server_drips(
    builds: Builds, flask: Built, app: App, tmp_path: Path, installer: str, package: str
) -> None:
    wheel(tmp_path, package, "1.0", {f"{package}.py": ""})
    source = app({"requirements.txt": f"{package}==1.0\n", "Procfile": "web: python -V\n"})
    with broken_index.running(tmp_path) as url:
        env = {
            **UNSET,
            "BP_PYTHON_INSTALLER": installer,
            "BP_PYTHON_IDLE_TIMEOUT": "3",
            "PIP_INDEX_URL": f"{url}/drip/simple/",
        }
        built = builds.image(source, flask, env=env)

    assert built.code != 0, built.output
    assert "made no progress for 3 s" in built.output, built.output
    assert f"It was connected to {url.removeprefix('http://')}." in built.output
    assert "BP_PYTHON_IDLE_TIMEOUT=6" in built.output
