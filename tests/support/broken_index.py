"""A web server that answers as no index should: with a refusal, too late, or with half a file."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HOST = "127.0.0.1"
PAGE = '<!DOCTYPE html><a href="/{kind}/files/{file}{fragment}"{more}>{file}</a>\n'
WRONG = f"#sha256={'0' * 64}"
# What is said of each file on the page of a project.
SAID = {"wrong-hash": (WRONG, ""), "yanked": ("", ' data-yanked="it deletes files"')}


class _Handler(BaseHTTPRequestHandler):
    """Answers by the first part of the path: `/403/...`, `/slow/...`, `/cut/simple/name/`."""

    packages: Path
    waiting: threading.Event

    def do_GET(self) -> None:
        kind, *rest = self.path.strip("/").split("/")
        if kind.isdigit():
            self._say(int(kind), b"")
        elif kind == "slow":
            self.waiting.wait(60)
        elif rest[0] == "simple":
            self._page(kind, rest[1])
        elif kind == "gone" or rest[-1].endswith(".metadata"):
            self._say(404, b"")
        elif kind == "cut":
            self._say(200, (self.packages / rest[-1]).read_bytes(), missing=50)
        else:
            self._say(200, (self.packages / rest[-1]).read_bytes())

    def do_HEAD(self) -> None:
        self._say(405, b"")

    def do_CONNECT(self) -> None:
        """Be a proxy that wants a login."""
        self._say(407, b"")

    def _page(self, kind: str, name: str) -> None:
        fragment, more = SAID.get(kind, ("", ""))
        found = sorted(self.packages.glob(f"{name.replace('-', '_')}-*"))
        lines = (
            PAGE.format(kind=kind, file=one.name, fragment=fragment, more=more) for one in found
        )
        self._say(200, "".join(lines).encode())

    def _say(self, status: int, content: bytes, missing: int = 0) -> None:
        self.send_response(status)
        if status in (401, 407):
            self.send_header("WWW-Authenticate", 'Basic realm="packages"')
            self.send_header("Proxy-Authenticate", 'Basic realm="proxy"')
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(content) + missing))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing: the output is the test's."""


@contextmanager
def running(packages: Path) -> Iterator[str]:
    """Serve *packages* in every wrong way while the block runs; yield the address, without `/`."""
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
