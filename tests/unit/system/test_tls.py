"""What connections trust; the authorities come from certifi."""

import ssl
from pathlib import Path

import certifi
import pytest

from cnb_python.system.connections import tls_context

BUNDLE = Path(certifi.where())


@pytest.fixture
def single_authority(tmp_path: Path) -> Path:
    """A bundle with a single authority."""
    end = "-----END CERTIFICATE-----\n"
    path = tmp_path / "one.pem"
    path.write_text(BUNDLE.read_text().partition(end)[0] + end)
    return path


def count(context: ssl.SSLContext) -> int:
    return context.cert_store_stats()["x509_ca"]


def test_the_systems_bundle_is_trusted_by_default(single_authority: Path, tmp_path: Path) -> None:
    context = tls_context({}, (tmp_path / "absent", single_authority))

    assert count(context) == 1
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname


def test_certificates_are_not_checked_strictly_as_with_pip_and_uv(single_authority: Path) -> None:
    assert not tls_context({}, (single_authority,)).verify_flags & ssl.VERIFY_X509_STRICT


def test_a_client_certificate_without_its_key_is_refused(single_authority: Path) -> None:
    # A certificate without its key.
    with pytest.raises(ssl.SSLError):
        tls_context({"SSL_CLIENT_CERT": str(single_authority)}, (single_authority,))


def test_ssl_cert_file_wins_over_the_systems_bundle(single_authority: Path) -> None:
    assert count(tls_context({"SSL_CERT_FILE": str(single_authority)}, (BUNDLE,))) == 1


def test_certifis_bundle_is_used_without_a_systems_bundle(tmp_path: Path) -> None:
    assert count(tls_context({}, (tmp_path / "absent",))) > 50


def test_ssl_cert_dir_is_trusted_too(single_authority: Path, tmp_path: Path) -> None:
    environ = {"SSL_CERT_DIR": f"{tmp_path}:/nowhere:"}

    # Certificates of a directory are looked up when one is needed: nothing to count.
    assert count(tls_context(environ, (single_authority,))) == 1


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_an_unreadable_bundle_is_an_error(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "bundle.pem"
    if content:
        path.write_text(content)

    with pytest.raises(OSError):  # noqa: PT011 - ssl.SSLError and FileNotFoundError alike
        tls_context({"SSL_CERT_FILE": str(path)})
