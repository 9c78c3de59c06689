"""Which packages are built from source although they have wheels, by the settings of a manager."""

from pathlib import Path

import pytest

from cnb_python.cnb.toml import TomlTable
from cnb_python.errors.packages.finding import OnlyWheels
from cnb_python.managers import from_source
from cnb_python.managers.base import Pin, Resolution
from cnb_python.managers.pylock_file import LOCK

QUIET = {"PIP_CONFIG_FILE": "/dev/null"}
ALL, ONE = frozenset({":all:"}), frozenset({"one-tool"})
NONE: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("environ", "names"),
    [
        ({}, NONE),
        ({"UV_NO_BINARY": "1"}, ALL),
        ({"UV_NO_BINARY": "0"}, NONE),
        ({"UV_NO_BINARY_PACKAGE": "One_Tool six"}, ONE | {"six"}),
    ],
)
def test_variables_of_uv(environ: dict[str, str], names: frozenset[str]) -> None:
    assert from_source.of_uv(environ) == names


@pytest.mark.parametrize(
    ("value", "names"),
    [(":all:", ALL), ("six,One.Tool", ONE | {"six"}), ("six,:none:,one_tool", ONE), ("", NONE)],
)
def test_settings_of_pip(value: str, names: frozenset[str], tmp_path: Path) -> None:
    file = tmp_path / "pip.conf"
    file.write_text(f"[install]\nno-binary = {value}\n")

    assert from_source.of_pip({**QUIET, "PIP_NO_BINARY": value}) == names
    assert from_source.of_pip({"PIP_CONFIG_FILE": str(file)}) == names


@pytest.mark.parametrize(
    ("setting", "names"),
    [('["One_Tool"]', ONE), ('"one-tool"', ONE), ("true", ALL), ("false", NONE), ('":all:"', ALL)],
)
def test_setting_of_poetry_yields_to_its_variable(
    setting: str, names: frozenset[str], tmp_path: Path
) -> None:
    assert from_source.of_poetry({}, tmp_path) == NONE
    (tmp_path / "poetry.toml").write_text(f"[installer]\nno-binary = {setting}\n")

    assert from_source.of_poetry({}, tmp_path) == names
    assert from_source.of_poetry({"POETRY_INSTALLER_NO_BINARY": "six"}, tmp_path) == {"six"}
    assert from_source.of_poetry({"POETRY_INSTALLER_NO_BINARY": "false"}, tmp_path) == NONE


def test_setting_of_pdm_yields_to_its_variable() -> None:
    project: TomlTable = {"tool": {"pdm": {"resolution": {"no-binary": "one-tool, six"}}}}

    assert from_source.of_pdm({}, project) == ONE | {"six"}
    assert from_source.of_pdm({"PDM_NO_BINARY": "One_Tool"}, project) == ONE


def test_named_pin_is_built_by_itself_and_is_another_package() -> None:
    """A stored wheel of it must not stand in for what is built."""
    pins = (Pin("one-tool", "1.0", "a", "one-tool==1.0"), Pin("six", "1.0", "b", "six==1.0"))
    resolution = Resolution(pins, from_files_alone=True, by="uv")

    one, six = from_source.apply(ONE, resolution).pins

    assert (one.by_itself, one.line) == (True, "--no-binary one-tool\none-tool==1.0")
    assert one.origin != "a"
    assert six == pins[1]
    assert all(pin.by_itself for pin in from_source.apply(ALL, resolution).pins)
    assert from_source.apply(NONE, resolution) == resolution


def locked(*kinds: str) -> Resolution:
    files = {"wheels": 'wheels = [{path = "/w"}]\n', "sdist": 'sdist = {path = "/s"}\n'}
    text = f'{LOCK}[[packages]]\nname = "one-tool"\n{"".join(files[kind] for kind in kinds)}'
    return Resolution((Pin("one-tool", "1.0", "a", text),), from_files_alone=True, by="uv")


def test_pin_of_a_lock_keeps_its_source_alone() -> None:
    (pin,) = from_source.apply(ONE, locked("wheels", "sdist")).pins

    assert pin.line.startswith(LOCK)
    assert "sdist" in pin.line
    assert "wheels" not in pin.line


def test_pin_of_a_lock_without_source_is_refused() -> None:
    with pytest.raises(OnlyWheels) as raised:
        from_source.apply(ONE, locked("wheels"))

    assert raised.value.package == "one-tool"
