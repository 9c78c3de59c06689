"""Where uv keeps settings of its own."""

from pathlib import Path

import pytest

from cnb_python.managers import uv_settings


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
def test_uvs_own_settings_are_found(
    tmp_path: Path, file: str, content: str, expected: object
) -> None:
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(content)

    found = uv_settings.is_configured({"HOME": f"{tmp_path}/home"}, tmp_path / "app")

    assert found is expected
    assert uv_settings.is_configured({"UV_INDEX": "x"}, tmp_path / "elsewhere/app")
