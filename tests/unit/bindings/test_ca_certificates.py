"""Bindings of type `ca-certificates`: authorities that the build trusts."""

from pathlib import Path

from cnb_python.bindings.config_files import trust_certificates
from cnb_python.system.certificates import certificates_in
from tests.support.bindings import bound, certificates
from tests.support.fake_system import Log


def trusted(directory: Path, environ: dict[str, str], *bundles: Path) -> dict[str, str]:
    bindings = bound(directory, roots={"type": "ca-certificates", "ca.pem": certificates(1)})
    return dict(trust_certificates(bindings, environ, directory, Log(), bundles))


def test_certificates_are_added_to_those_of_the_system(tmp_path: Path) -> None:
    system = tmp_path / "system.pem"
    system.write_text(certificates(2, after=1))
    environ = trusted(tmp_path, {}, system)

    text = Path(environ["SSL_CERT_FILE"]).read_text()
    assert len(certificates_in(text)) == 3
    assert {*environ.values()} == {environ["SSL_CERT_FILE"]}
    assert "PIP_CERT" not in environ


def test_certificates_are_added_to_those_in_variables(tmp_path: Path) -> None:
    system, chosen = tmp_path / "system.pem", tmp_path / "chosen.pem"
    system.write_text(certificates(2, after=1))
    chosen.write_text(certificates(1, after=3))
    own = trusted(tmp_path, {"SSL_CERT_FILE": str(chosen), "PIP_CERT": "/gone"}, system)

    assert len(certificates_in(Path(own["SSL_CERT_FILE"]).read_text())) == 2
    assert own["PIP_CERT"] == own["SSL_CERT_FILE"]


def test_a_system_without_a_bundle_still_trusts_public_authorities(tmp_path: Path) -> None:
    environ = trusted(tmp_path, {})

    assert len(certificates_in(Path(environ["SSL_CERT_FILE"]).read_text())) > 50


def test_a_certificate_with_letters_outside_of_ascii_is_refused() -> None:
    broken = "-----BEGIN CERTIFICATE-----\nMIIB\u00fc\n-----END CERTIFICATE-----\n"

    assert certificates_in(broken) == ()
    assert certificates_in(broken.encode().decode("ascii", "surrogateescape")) == ()
