"""What a build is granted by its bindings, and for how long."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from cnb_python.bindings.apply import granted
from cnb_python.cnb.context import BuildContext
from cnb_python.errors.config import BadBinding, SeveralBindings
from cnb_python.system.certificates import certificates_in
from tests.support.bindings import bound, certificates
from tests.support.fake_build import context
from tests.support.fake_system import Log


def given(directory: Path, environ: Mapping[str, str], **bindings: dict[str, str]) -> BuildContext:
    made = context(directory)
    platform = made.platform._replace(bindings=bound(directory, **bindings))
    return made._replace(platform=platform, environ=environ)


def test_without_bindings_of_ours_nothing_is_made_and_nothing_said(tmp_path: Path) -> None:
    log = Log()
    asked = given(tmp_path, {"HOME": "/home/cnb"}, db={"type": "postgresql", "password": "x"})

    with granted(asked, log) as found:
        assert found == asked

    assert log.said == []


def test_a_binding_of_each_type_grants_what_it_is_for(tmp_path: Path) -> None:
    home = tmp_path / "real-home"
    (home / ".config").mkdir(parents=True)
    (home / ".netrc").write_text("machine old.example.org login me password kept-one\n")
    log = Log()
    asked = given(
        tmp_path,
        {"HOME": str(home), "PATH": "/bin"},
        company={"type": "pypi", "url": "https://index.example.org/simple/\n", "token": "t0ken\n"},
        conf={"type": "pip", "pip.conf": "[global]\nretries = 1\n"},
        lines={"type": "UV", "uv.toml": "offline = false\n"},
        logins={"type": "netrc", ".netrc": "machine git.example.org login me password s3cret\n"},
        roots={"type": "ca-certificates", "ca.pem": certificates(2)},
    )

    with granted(asked, log) as found:
        environ = found.environ
        url = "https://__token__:t0ken@index.example.org/simple/"
        assert environ["PIP_INDEX_URL"] == environ["UV_DEFAULT_INDEX"] == url
        first, usual = environ["XDG_CONFIG_DIRS"].split(":")
        assert usual == "/etc/xdg"
        assert Path(first, "pip/pip.conf").read_text() == "[global]\nretries = 1\n"
        assert Path(first, "uv/uv.toml").is_symlink()
        netrc = Path(environ["NETRC"])
        assert netrc.read_text().split("\n") == [
            "machine git.example.org login me password s3cret",
            "machine index.example.org login __token__ password t0ken",
            "machine old.example.org login me password kept-one",
            "",
        ]
        assert netrc.stat().st_mode & 0o777 == 0o600
        assert netrc.parent == Path(environ["HOME"])
        assert (netrc.parent / ".config").resolve() == home / ".config"
        last = certificates_in(Path(environ["SSL_CERT_FILE"]).read_text())[-2:]
        assert last == certificates_in(certificates(2))
        assert environ["PATH"] == "/bin"
        made = netrc.parents[1]
        assert made.stat().st_mode & 0o777 == 0o700

    assert not made.exists()
    said = "\n".join(log.said)
    assert "t0ken" not in said
    assert "s3cret" not in said
    assert "company: the usual index, https://index.example.org/simple/, with a login" in said


@pytest.mark.parametrize("kind", ["pip", "uv"])
def test_two_files_of_which_one_would_be_hidden_are_refused(tmp_path: Path, kind: str) -> None:
    key = {"pip": "pip.conf", "uv": "uv.toml"}[kind]
    asked = given(tmp_path, {}, a={"type": kind, key: ""}, b={"type": kind, key: ""})

    with pytest.raises(SeveralBindings) as caught, granted(asked, Log()):
        pass

    assert (caught.value.type, caught.value.names) == (kind, ("a", "b"))


@pytest.mark.parametrize(
    ("kind", "keys", "key", "problem"),
    [
        ("pip", {"config": "[global]"}, "config", "unknown key"),
        ("pip", {}, "pip.conf", "missing key"),
        ("pip", {"pip.conf": "index-url = x"}, "pip.conf", "unreadable"),
        ("pip", {"pip.conf": "[global]\nnonsense s3cret\n"}, "pip.conf", "unreadable"),
        ("uv", {"pip.conf": ""}, "pip.conf", "unknown key"),
        ("uv", {"uv.toml": "token = s3cret"}, "uv.toml", "unreadable"),
        ("netrc", {}, "netrc", "missing key"),
        ("netrc", {"netrc": "", ".netrc": ""}, ".netrc", "said twice"),
        ("netrc", {"netrc": "machine h password s3cret bogus"}, "netrc", "unreadable"),
        ("ca-certificates", {"a.pem": "s3cret"}, "a.pem", "no certificate"),
        ("ca-certificates", {}, "ca.pem", "missing key"),
        ("ca-certificates", {".DS_Store": "x"}, "ca.pem", "missing key"),
        (
            "ca-certificates",
            {"a.pem": "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n"},
            "a.pem",
            "private key",
        ),
    ],
)
def test_a_wrong_key_is_named_and_its_contents_are_not(
    tmp_path: Path, kind: str, keys: dict[str, str], key: str, problem: str
) -> None:
    asked = given(tmp_path, {}, mine={"type": kind, **keys})

    with pytest.raises(BadBinding) as caught, granted(asked, Log()):
        pass

    error = caught.value
    assert (error.name, error.type, error.key, error.problem) == ("mine", kind, key, problem)
    assert "s3cret" not in str(error)


def test_one_client_certificate_is_shown_by_pip_and_uv(tmp_path: Path) -> None:
    for name in ("PIP_CLIENT_CERT", "SSL_CLIENT_CERT"):
        with granted(given(tmp_path / name, {name: "/cert.pem"}), Log()) as found:
            assert found.environ["PIP_CLIENT_CERT"] == "/cert.pem"
            assert found.environ["SSL_CLIENT_CERT"] == "/cert.pem"
    both = {"PIP_CLIENT_CERT": "/pip.pem", "SSL_CLIENT_CERT": "/uv.pem"}
    with granted(given(tmp_path / "both", both), Log()) as found:
        assert found.environ == both


def test_each_build_of_an_image_has_the_same_variables(tmp_path: Path) -> None:
    asked = given(tmp_path, {}, roots={"type": "ca-certificates", "ca.pem": certificates(1)})

    with granted(asked, Log()) as first:
        made = Path(first.environ["SSL_CERT_FILE"]).parent
    made.mkdir()
    (made / "left by a build that was killed").touch()
    with granted(asked, Log()) as second:
        assert [path.name for path in made.iterdir()] == ["ca-certificates.pem"]

    assert first == second
    assert not made.exists()
