"""Small files are downloaded with one plain request, or left to the other client."""

import socket
from collections.abc import Iterable, Mapping
from http.client import HTTPConnection
from urllib.parse import SplitResult

import pytest

from cnb_python.system.interface import Download
from cnb_python.system.small_download import receive_small

TABLE = b"default = '3.14'\n"
URL = "http://mirror.example:8080/pythons/python.toml?token=1"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"


def store(chunks: Iterable[bytes]) -> str:
    return b"".join(chunks).decode()


class Server:
    """A server with one prepared answer."""

    def __init__(self, answer: bytes) -> None:
        self.connections = 0
        self._answer = answer

    def connect(self, url: SplitResult, _environ: Mapping[str, str]) -> HTTPConnection:
        connection = HTTPConnection(url.hostname or "", url.port)
        connection.sock, other = socket.socketpair()
        with other:
            other.sendall(self._answer)
            other.shutdown(socket.SHUT_WR)
            self.connections += 1
            connection.sock.settimeout(5)
            # The request is small: it waits in the socket until it is read.
            self._other = other.dup()
        return connection

    def request(self) -> bytes:
        with self._other as other:
            return other.recv(65536)

    def receive(self, url: str = URL, **environ: str) -> str | None:
        return receive_small(Download(url, "", "The table"), store, environ, self.connect)


def test_a_file_is_received_with_one_request() -> None:
    server = Server(OK % (len(TABLE), TABLE))

    assert server.receive() == TABLE.decode()

    lines = server.request().decode().split("\r\n")
    assert lines[0] == "GET /pythons/python.toml?token=1 HTTP/1.1"
    assert {"Host: mirror.example:8080", "Accept-Encoding: identity"} <= set(lines)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
        OK % (len(TABLE) + 1, TABLE),
        OK % ((1 << 20) + 1, TABLE),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n",
        b"",
    ],
    ids=["redirect", "login", "busy", "cut", "large", "no length", "no HTTP", "nothing"],
)
def test_any_other_answer_is_left_to_the_other_client(answer: bytes) -> None:
    server = Server(answer)

    assert server.receive() is None
    server.request()


@pytest.mark.parametrize(
    ("url", "environ"),
    [
        (URL, {"HTTP_PROXY": "http://proxy.example:1"}),
        (URL, {"NETRC": "/bindings/netrc"}),
        (URL.replace("mirror", "me:secret@mirror"), {}),
        (URL.replace("8080", "none"), {}),
    ],
    ids=["proxy", "netrc", "login in the URL", "bad port"],
)
def test_what_takes_more_than_a_plain_request_is_not_tried(
    url: str, environ: dict[str, str]
) -> None:
    server = Server(b"")

    assert server.receive(url, **environ) is None
    assert server.connections == 0


def test_unreachable_server_is_left_to_the_other_client() -> None:
    def refuse(_url: SplitResult, _environ: Mapping[str, str]) -> HTTPConnection:
        raise ConnectionRefusedError

    assert receive_small(Download(URL, "", "The table"), store, {}, refuse) is None


def test_certificates_of_the_user_that_cannot_be_read_are_left_to_the_other_client() -> None:
    download = Download(URL.replace("http:", "https:"), "", "The table")

    assert receive_small(download, store, {"SSL_CERT_FILE": "/nowhere"}) is None
