"""pip's settings of the network in uv's words, and all others named."""

from pathlib import Path

import pytest

from cnb_python.managers.base import NeedsResolving
from cnb_python.managers.index_config import Network, network_of

URL = "https://index.example.org/simple"


def network(options: dict[str, str], index_url: str = "", **environ: str) -> Network:
    found = network_of(options, environ, index_url)
    assert isinstance(found, Network), found
    return found


def refused(options: dict[str, str], index_url: str = "") -> str:
    found = network_of(options, {}, index_url)
    assert isinstance(found, NeedsResolving), found
    return found.reason


def test_nothing_set_is_nothing_said() -> None:
    assert network({}) == Network("", {})


@pytest.mark.parametrize("name", ["cache-dir", "quiet", "no-input", "disable-pip-version-check"])
def test_what_changes_nothing_is_passed_over(name: str) -> None:
    assert network({name: "1"}) == Network("", {})


@pytest.mark.parametrize(
    "name",
    [
        *("extra-index-url", "find-links", "no-index", "constraint", "requirement", "pre"),
        *("no-binary", "only-binary", "no-deps", "upgrade-strategy", "use-feature"),
        *("no-build-isolation", "require-hashes", "ignore-requires-python", "an-option-of-2030"),
    ],
)
def test_every_other_option_is_pips_to_obey(name: str) -> None:
    assert refused({"index-url": URL, name: "1"}) == f"pip is configured with {name}"


def test_all_of_them_are_named() -> None:
    assert refused({"pre": "1", "constraint": "x"}) == "pip is configured with constraint and pre"


def test_the_file_is_stronger_than_the_settings() -> None:
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
def test_pip_asks_a_local_or_trusted_index_without_encryption(url: str, trusted: str) -> None:
    assert network({"trusted-host": trusted} if trusted else {}, url).index_url == url


@pytest.mark.parametrize(
    "url",
    [
        *("http://index.local/simple", "file:///index", "wheels", "ftp://index.example.org"),
        *("https://", "https://[::1/simple", "http://127.0.0.1.example.org/", " "),
    ],
)
def test_an_index_that_pip_may_refuse_is_left_to_it(url: str) -> None:
    assert refused({"index-url": url}) == "only pip can use the index"


def test_times_and_attempts_become_uvs() -> None:
    given = {"timeout": "0.5", "retries": "2"}

    assert network(given).variables == {"UV_HTTP_TIMEOUT": "1", "UV_HTTP_RETRIES": "2"}
    assert network({"default-timeout": "180"}).variables == {"UV_HTTP_TIMEOUT": "180"}


@pytest.mark.parametrize(
    "given", [{"timeout": "long"}, {"retries": "2.5"}, {"timeout": "nan"}, {"timeout": "inf"}]
)
def test_what_is_no_number_is_pips_to_complain_of(given: dict[str, str]) -> None:
    assert refused(given) == "pip is configured with a value that is not a number"


def test_a_client_certificate_is_shown_where_pip_would_show_it() -> None:
    assert network({"client-cert": "/b.pem"}).variables == {"SSL_CLIENT_CERT": "/b.pem"}
    assert network({}, SSL_CLIENT_CERT="/other.pem").variables == {"SSL_CLIENT_CERT": ""}


def test_trusted_hosts_are_a_list() -> None:
    found = network({"trusted-host": "a.example.org\n  b:8080"})

    assert found.variables == {"UV_INSECURE_HOST": "a.example.org b:8080"}


def test_a_bundle_of_certificates_is_the_only_one(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.touch()

    file = {"SSL_CERT_FILE": str(bundle), "SSL_CERT_DIR": ""}
    assert network({"cert": str(bundle)}).variables == file
    assert network({}, REQUESTS_CA_BUNDLE=str(bundle)).variables == file
    assert network({"cert": str(bundle)}, CURL_CA_BUNDLE="/other").variables == file
    directory = {"SSL_CERT_DIR": str(tmp_path), "SSL_CERT_FILE": ""}
    assert network({"cert": str(tmp_path)}).variables == directory


def test_a_bundle_that_is_missing_is_pips_to_complain_of() -> None:
    assert "/missing.pem" in refused({"cert": "/missing.pem"})


def test_a_proxy_of_pips_is_the_only_one() -> None:
    found = network({"proxy": "http://proxy:3128"}, NO_PROXY="*", https_proxy="http://x").variables

    assert found["HTTP_PROXY"] == found["HTTPS_PROXY"] == "http://proxy:3128"
    assert found["NO_PROXY"] == found["https_proxy"] == found["ALL_PROXY"] == ""
