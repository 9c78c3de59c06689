"""A server of plain files on 127.0.0.1, over HTTP or HTTPS."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import override

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class FileServer:
    """A running server."""

    url: str
    """Its address, without a slash at the end."""
    requests: list[str] = field(default_factory=list)
    """The path of each request so far."""


class _Handler(SimpleHTTPRequestHandler):
    requests: list[str]

    @override
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        self.requests.append(self.path)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Print nothing: the output is the test's."""


@contextmanager
def running(directory: Path, tls: ssl.SSLContext | None = None) -> Iterator[FileServer]:
    """Serve the files in *directory* while the block runs, over HTTPS if there is *tls*."""
    requests: list[str] = []
    handler = type("Handler", (_Handler,), {"requests": requests})
    with ThreadingHTTPServer((HOST, 0), partial(handler, directory=str(directory))) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        scheme = "https" if tls else "http"
        try:
            yield FileServer(f"{scheme}://{HOST}:{server.server_port}", requests)
        finally:
            server.shutdown()
            thread.join()
