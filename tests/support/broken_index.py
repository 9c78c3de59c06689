"""A web server that fails as an index may: with error statuses, delays and half a file."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, repeat
from pathlib import Path

HOST = "127.0.0.1"
PAGE = '<!DOCTYPE html><a href="/{kind}/files/{file}{fragment}"{more}>{file}</a>\n'
WRONG = f"#sha256={'0' * 64}"
# Fragment and attributes of each link on the page of a project.
LINKS = {"wrong-hash": (WRONG, ""), "yanked": ("", ' data-yanked="it deletes files"')}


class _Handler(BaseHTTPRequestHandler):
    """Answers by the first part of the path: `/403/...`, `/slow/...`, `/cut/simple/name/`."""

    packages: Path
    waiting: threading.Event

    def do_GET(self) -> None:
        kind, *parts = self.path.strip("/").split("/")
        if kind.isdigit():
            self._respond(int(kind), b"")
        elif kind == "slow":
            self.waiting.wait(60)
        elif kind == "drip" and (parts[0] == "files" or parts[-1] == "good"):
            path = self.packages / parts[-1]
            self._drip(path.read_bytes() if path.is_file() else b"<!DOCTYPE html>")
        elif parts[0] == "simple":
            self._page(kind, parts[1])
        elif kind == "gone" or parts[-1].endswith(".metadata"):
            self._respond(404, b"")
        elif kind == "cut":
            self._respond(200, (self.packages / parts[-1]).read_bytes(), missing=50)
        else:
            self._respond(200, (self.packages / parts[-1]).read_bytes())

    def do_HEAD(self) -> None:
        self._respond(405, b"")

    def do_CONNECT(self) -> None:
        """Respond as a proxy that requires a login."""
        self._respond(407, b"")

    def _drip(self, content: bytes) -> None:
        """Send *content* byte by byte, and as many spaces as fit into the test."""
        self._respond(200, b"", missing=100_000)
        following = chain(content, repeat(ord(" ")))
        with suppress(OSError):
            while not self.waiting.wait(0.2):
                self.wfile.write(bytes((next(following),)))

    def _page(self, kind: str, name: str) -> None:
        fragment, more = LINKS.get(kind, ("", ""))
        paths = sorted(self.packages.glob(f"{name.replace('-', '_')}-*"))
        lines = (
            PAGE.format(kind=kind, file=path.name, fragment=fragment, more=more) for path in paths
        )
        self._respond(200, "".join(lines).encode())

    def _respond(self, status: int, content: bytes, missing: int = 0) -> None:
        self.send_response(status)
        if status in (401, 407):
            self.send_header("WWW-Authenticate", 'Basic realm="packages"')
            self.send_header("Proxy-Authenticate", 'Basic realm="proxy"')
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(content) + missing))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Print nothing: the output is the test's."""


@contextmanager
def running(packages: Path) -> Iterator[str]:
    """Serve *packages* in all these ways while the block runs; yield the address, without `/`."""
    waiting = threading.Event()
    handler = type("Handler", (_Handler,), {"packages": packages, "waiting": waiting})
    with ThreadingHTTPServer((HOST, 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://{HOST}:{server.server_port}"
        finally:
            waiting.set()
            server.shutdown()
            thread.join()
