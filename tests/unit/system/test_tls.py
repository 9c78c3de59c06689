"""What connections trust. The authorities are certifi's, so that the count is the test's own."""

import ssl
from pathlib import Path

import certifi
import pytest

from cnb_python.system.http import tls_context

BUNDLE = Path(certifi.where())


@pytest.fixture
def one(tmp_path: Path) -> Path:
    """A bundle that holds a single authority."""
    end = "-----END CERTIFICATE-----\n"
    path = tmp_path / "one.pem"
    path.write_text(BUNDLE.read_text().partition(end)[0] + end)
    return path


def count(context: ssl.SSLContext) -> int:
    return context.cert_store_stats()["x509_ca"]


def test_the_system_s_bundle_is_trusted_without_any_setting(one: Path, tmp_path: Path) -> None:
    context = tls_context({}, (tmp_path / "absent", one))

    assert count(context) == 1
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname


def test_what_pip_and_uv_trust_is_trusted(one: Path) -> None:
    assert not tls_context({}, (one,)).verify_flags & ssl.VERIFY_X509_STRICT


def test_a_client_s_certificate_has_to_be_one(one: Path) -> None:
    # A certificate without its key.
    with pytest.raises(ssl.SSLError):
        tls_context({"SSL_CLIENT_CERT": str(one)}, (one,))


def test_the_user_s_choice_counts_before_the_system_s(one: Path) -> None:
    assert count(tls_context({"SSL_CERT_FILE": str(one)}, (BUNDLE,))) == 1


def test_certifi_s_is_the_last_resort(tmp_path: Path) -> None:
    assert count(tls_context({}, (tmp_path / "absent",))) > 50


def test_directories_are_trusted_besides(one: Path, tmp_path: Path) -> None:
    environ = {"SSL_CERT_DIR": f"{tmp_path}:/nowhere:"}

    # Certificates of a directory are looked up when one is needed: nothing to count.
    assert count(tls_context(environ, (one,))) == 1


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_choice_that_cannot_be_read_is_an_error(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "bundle.pem"
    if content:
        path.write_text(content)

    with pytest.raises(OSError):  # noqa: PT011 - ssl.SSLError and FileNotFoundError alike
        tls_context({"SSL_CERT_FILE": str(path)})
