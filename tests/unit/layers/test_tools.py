"""The pip that travels with the buildpack."""

from pathlib import Path

import pytest

from cnb_python.errors import IncompleteBuildpack
from cnb_python.layers.tools import find_pip


def test_a_package_carries_a_wheel(tmp_path: Path) -> None:
    wheel = tmp_path / "tools/pip-26.3-py3-none-any.whl"
    wheel.parent.mkdir()
    wheel.touch()

    assert find_pip(tmp_path) == wheel


def test_a_checkout_has_it_installed(tmp_path: Path) -> None:
    installed = tmp_path / ".venv/lib/python3.14/site-packages/pip"
    installed.mkdir(parents=True)

    assert find_pip(tmp_path) == installed


def test_a_buildpack_without_it_is_broken(tmp_path: Path) -> None:
    with pytest.raises(IncompleteBuildpack):
        find_pip(tmp_path)
