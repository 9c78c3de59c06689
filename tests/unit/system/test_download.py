"""Downloads over HTTP, with a fake network."""

import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import replace
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from cnb_python.errors.downloads import DownloadFailed
from cnb_python.errors.network import UntrustedCertificate
from cnb_python.system.download import ATTEMPTS, Client
from cnb_python.system.interface import Download

WANTED = Download("https://me:secret@mirror.example/a.tar.gz?token=secret", "", "Python 3.14.6")
CONTENT = b"an archive" * 1000

type Answer = httpx.Response | Exception


def store(chunks: Iterable[bytes]) -> str:
    return b"".join(chunks).decode()


@dataclass
class Network:
    """Returns its answers in turn, and the last one for all further requests."""

    answers: list[Answer]
    requests: list[httpx.Request] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def client(
        self, environ: Mapping[str, str] | None = None, clock: Callable[[], float] = lambda: 0.0
    ) -> Client:
        transport = httpx.MockTransport(self._answer)
        return Client(environ or {}, self.lines.append, transport, self.pauses.append, clock)

    def receive(self) -> str:
        return self.client().receive(WANTED, store)

    def failure(self) -> DownloadFailed:
        with pytest.raises(DownloadFailed) as caught:
            self.receive()
        return caught.value

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def ok() -> httpx.Response:
    return httpx.Response(200, stream=httpx.ByteStream(CONTENT))


def test_the_content_is_passed_to_the_store() -> None:
    network = Network([ok()])

    assert network.receive() == CONTENT.decode()
    assert (len(network.requests), network.pauses, network.lines) == (1, [], [])


def test_the_content_is_not_decompressed() -> None:
    squeezed = httpx.Response(
        200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"as it is")
    )
    network = Network([squeezed])

    assert network.receive() == "as it is"
    assert network.requests[0].headers["Accept-Encoding"] == "identity"


def test_media_type_is_asked_for() -> None:
    network = Network([ok(), ok()])

    network.client().receive(replace(WANTED, accept="application/json"), store)
    network.receive()

    assert network.requests[0].headers["Accept"] == "application/json"
    assert network.requests[1].headers["Accept"] == "*/*"


def test_credentials_in_the_url_reach_the_server() -> None:
    network = Network([ok()])
    network.receive()

    assert network.requests[0].headers["Authorization"].startswith("Basic ")


def test_redirects_are_followed() -> None:
    moved = httpx.Response(302, headers={"Location": "https://cdn.example/b"})
    network = Network([moved, ok()])

    assert network.receive() == CONTENT.decode()
    assert str(network.requests[1].url) == "https://cdn.example/b"


def test_a_redirect_from_https_to_http_needs_a_hash() -> None:
    """The table of a mirror has the hashes of all the rest."""
    moved = httpx.Response(302, headers={"Location": "http://me:secret@cdn.example/b?k=secret"})
    network = Network([moved, ok()])

    failure = network.failure()

    assert failure.reason == "it redirects to http://cdn.example/b, which is not https"
    assert (failure.attempts, len(network.requests)) == (1, 1)
    network = Network([moved, ok()])
    hashed = Download("https://mirror.example/a", "0" * 64, "Python 3.14.6")
    assert network.client().receive(hashed, store) == CONTENT.decode()


def test_a_redirect_to_another_host_does_not_get_the_login() -> None:
    moved = httpx.Response(302, headers={"Location": "https://cdn.example/b"})
    network = Network([moved, ok()])
    network.receive()

    assert "Authorization" not in network.requests[1].headers


@pytest.mark.parametrize(
    "fault",
    [
        httpx.Response(503),
        httpx.Response(408),
        httpx.Response(429),
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout(""),
        httpx.ReadTimeout(""),
        httpx.RemoteProtocolError("closed"),
    ],
    ids=lambda fault: getattr(fault, "status_code", type(fault).__name__),
)
def test_a_temporary_failure_is_retried(fault: Answer) -> None:
    network = Network([fault, fault, ok()])

    assert network.receive() == CONTENT.decode()
    assert network.pauses == [0.5, 1.0]
    assert len(network.lines) == 2
    assert all(line.startswith("Downloading Python 3.14.6: ") for line in network.lines)


def test_a_lost_connection_restarts_the_download() -> None:
    def broken() -> Iterator[bytes]:
        yield CONTENT[:100]
        raise httpx.ReadError("reset")

    class Broken(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            return broken()

    network = Network([httpx.Response(200, stream=Broken()), ok()])

    assert network.receive() == CONTENT.decode()


def test_the_last_attempt_fails() -> None:
    network = Network([httpx.Response(502)])

    failure = network.failure()

    assert (failure.attempts, failure.status) == (ATTEMPTS, 502)
    assert failure.reason == "the server answered 502 Bad Gateway"
    assert network.pauses == [0.5, 1.0, 2.0, 4.0]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
def test_a_final_status_is_not_retried(status: int) -> None:
    network = Network([httpx.Response(status)])

    failure = network.failure()

    assert (failure.attempts, failure.status, network.pauses) == (1, status, [])


@pytest.mark.parametrize(
    ("header", "pause"), [("7", 7.0), ("0", 0.5), ("86400", 30.0), ("soon", 0.5), ("-1", 0.5)]
)
def test_retry_after_is_respected_up_to_a_limit(header: str, pause: float) -> None:
    network = Network([httpx.Response(429, headers={"Retry-After": header}), ok()])
    network.receive()

    assert network.pauses == [pause]


def test_secrets_are_neither_in_the_error_nor_in_the_log() -> None:
    network = Network([httpx.ConnectError("no route to https://me:secret@mirror.example/")])

    failure = network.failure()

    assert failure.url == "https://mirror.example/a.tar.gz"
    assert "secret" not in failure.reason + "".join(network.lines)


def test_an_untrusted_certificate_is_not_retried() -> None:
    error = httpx.ConnectError("certificate verify failed")
    error.__cause__ = ssl.SSLCertVerificationError("self-signed certificate")
    network = Network([error])

    with pytest.raises(UntrustedCertificate) as caught:
        network.receive()

    assert caught.value.url == "https://mirror.example/a.tar.gz"
    assert len(network.requests) == 1


def test_an_unreadable_bundle_is_refused() -> None:
    client = Client({"SSL_CERT_FILE": "/nowhere.pem"}, lambda _: None)

    with pytest.raises(UntrustedCertificate) as caught:
        client.receive(WANTED, store)

    assert "SSL_CERT_FILE" in caught.value.reason


def test_an_unsupported_proxy_is_not_retried() -> None:
    client = Client({"HTTPS_PROXY": "socks5://me:secret@p:1"}, lambda _: None)

    with pytest.raises(DownloadFailed) as caught:
        client.receive(WANTED, store)

    assert "socks5://p:1 cannot be used as a proxy" in caught.value.reason
    assert caught.value.attempts == 1


def test_long_downloads_print_their_progress() -> None:
    class Slow(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield from [bytes(2_000_000)] * 6

    times = iter(range(0, 1000, 5))
    network = Network([httpx.Response(200, stream=Slow())])

    network.client(clock=lambda: float(next(times))).receive(WANTED, lambda c: str(len([*c])))

    assert network.lines
    assert all(line.startswith("Downloading Python 3.14.6: ") for line in network.lines)
    assert "MB so far" in network.lines[0]


def test_a_full_disk_is_not_a_network_failure() -> None:
    network = Network([ok()])

    def full(_chunks: Iterable[bytes]) -> str:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        network.client().receive(WANTED, full)

    assert len(network.requests) == 1


@pytest.mark.parametrize(
    ("text", "url", "login"),
    [
        ("machine h.example login me password pw", "https://h.example/a", "Basic bWU6cHc="),
        ("machine other.example login me password pw", "https://h.example/a", None),
        ("machine h.example login me password pw", "https://x:y@h.example/a", "Basic eDp5"),
        ("machine h.example nonsense", "https://h.example/a", None),
    ],
)
def test_a_netrc_has_the_login_for_its_hosts(
    tmp_path: Path, text: str, url: str, login: str | None
) -> None:
    (tmp_path / "netrc").write_text(text)
    network = Network([ok()])

    network.client({"NETRC": f"{tmp_path}/netrc"}).receive(Download(url, "", "x"), store)

    assert network.requests[0].headers.get("Authorization") == login


def test_a_download_may_have_its_own_network_variables() -> None:
    way = {"SSL_CERT_FILE": "/gone/company.pem"}

    with pytest.raises(UntrustedCertificate) as caught:
        Client({"SSL_CERT_FILE": ""}, lambda _: None).receive(
            Download("https://h.example/base.txt", "", "x", way), store
        )

    assert "cannot be read" in caught.value.reason


def test_a_login_is_not_sent_to_another_host(tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("machine h.example login me password pw\n")
    moved = httpx.Response(302, headers={"Location": "https://elsewhere.example/a"})
    network = Network([moved, ok()])

    network.client({"NETRC": f"{tmp_path}/netrc"}).receive(
        Download("https://h.example/a", "", "x"), store
    )

    assert "Authorization" not in network.requests[1].headers
