"""pip's settings of the network, translated to uv's."""

from pathlib import Path

import pytest

from cnb_python.managers.base import NeedsResolving
from cnb_python.managers.index_config import Network, network_of

URL = "https://index.example.org/simple"


def network(options: dict[str, str], index_url: str = "", **environ: str) -> Network:
    result = network_of(options, environ, index_url)
    assert isinstance(result, Network), result
    return result


def refused(options: dict[str, str], index_url: str = "") -> str:
    result = network_of(options, {}, index_url)
    assert isinstance(result, NeedsResolving), result
    return result.reason


def test_network_is_empty_without_settings() -> None:
    assert network({}) == Network("", {})


@pytest.mark.parametrize("name", ["cache-dir", "quiet", "no-input", "disable-pip-version-check"])
def test_options_without_effect_are_ignored(name: str) -> None:
    assert network({name: "1"}) == Network("", {})


@pytest.mark.parametrize(
    "name",
    [
        *("extra-index-url", "find-links", "no-index", "constraint", "requirement", "pre"),
        *("no-binary", "only-binary", "no-deps", "upgrade-strategy", "use-feature"),
        *("no-build-isolation", "require-hashes", "ignore-requires-python", "an-option-of-2030"),
    ],
)
def test_untranslated_option_needs_pip(name: str) -> None:
    assert refused({"index-url": URL, name: "1"}) == f"pip is configured with {name}"


def test_all_untranslated_options_are_named() -> None:
    assert refused({"pre": "1", "constraint": "x"}) == "pip is configured with constraint and pre"


def test_index_of_the_file_is_stronger_than_the_settings() -> None:
    assert network({"index-url": "https://other.example.org/"}, URL).index_url == URL
    assert network({"index-url": URL}).index_url == URL
    assert network({"pypi-url": URL}).index_url == URL


@pytest.mark.parametrize(
    ("url", "trusted"),
    [
        ("http://127.0.0.1:8080/simple", ""),
        ("http://localhost/simple", ""),
        ("http://[::1]:80/simple", ""),
        ("http://me:secret@index.local:81/simple", "index.local"),
        ("http://me:secret@index.local:81/simple", "other index.local:81"),
    ],
)
def test_local_or_trusted_index_may_be_unencrypted(url: str, trusted: str) -> None:
    assert network({"trusted-host": trusted} if trusted else {}, url).index_url == url


@pytest.mark.parametrize(
    "url",
    [
        *("http://index.local/simple", "file:///index", "wheels", "ftp://index.example.org"),
        *("https://", "https://[::1/simple", "http://127.0.0.1.example.org/", " "),
    ],
)
def test_index_that_pip_may_refuse_needs_pip(url: str) -> None:
    assert refused({"index-url": url}) == "only pip can use the index"


def test_timeout_and_retries_are_translated() -> None:
    given = {"timeout": "0.5", "retries": "2"}

    assert network(given).variables == {"UV_HTTP_TIMEOUT": "1", "UV_HTTP_RETRIES": "2"}
    assert network({"default-timeout": "180"}).variables == {"UV_HTTP_TIMEOUT": "180"}


@pytest.mark.parametrize(
    "given", [{"timeout": "long"}, {"retries": "2.5"}, {"timeout": "nan"}, {"timeout": "inf"}]
)
def test_value_that_is_not_a_number_needs_pip(given: dict[str, str]) -> None:
    assert refused(given) == "pip is configured with a value that is not a number"


def test_client_certificate_is_translated() -> None:
    assert network({"client-cert": "/b.pem"}).variables == {"SSL_CLIENT_CERT": "/b.pem"}
    assert network({}, SSL_CLIENT_CERT="/other.pem").variables == {"SSL_CLIENT_CERT": ""}


def test_trusted_hosts_are_joined() -> None:
    result = network({"trusted-host": "a.example.org\n  b:8080"})

    assert result.variables == {"UV_INSECURE_HOST": "a.example.org b:8080"}


def test_certificate_bundle_replaces_the_other_kind(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.touch()

    file = {"SSL_CERT_FILE": str(bundle), "SSL_CERT_DIR": ""}
    assert network({"cert": str(bundle)}).variables == file
    assert network({}, REQUESTS_CA_BUNDLE=str(bundle)).variables == file
    assert network({"cert": str(bundle)}, CURL_CA_BUNDLE="/other").variables == file
    directory = {"SSL_CERT_DIR": str(tmp_path), "SSL_CERT_FILE": ""}
    assert network({"cert": str(tmp_path)}).variables == directory


def test_missing_certificate_bundle_needs_pip() -> None:
    assert "/missing.pem" in refused({"cert": "/missing.pem"})


def test_pips_proxy_replaces_those_of_the_environment() -> None:
    result = network(
        {"proxy": "http://proxy:3128"}, NO_PROXY="*", https_proxy="http://x"
    ).variables

    assert result["HTTP_PROXY"] == result["HTTPS_PROXY"] == "http://proxy:3128"
    assert result["NO_PROXY"] == result["https_proxy"] == result["ALL_PROXY"] == ""
