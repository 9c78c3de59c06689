"""Downloads of many files from one host, over connections that are kept; with real servers."""

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any

import pytest

from cnb_python.errors.downloads import DownloadFailed
from cnb_python.system.download import Client
from cnb_python.system.interface import Download


@pytest.fixture(autouse=True)
def nothing_leaves_the_process() -> None:
    """Replace the guard: connections to servers of this machine are what is tested here."""


@dataclass
class Server:
    """A running server; `/close` ends the connection after the answer, `/missing` is a 404."""

    url: str
    connections: list[object] = field(default_factory=list)
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    """Path, Accept and Authorization of each."""


@contextmanager
def running() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            own.connections.append(self.client_address)

        def do_GET(self) -> None:
            headers = (self.headers.get("Accept", ""), self.headers.get("Authorization", ""))
            own.requests.append((self.path, *headers))
            content = self.path.encode()
            self.send_response(404 if self.path == "/missing" else 200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            # Without having announced it, as servers do after a while.
            self.close_connection = self.path == "/close"

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        own = Server(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield own
        server.shutdown()
        thread.join()


def store(chunks: Iterable[bytes]) -> str:
    return b"".join(chunks).decode()


def file(
    url: str, network: Mapping[str, str] = MappingProxyType({}), accept: str = ""
) -> Download:
    return Download(url, "", "A page", network, accept=accept)


def client(environ: Mapping[str, str] | None = None) -> Client:
    return Client(environ or {}, lambda _: None, sleep=lambda _: None)


def test_files_of_one_host_share_a_connection() -> None:
    with running() as server, client().keeping_connections() as kept:
        for name in ("/a", "/b", "/c"):
            assert kept.receive(file(server.url + name), store) == name

        assert len(server.connections) == 1


def test_other_downloads_close_their_connections() -> None:
    with running() as server:
        for name in ("/a", "/b"):
            client().receive(file(server.url + name), store)

        assert len(server.connections) == 2


def test_connection_that_the_server_closed_is_replaced() -> None:
    with running() as server, client().keeping_connections() as kept:
        for name in ("/close", "/a"):
            assert kept.receive(file(server.url + name), store) == name

        assert len(server.connections) == 2


def test_failure_leaves_the_connection_usable() -> None:
    with running() as server, client().keeping_connections() as kept:
        with pytest.raises(DownloadFailed, match="404 Not Found"):
            kept.receive(file(f"{server.url}/missing"), store)

        assert kept.receive(file(f"{server.url}/a"), store) == "/a"


def test_headers_and_logins_are_those_of_each_file() -> None:
    with running() as server, client().keeping_connections() as kept:
        with_login = server.url.replace("://", "://me:secret@")
        kept.receive(file(f"{with_login}/a", accept="application/json"), store)
        kept.receive(file(f"{server.url}/b"), store)

        (_, *first), (_, *second) = server.requests
        assert first == ["application/json", "Basic bWU6c2VjcmV0"]
        assert second == ["*/*", ""]


def test_other_certificates_and_proxies_get_another_connection() -> None:
    with running() as server, client().keeping_connections() as kept:
        kept.receive(file(f"{server.url}/a"), store)
        kept.receive(file(f"{server.url}/b", {"NO_PROXY": "127.0.0.1"}), store)

        assert len(server.connections) == 2


def test_threads_do_not_share_a_connection_at_the_same_time() -> None:
    names = [f"/{number}" for number in range(40)]
    received: list[str] = []
    with running() as server, client().keeping_connections() as kept:

        def download(part: list[str]) -> None:
            received.extend(kept.receive(file(server.url + name), store) for name in part)

        threads = [threading.Thread(target=download, args=(names[n::4],)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(received) == sorted(names)
        assert len(server.connections) <= 4


class TakenByAnotherThread(list[Any]):
    """A list whose last entry another thread takes after a look at it."""

    def __bool__(self) -> bool:
        self.clear()
        return True


def test_connection_that_another_thread_takes_first_is_replaced() -> None:
    idle = TakenByAnotherThread()
    with running() as server:
        kept = replace(client(), idle=idle)
        assert kept.receive(file(f"{server.url}/a"), store) == "/a"
        for session in idle:
            session.client.close()
