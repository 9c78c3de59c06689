"""Copying pip into the staging directory."""

import zipfile
from pathlib import Path

import pytest

from cnb_python.install.staging import copy_pip


def test_wheel_of_pip_is_unpacked_without_metadata(tmp_path: Path) -> None:
    wheel = tmp_path / "pip-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("pip/__pip-runner__.py", "run")
        archive.writestr("pip/_vendor/x.py", "")
        archive.writestr("pip-1.0.dist-info/METADATA", "Name: pip")

    directory = copy_pip(wheel, tmp_path / "into")

    assert directory == tmp_path / "into/pip"
    assert (directory / "__pip-runner__.py").read_text() == "run"
    assert [path.name for path in (tmp_path / "into").iterdir()] == ["pip"]


def test_installed_pip_is_copied_without_bytecode(tmp_path: Path) -> None:
    installed = tmp_path / "site-packages/pip"
    (installed / "__pycache__").mkdir(parents=True)
    (installed / "__pip-runner__.py").write_text("run")
    (installed / "__pycache__/x.pyc").touch()

    directory = copy_pip(installed, tmp_path / "into")

    assert [path.name for path in directory.iterdir()] == ["__pip-runner__.py"]


def test_damaged_wheel_raises(tmp_path: Path) -> None:
    wheel = tmp_path / "pip-1.0-py3-none-any.whl"
    wheel.write_bytes(b"half of a")

    with pytest.raises(zipfile.BadZipFile):
        copy_pip(wheel, tmp_path / "into")
