"""The guard of the unit tests itself."""

import subprocess

import httpx
import pytest


def test_a_process_is_refused() -> None:
    with pytest.raises(pytest.fail.Exception):
        subprocess.run(["true"], check=False)


def test_a_connection_is_refused() -> None:
    with pytest.raises(pytest.fail.Exception):
        httpx.get("http://127.0.0.1:9")


def test_a_mock_transport_works() -> None:
    """Downloads are tested through httpx's own seam."""
    client = httpx.Client(
        transport=httpx.MockTransport(lambda _: httpx.Response(200, content=b"x"))
    )

    assert client.get("https://example.test/x").content == b"x"
