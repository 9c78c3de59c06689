"""uv's settings in files and variables."""

from pathlib import Path

import pytest

from cnb_python.managers import tool_settings


@pytest.mark.parametrize(
    ("file", "content", "expected"),
    [
        ("app/uv.toml", "", True),
        ("uv.toml", "", True),
        ("home/.config/uv/uv.toml", "", True),
        ("app/pyproject.toml", "[tool.uv]\n", True),
        ("app/pyproject.toml", "[ tool . uv.pip ]\n", True),
        ("app/pyproject.toml", "[project]\nname = 'x'\n", False),
        ("elsewhere/uv.toml", "", False),
    ],
)
def test_settings_of_uv_are_found(
    tmp_path: Path, file: str, content: str, expected: object
) -> None:
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(content)

    uv_is_configured = tool_settings.uv_is_configured(
        {"HOME": f"{tmp_path}/home"}, tmp_path / "app"
    )

    assert uv_is_configured is expected


def test_machine_wide_files_follow_their_variables(tmp_path: Path) -> None:
    (tmp_path / "xdg/uv").mkdir(parents=True)
    (tmp_path / "xdg/uv/uv.toml").touch()
    given = {"XDG_CONFIG_DIRS": f"/nowhere:{tmp_path}/xdg"}

    assert tool_settings.uv_is_configured(given, tmp_path / "app")
    assert not tool_settings.uv_is_configured({}, tmp_path / "app")
    named = tool_settings.uv_configuration_files({"UV_CONFIG_FILE": "/x.toml"}, tmp_path)
    assert named[0] == Path("/x.toml")


def test_variable_of_uv_is_a_setting(tmp_path: Path) -> None:
    assert tool_settings.uv_is_configured({"UV_INDEX": "x"}, tmp_path / "elsewhere/app")
