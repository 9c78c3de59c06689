"""A server on 127.0.0.1 that sends prepared bytes, whatever is asked: also invalid ones."""

import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

HOST = "127.0.0.1"
type Script = Iterable[bytes]


@dataclass(slots=True)
class RawServer:
    """A running server."""

    url: str
    requests: list[str] = field(default_factory=list)
    """The first line of each request."""


def dripping(text: bytes, seconds: float = 0.02) -> Iterator[bytes]:
    """Yield *text* byte by byte."""
    for byte in text:
        yield bytes((byte,))
        time.sleep(seconds)


@contextmanager
def running(*scripts: Script) -> Iterator[RawServer]:
    """Send one of *scripts* to each client, the last one to all further ones, until it leaves."""
    with socket.create_server((HOST, 0)) as listener:
        server = RawServer(f"http://{HOST}:{listener.getsockname()[1]}")
        thread = threading.Thread(target=_serve, args=(listener, list(scripts), server))
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(listener: socket.socket, scripts: list[Script], server: RawServer) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            script = scripts.pop(0) if len(scripts) > 1 else scripts[0]
            with connection, suppress(OSError):
                server.requests.append(connection.recv(65536).partition(b"\r\n")[0].decode())
                for chunk in script:
                    connection.sendall(chunk)
