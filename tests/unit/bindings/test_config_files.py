"""Files that tools look for, put where they look."""

from pathlib import Path

import pytest

from cnb_python.bindings.config_files import configured, with_logins
from cnb_python.bindings.indexes import read
from tests.support.bindings import bound
from tests.support.fake_system import Log

URL = "https://index.example.org/simple/"


def index(url: str, user: str, password: str) -> dict[str, str]:
    return {"type": "pypi", "extra-index-url": url, "username": user, "password": password}


def netrc_of(directory: Path, **bindings: dict[str, str]) -> str:
    found = read(bound(directory, **bindings))
    environ = with_logins((), found, {}, directory, Log())
    return Path(environ["NETRC"]).read_text().strip() if "NETRC" in environ else ""


def test_directories_that_were_named_count_behind_ours(tmp_path: Path) -> None:
    bindings = bound(tmp_path, conf={"type": "pip", "pip.conf": ""})
    environ = configured(bindings, (), {"XDG_CONFIG_DIRS": "/one:/two"}, tmp_path, Log())

    assert environ["XDG_CONFIG_DIRS"] == f"{tmp_path}/config:/one:/two"
    assert configured((), (), {"A": "b"}, tmp_path, Log()) == {"A": "b"}


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("PIP_CONFIG_FILE", "/dev/null", "conf: PIP_CONFIG_FILE keeps pip from reading it"),
        ("UV_NO_CONFIG", "1", "lines: UV_NO_CONFIG keeps uv from reading it"),
        ("UV_CONFIG_FILE", "/x", "lines: UV_CONFIG_FILE keeps uv from reading it"),
        ("PIP_CONFIG_FILE", "/etc/more.conf", ""),
    ],
)
def test_what_hides_a_file_is_said(tmp_path: Path, variable: str, value: str, words: str) -> None:
    log = Log()
    conf, lines = bound(
        tmp_path, conf={"type": "pip", "pip.conf": ""}, lines={"type": "uv", "uv.toml": ""}
    )
    configured((conf,), (lines,), {variable: value}, tmp_path, log)

    assert [line for line in log.said if "keeps" in line] == ([words] if words else [])


def test_a_host_with_two_logins_has_none_in_the_netrc(tmp_path: Path) -> None:
    two = {"a": index(URL, "me", "one"), "b": index(f"{URL}x", "you", "two")}

    assert netrc_of(tmp_path, **two) == ""


def test_what_a_netrc_cannot_hold_is_not_put_there(tmp_path: Path) -> None:
    assert netrc_of(tmp_path, a=index(URL, "me", "two words")) == ""


def test_indexes_without_a_login_need_no_home_of_their_own(tmp_path: Path) -> None:
    found = read(bound(tmp_path, a={"type": "pypi", "url": URL}))

    assert with_logins((), found, {"HOME": "/home/cnb"}, tmp_path, Log()) == {"HOME": "/home/cnb"}


def test_the_user_s_own_netrc_counts_behind_the_binding_s(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("machine b login me password two\n")
    bindings = bound(tmp_path, logins={"type": "netrc", "netrc": "machine a password one\n"})
    environ = with_logins(bindings, (), {"NETRC": str(own)}, tmp_path, Log())

    text = Path(environ["NETRC"]).read_text()
    assert text.index("machine a") < text.index("machine b")
