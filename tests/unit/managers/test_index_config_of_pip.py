"""What pip is told of indexes, in uv's words."""

from pathlib import Path

import pytest

from cnb_python.managers import index_config

ONE, TWO = "https://me:secret@one.example/simple", "https://two.example/simple"


def told(**environ: str) -> dict[str, str]:
    return index_config.told({"PIP_CONFIG_FILE": "/dev/null", **environ})


def test_indexes_and_links_are_translated() -> None:
    found = told(PIP_INDEX_URL=ONE, PIP_EXTRA_INDEX_URL=f"{TWO} {ONE}", PIP_FIND_LINKS="/a /b")

    assert found["UV_DEFAULT_INDEX"] == ONE
    assert found["UV_INDEX"] == f"{TWO} {ONE}"
    assert found["UV_INDEX_STRATEGY"] == "unsafe-best-match"
    assert found["UV_FIND_LINKS"] == "/a,/b"


def test_files_of_pips_count_too(tmp_path: Path) -> None:
    file = tmp_path / "pip.conf"
    file.write_text(f"[global]\nindex-url = {ONE}\ntrusted-host = a b\n", "utf-8")

    found = told(PIP_CONFIG_FILE=str(file))

    assert found["UV_DEFAULT_INDEX"] == ONE
    assert found["UV_INSECURE_HOST"] == "a b"


@pytest.mark.parametrize("name", ["UV_INDEX", "UV_DEFAULT_INDEX", "UV_FIND_LINKS"])
def test_uvs_own_settings_are_stronger(name: str) -> None:
    found = told(PIP_INDEX_URL=ONE, **{name: TWO})

    assert found[name] == TWO
    assert ONE not in [value for key, value in found.items() if key.startswith("UV_")]


def test_certificates_have_to_be_there(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()

    assert told(PIP_CERT=str(tmp_path / "ca.pem"))["SSL_CERT_FILE"] == f"{tmp_path}/ca.pem"
    assert "SSL_CERT_FILE" not in told(PIP_CERT=str(tmp_path / "gone.pem"))
