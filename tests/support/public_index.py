"""The public index, as a build without other settings asks it: a proxy answers in its place.

Only a proxy sees every request for a host on the web; this one has a certificate for that host.
"""

import re
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import override
from urllib.parse import urlsplit

from tests.support import index
from tests.support.index import HOST, Authority

PUBLIC_HOST = "pypi.org"


@dataclass(frozen=True, slots=True)
class PublicIndex:
    """A running index in place of the public one, and of every other host on the web."""

    proxy: str
    """The URL of the proxy."""
    certificate: Path
    packages: Path
    asked: list[str] = field(default_factory=list)
    """Each host that a client connected to, and each request for the public index, in order."""

    def variables(self) -> dict[str, str]:
        """Return the variables with which a build's clients connect through the proxy."""
        proxies = {"HTTPS_PROXY": self.proxy, "HTTP_PROXY": self.proxy, "NO_PROXY": HOST}
        lower = {name.lower(): value for name, value in proxies.items()}
        return {**proxies, **lower, "SSL_CERT_FILE": str(self.certificate)}


class _Server(ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


class _Tunnel(BaseRequestHandler):
    asked: list[str]
    port: int

    @override
    def handle(self) -> None:
        client: socket.socket = self.request
        head = b""
        while b"\r\n\r\n" not in head and (data := client.recv(4096)):
            head += data
        target = re.match(rb"[A-Z]+ (\S+)", head)
        self.asked.append(target[1].decode() if target else "nothing")
        if not head.startswith(b"CONNECT "):
            client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            return
        with socket.create_connection((HOST, self.port)) as server:
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=_copy, args=(server, client))
            back.start()
            _copy(client, server)
            back.join()


def _copy(source: socket.socket, to: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            to.sendall(data)
    with suppress(OSError):
        to.shutdown(socket.SHUT_WR)


@contextmanager
def running(packages: Path, directory: Path) -> Iterator[PublicIndex]:
    """Serve *packages* as the public index while the block runs.

    *directory*: a new one, for the certificates.
    """
    authority = index.authority(directory, PUBLIC_HOST)
    # Clients in a sandbox read it as another user.
    certificate = Path(shutil.copy(authority.certificate, directory / "readable.pem"))
    certificate.chmod(0o644)
    with _served(packages, authority) as (port, asked):
        tunnel = type("Tunnel", (_Tunnel,), {"asked": asked, "port": port})
        with _Server((HOST, 0), tunnel) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.05,))
            thread.start()
            proxy = f"http://{HOST}:{server.server_address[1]}"
            try:
                yield PublicIndex(proxy, certificate, packages, asked)
            finally:
                server.shutdown()
                thread.join()


@contextmanager
def _served(packages: Path, authority: Authority) -> Iterator[tuple[int, list[str]]]:
    with index.running(packages, tls=authority) as running_index:
        yield int(urlsplit(running_index.url).port or 0), running_index.requests
