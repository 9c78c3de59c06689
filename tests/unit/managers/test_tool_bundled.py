"""The bundled tools: pip, uv and the exec.d program."""

import re
from pathlib import Path

import pytest

from cnb_python.errors.base import IncompleteBuildpack
from cnb_python.managers.tool import find_defaults, find_pip, find_uv, versions


def test_pip_of_a_package_is_a_wheel(tmp_path: Path) -> None:
    wheel = tmp_path / "tools/pip-26.3-py3-none-any.whl"
    wheel.parent.mkdir()
    wheel.touch()

    assert find_pip(tmp_path) == wheel


def test_pip_of_a_checkout_is_installed(tmp_path: Path) -> None:
    installed = tmp_path / ".venv/lib/python3.14/site-packages/pip"
    installed.mkdir(parents=True)

    assert find_pip(tmp_path) == installed


def test_buildpack_without_pip_is_incomplete(tmp_path: Path) -> None:
    with pytest.raises(IncompleteBuildpack):
        find_pip(tmp_path)


@pytest.mark.parametrize("path", ["tools/uv", ".venv/bin/uv"])
def test_uv_is_found_in_a_package_and_in_a_checkout(tmp_path: Path, path: str) -> None:
    program = tmp_path / path
    program.parent.mkdir(parents=True)
    program.touch()

    assert find_uv(tmp_path) == program


def test_directory_named_uv_is_incomplete(tmp_path: Path) -> None:
    (tmp_path / "tools/uv").mkdir(parents=True)

    with pytest.raises(IncompleteBuildpack) as raised:
        find_uv(tmp_path)

    assert raised.value.file == "tools/uv"


@pytest.mark.parametrize("path", ["tools/defaults", ".venv/bin/cnb-python-defaults"])
def test_exec_d_program_is_found_in_a_package_and_in_a_checkout(tmp_path: Path, path: str) -> None:
    program = tmp_path / path
    program.parent.mkdir(parents=True)
    program.touch()

    assert find_defaults(tmp_path) == program


def test_buildpack_without_exec_d_program_is_incomplete(tmp_path: Path) -> None:
    with pytest.raises(IncompleteBuildpack) as raised:
        find_defaults(tmp_path)

    assert raised.value.file == "tools/defaults"


def test_tool_versions_are_the_pinned_ones() -> None:
    """The SBOM lists them."""
    pip, uv = versions().split(", ")

    for text, name in ((pip, "pip"), (uv, "uv")):
        assert re.fullmatch(rf"{name} \d+(\.\d+)+", text)
