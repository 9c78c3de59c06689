"""The proxy of a request."""

from collections.abc import Mapping

import pytest

from cnb_python.system.connections import proxy_for

URL = "https://mirror.example.org/python.tar.gz"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://p:3128"}, "http://p:3128"),
        ({"https_proxy": "http://small:1", "HTTPS_PROXY": "http://p:3128"}, "http://small:1"),
        ({"HTTP_PROXY": "http://p:3128"}, None),
        ({"ALL_PROXY": "http://all:1"}, "http://all:1"),
        ({"ALL_PROXY": "http://all:1", "HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        ({"HTTPS_PROXY": "p:3128"}, "http://p:3128"),
        ({"HTTPS_PROXY": "  "}, None),
        ({"HTTPS_PROXY": "http://me:secret@p:1"}, "http://me:secret@p:1"),
    ],
)
def test_the_variable_of_the_scheme_wins(environ: Mapping[str, str], expected: str | None) -> None:
    assert proxy_for(URL, environ) == expected


def test_http_has_a_variable_of_its_own() -> None:
    environ = {"HTTP_PROXY": "http://p:1", "HTTPS_PROXY": "http://s:1"}

    assert proxy_for("http://mirror.example.org/x", environ) == "http://p:1"


@pytest.mark.parametrize(
    ("url", "no_proxy"),
    [
        (URL, "*"),
        (URL, "mirror.example.org"),
        (URL, "MIRROR.example.ORG"),
        (URL, "example.org"),
        (URL, ".example.org"),
        (URL, "*.example.org"),
        (URL, "elsewhere, example.org ,"),
        (URL, "mirror.example.org:443"),
        ("https://mirror.example.org:8443/x", "example.org:8443"),
        ("https://10.1.2.3/x", "10.1.2.3"),
        ("https://10.1.2.3/x", "10.0.0.0/8"),
        ("https://[fd00::7]/x", "fd00::/8"),
        ("https://[fd00::7]/x", "[fd00::7]"),
    ],
)
def test_no_proxy_makes_a_connection_direct(url: str, no_proxy: str) -> None:
    assert proxy_for(url, {"HTTPS_PROXY": "http://p:1", "NO_PROXY": no_proxy}) is None
    assert proxy_for(url, {"ALL_PROXY": "http://p:1", "no_proxy": no_proxy}) is None


@pytest.mark.parametrize(
    ("url", "no_proxy"),
    [
        (URL, ""),
        (URL, "ample.org"),
        (URL, "mirror.example.org:8443"),
        (URL, "other.example.org"),
        ("https://11.1.2.3/x", "10.0.0.0/8"),
        ("https://notexample.org/x", "example.org"),
    ],
)
def test_hosts_that_no_proxy_does_not_name_use_the_proxy(url: str, no_proxy: str) -> None:
    assert proxy_for(url, {"HTTPS_PROXY": "http://p:1", "NO_PROXY": no_proxy}) == "http://p:1"
