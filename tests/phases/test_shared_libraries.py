"""Shared libraries of real packages: missing, in the build image only, or with the package."""

import json

import pytest

from cnb_python.provision.libraries import LABEL
from tests.support.builds import Builds
from tests.support.trees import App
from tools import libraries
from tools.platforms import oci
from tools.platforms.rootfs import rootfs

# The build image has a compiler, and so libgomp.so.1; the run image has not.
POPULAR = (
    *("cryptography==50.0.2", "grpcio==1.85.3", "lightgbm==4.7.0", "lxml==6.1.3", "numpy==2.5.5"),
    *("opencv-python-headless==5.0.0.93", "pandas==3.1.1", "pillow==13.0.0"),
    *("psycopg2-binary==2.9.13", "pyarrow==26.0.1", "scipy==1.18.1"),
)


@pytest.mark.thorough
def test_popular_wheels_need_nothing_else(
    builds: Builds, app: App, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = app({"requirements.txt": "\n".join(POPULAR), "Procfile": "web: python -V\n"})

    built = builds.image(directory)

    assert built.code == 0, built.output
    assert "  - libgomp.so.1 (package libgomp1) for lightgbm" in built.output
    assert built.output.count("  - lib") == 1
    needed = json.loads(oci.read(built.directory).labels[LABEL])
    assert needed["libgomp.so.1"] == {"packages": ["lightgbm"], "versions": []}
    assert "Python" in needed["libc.so.6"]["packages"]
    assert libraries.main([str(built.directory), str(rootfs("run"))]) == 1
    shown = capsys.readouterr().out.splitlines()[1:]
    assert shown == ["  - libgomp.so.1 (package libgomp1) is missing, for lightgbm"]
    assert libraries.main([str(built.directory), str(rootfs("build"))]) == 0


def test_package_whose_library_is_missing_stops_the_build(builds: Builds, app: App) -> None:
    lines = "opencv-python==5.0.0.93\npython-magic==0.4.27\n"

    built = builds.image(app({"requirements.txt": lines, "Procfile": "web: python -V\n"}))

    assert built.code != 0
    assert "opencv-python, python-magic cannot be imported" in built.output
    assert "Use opencv-python-headless in place of opencv-python." in built.output
    assert "python-magic needs libmagic.so.1 (it loads it by name)" in built.output
