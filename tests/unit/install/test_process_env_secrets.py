"""Secrets that must not appear in the output of tools."""

from pathlib import Path

from cnb_python.install.process_env import secrets
from cnb_python.system.redaction import redact


def test_secrets_in_configuration_files_are_listed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / ".config/uv").mkdir(parents=True)
    (home / ".config/pip").mkdir()
    (home / ".netrc").write_text("machine h login me password of-netrc\n")
    (home / ".config/pip/pip.conf").write_text(
        "[global]\nindex-url = https://me:of-pip@h/simple\n"
    )
    (home / ".config/uv/uv.toml").write_text("index = [{ url = 'https://me:of%2Fuv@h/' }]\n")

    values = secrets({"HOME": str(home)}, tmp_path)

    assert {"of-netrc", "of-pip", "of%2Fuv", "of/uv"} <= set(values)
    assert redact("login of-netrc, of/uv and of-pip", values) == "login ****, **** and ****"


def test_invalid_netrc_has_no_secrets(tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("machine h bogus")

    assert secrets({"NETRC": f"{tmp_path}/netrc"}, tmp_path) == ()


def test_authorization_header_is_a_secret() -> None:
    values = secrets({"PIP_INDEX_URL": "https://me:p%40ss@h/"}, Path("/app"))

    assert redact("Authorization: Basic bWU6cEBzcw==", values) == "Authorization: Basic ****"
