"""Who may ask for a Python, and who counts."""

from pathlib import Path

import pytest

from cnb_python.errors import InvalidPythonVersion, NotAFile, NotUtf8
from cnb_python.project import read_project
from cnb_python.setting import Origin as Given
from cnb_python.settings import DEFAULTS, Settings
from cnb_python.version.request import Origin
from cnb_python.version.sources import asked_for


def test_nobody_has_to_ask(tmp_path: Path) -> None:
    assert asked_for(read_project(tmp_path), DEFAULTS) is None


def test_the_file_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / ".python-version").write_text("# web\n3.12\n")

    request = asked_for(read_project(tmp_path), DEFAULTS)

    assert request is not None
    assert (str(request), str(request.origin)) == ("3.12", ".python-version, line 2")


def test_the_setting_counts_before_the_file(tmp_path: Path) -> None:
    (tmp_path / ".python-version").write_text("not even a version")

    request = asked_for(read_project(tmp_path), Settings(python="3.13.1"))

    assert request is not None
    assert str(request) == "3.13.1"
    assert request.origin == Origin("the setting BP_PYTHON_VERSION")


def test_a_setting_of_the_app_is_named_with_its_line(tmp_path: Path) -> None:
    settings = Settings(python="3.13", origins={"python": Given("pyproject.toml", 7)})

    request = asked_for(read_project(tmp_path), settings)

    assert request is not None
    assert str(request.origin) == "the setting python of pyproject.toml, line 7"


def test_a_bad_setting_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidPythonVersion) as caught:
        asked_for(read_project(tmp_path), Settings(python="latest"))

    assert caught.value.origin == "the setting BP_PYTHON_VERSION"


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / ".python-version").write_bytes(b"\xef\xbb\xbf3.12\r\n")

    assert str(asked_for(read_project(tmp_path), DEFAULTS)) == "3.12"


def test_a_file_in_utf_16_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".python-version").write_bytes("3.12\r\n".encode("utf-16"))

    with pytest.raises(NotUtf8):
        asked_for(read_project(tmp_path), DEFAULTS)


def test_utf_16_without_a_mark_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / ".python-version").write_bytes("3.12".encode("utf-16-le"))

    with pytest.raises(InvalidPythonVersion) as caught:
        asked_for(read_project(tmp_path), DEFAULTS)

    assert caught.value.text == r"3\x00.\x001\x002\x00"


def test_a_directory_of_that_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".python-version").mkdir()

    with pytest.raises(NotAFile):
        asked_for(read_project(tmp_path), DEFAULTS)
