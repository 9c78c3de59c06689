"""Configuration files and logins in bindings."""

from pathlib import Path

import pytest

from cnb_python.bindings.config_files import add_logins, link_config_files
from cnb_python.bindings.indexes import read_indexes
from tests.support.bindings import bound
from tests.support.fake_system import Log

URL = "https://index.example.org/simple/"


def index(url: str, user: str, password: str) -> dict[str, str]:
    return {"type": "pypi", "extra-index-url": url, "username": user, "password": password}


def netrc_of(directory: Path, **bindings: dict[str, str]) -> str:
    indexes = read_indexes(bound(directory, **bindings))
    environ = add_logins((), indexes, {}, directory, Log())
    return Path(environ["NETRC"]).read_text().strip() if "NETRC" in environ else ""


def test_directories_in_the_variable_come_after_the_bindings(tmp_path: Path) -> None:
    bindings = bound(tmp_path, conf={"type": "pip", "pip.conf": ""})
    environ = link_config_files(bindings, (), {"XDG_CONFIG_DIRS": "/one:/two"}, tmp_path, Log())

    assert environ["XDG_CONFIG_DIRS"] == f"{tmp_path}/config:/one:/two"
    assert link_config_files((), (), {"A": "b"}, tmp_path, Log()) == {"A": "b"}


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("PIP_CONFIG_FILE", "/dev/null", "conf: not read by pip, since PIP_CONFIG_FILE is set"),
        ("UV_NO_CONFIG", "1", "lines: not read by uv, since UV_NO_CONFIG is set"),
        ("UV_CONFIG_FILE", "/x", "lines: not read by uv, since UV_CONFIG_FILE is set"),
        ("PIP_CONFIG_FILE", "/etc/more.conf", ""),
    ],
)
def test_a_variable_that_hides_a_file_is_logged(
    tmp_path: Path, variable: str, value: str, words: str
) -> None:
    log = Log()
    conf, lines = bound(
        tmp_path, conf={"type": "pip", "pip.conf": ""}, lines={"type": "uv", "uv.toml": ""}
    )
    link_config_files((conf,), (lines,), {variable: value}, tmp_path, log)

    assert [line for line in log.lines if "not read" in line] == ([words] if words else [])


def test_a_host_with_two_logins_is_not_in_the_netrc(tmp_path: Path) -> None:
    two = {"a": index(URL, "me", "one"), "b": index(f"{URL}x", "you", "two")}

    assert netrc_of(tmp_path, **two) == ""


def test_a_password_with_spaces_is_not_in_the_netrc(tmp_path: Path) -> None:
    assert netrc_of(tmp_path, a=index(URL, "me", "two words")) == ""


def test_indexes_without_a_login_do_not_change_the_home(tmp_path: Path) -> None:
    indexes = read_indexes(bound(tmp_path, a={"type": "pypi", "url": URL}))

    assert add_logins((), indexes, {"HOME": "/home/cnb"}, tmp_path, Log()) == {"HOME": "/home/cnb"}


def test_the_users_netrc_comes_after_the_bindings(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("machine b login me password two\n")
    bindings = bound(tmp_path, logins={"type": "netrc", "netrc": "machine a password one\n"})
    environ = add_logins(bindings, (), {"NETRC": str(own)}, tmp_path, Log())

    text = Path(environ["NETRC"]).read_text()
    assert text.index("machine a") < text.index("machine b")
