"""Service bindings of a build: their variables and files, until the build ends."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from cnb_python.bindings.apply import apply_bindings
from cnb_python.bindings.hidden_values import binding_secrets
from cnb_python.cnb.context import BuildContext
from cnb_python.errors.config import BadBinding, SeveralBindings
from cnb_python.system.certificates import certificates_in
from tests.support.bindings import bound, certificates
from tests.support.fake_build import context
from tests.support.fake_system import Log


def context_with(
    directory: Path, environ: Mapping[str, str], **bindings: dict[str, str]
) -> BuildContext:
    plain = context(directory)
    platform = plain.platform._replace(bindings=bound(directory, **bindings))
    return plain._replace(platform=platform, environ=environ)


def test_bindings_of_other_types_have_no_effect(tmp_path: Path) -> None:
    log = Log()
    phase = context_with(
        tmp_path, {"HOME": "/home/cnb"}, db={"type": "postgresql", "password": "x"}
    )

    with apply_bindings(phase, log) as bound_phase:
        assert bound_phase == phase

    assert log.lines == []


def test_a_binding_of_each_type_has_its_variables_and_files(tmp_path: Path) -> None:
    home = tmp_path / "real-home"
    (home / ".config").mkdir(parents=True)
    (home / ".netrc").write_text("machine old.example.org login me password kept-one\n")
    log = Log()
    phase = context_with(
        tmp_path,
        {"HOME": str(home), "PATH": "/bin"},
        company={"type": "pypi", "url": "https://index.example.org/simple/\n", "token": "t0ken\n"},
        conf={"type": "pip", "pip.conf": "[global]\nretries = 1\n"},
        lines={"type": "UV", "uv.toml": "offline = false\n"},
        logins={"type": "netrc", ".netrc": "machine git.example.org login me password s3cret\n"},
        roots={"type": "ca-certificates", "ca.pem": certificates(2)},
    )

    with apply_bindings(phase, log) as bound_phase:
        environ = bound_phase.environ
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
        files = netrc.parents[1]
        assert files.stat().st_mode & 0o777 == 0o700

    assert not files.exists()
    output = "\n".join(log.lines)
    assert "t0ken" not in output
    assert "s3cret" not in output
    assert "company: the usual index, https://index.example.org/simple/, with a login" in output


@pytest.mark.parametrize("kind", ["pip", "uv"])
def test_two_bindings_with_one_configuration_file_are_refused(tmp_path: Path, kind: str) -> None:
    key = {"pip": "pip.conf", "uv": "uv.toml"}[kind]
    phase = context_with(
        tmp_path, {}, company={"type": kind, key: ""}, team={"type": kind, key: ""}
    )

    with pytest.raises(SeveralBindings) as caught, apply_bindings(phase, Log()):
        pass

    assert (caught.value.type, caught.value.names) == (kind, ("company", "team"))


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
        ("netrc", {"netrc": "", ".netrc": ""}, ".netrc", "several keys"),
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
    phase = context_with(tmp_path, {}, mine={"type": kind, **keys})

    with pytest.raises(BadBinding) as caught, apply_bindings(phase, Log()):
        pass

    error = caught.value
    assert (error.name, error.type, error.key, error.problem) == ("mine", kind, key, problem)
    assert "s3cret" not in str(error)


def test_a_client_certificate_counts_for_pip_and_uv(tmp_path: Path) -> None:
    for name in ("PIP_CLIENT_CERT", "SSL_CLIENT_CERT"):
        with apply_bindings(
            context_with(tmp_path / name, {name: "/cert.pem"}), Log()
        ) as bound_phase:
            assert bound_phase.environ["PIP_CLIENT_CERT"] == "/cert.pem"
            assert bound_phase.environ["SSL_CLIENT_CERT"] == "/cert.pem"
    both = {"PIP_CLIENT_CERT": "/pip.pem", "SSL_CLIENT_CERT": "/uv.pem"}
    with apply_bindings(context_with(tmp_path / "both", both), Log()) as bound_phase:
        assert bound_phase.environ == both


def test_each_build_of_an_image_has_the_same_variables(tmp_path: Path) -> None:
    phase = context_with(
        tmp_path, {}, roots={"type": "ca-certificates", "ca.pem": certificates(1)}
    )

    with apply_bindings(phase, Log()) as first:
        files = Path(first.environ["SSL_CERT_FILE"]).parent
    files.mkdir()
    (files / "left by a build that was killed").touch()
    with apply_bindings(phase, Log()) as second:
        assert [path.name for path in files.iterdir()] == ["ca-certificates.pem"]

    assert first == second
    assert not files.exists()


def test_records_of_the_audit_are_no_secrets_but_the_login_of_their_mirror_is(
    tmp_path: Path,
) -> None:
    """Thousands of records would make every line of the log slow to print."""
    bindings = bound(
        tmp_path,
        osv={
            "type": "osv",
            "url": "https://me:s3cret-of-ours@mirror.example.org/all.zip",
            "GHSA-1.json": '{"id": "GHSA-1", "password": "a-word-of-a-record"}',
            "all.zip": "PK",
        },
    )

    secrets = binding_secrets(bindings)

    assert "s3cret-of-ours" in secrets
    assert not any("record" in secret for secret in secrets)
    assert "PK" not in secrets


def test_key_that_is_no_record_is_refused(tmp_path: Path) -> None:
    phase = context_with(tmp_path, {}, osv={"type": "osv", "address": "x", "MAL-1.json": "{}"})

    with pytest.raises(BadBinding) as raised, apply_bindings(phase, Log()):
        pass

    assert raised.value.key == "address"
    assert raised.value.details == ("url", "path", "*.json", "*.zip")
