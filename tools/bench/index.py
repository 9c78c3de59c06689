"""A caching proxy of the package index, with the headers that other proxies strip.

It forwards to the index that pip is configured for and keeps each response, so that the speed of
the network does not change the figures. Pages follow the simple repository API
( (https://packaging.python.org/en/latest/specifications/simple-repository-api/).
"""

import base64
import hashlib
import html
import json
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

PAGES, FILES = "/simple/", "/files/"
JSON = "application/vnd.pypi.simple.v1+json"
HTML = "text/html"
# The headers of the index itself. The address of a file changes with its content.
FRESH = {PAGES: "max-age=600, public", FILES: "max-age=365000000, immutable, public"}
PATIENCE = 60
LINK = re.compile(r"""(<a\b[^>]*?\bhref=)(["'])(.*?)\2""", re.IGNORECASE | re.DOTALL)
RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True, slots=True)
class Kept:
    """A response of the index."""

    path: Path
    kind: str
    """Its media type."""
    tag: str
    """Its `ETag`."""


@dataclass(frozen=True, slots=True)
class Index:
    """The index behind the proxy, and its responses so far."""

    upstream: str
    """Its simple pages: `https://index.example/simple/`."""
    folder: Path
    url: str = ""
    """Address of the proxy: `http://127.0.0.1:1234`."""
    kept: dict[str, Kept] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, path: str, *, as_json: bool) -> Kept:
        """Return the response for *path*; raises `urllib.error.URLError` if the index refuses."""
        key = f"{path} {as_json and path.startswith(PAGES)}"
        kept = self.kept.get(key)
        if kept is None:
            # Two requests at once download the same content twice, which does no harm.
            kept = self._fetch(path, as_json=as_json)
            self.kept[key] = kept
        return kept

    def _fetch(self, path: str, *, as_json: bool) -> Kept:
        accept = f"{JSON}, {HTML};q=0.1" if as_json else HTML
        source = self.source(path)
        request = urllib.request.Request(_plain(source), headers=_headers(source, accept))  # noqa: S310 - the index
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 - as above
            content, kind = answer.read(), answer.headers.get_content_type()
            final = answer.url
        if path.startswith(PAGES):
            content = page(content, kind, final, self.url)
        digest = hashlib.sha256(content).hexdigest()
        with self.lock:
            (self.folder / digest).write_bytes(content)
        return Kept(self.folder / digest, kind, f'"{digest}"')

    def source(self, path: str) -> str:
        """Return the address at the index for *path* of the proxy."""
        if path.startswith(PAGES):
            return f"{self.upstream.rstrip('/')}/{path.removeprefix(PAGES)}"
        scheme, _, address = path.removeprefix(FILES).partition("/")
        return f"{scheme}://{address}"


def page(content: bytes, kind: str, address: str, url: str) -> bytes:
    """Return the page of *address* with links to files that lead through the proxy at *url*."""
    if kind == JSON:
        read = json.loads(content)
        for file in read["files"]:
            file["url"] = _through(urljoin(address, file["url"]), url)
        return json.dumps(read).encode()

    def rewritten(link: re.Match[str]) -> str:
        target = urljoin(address, html.unescape(link[3]))
        return f"{link[1]}{link[2]}{html.escape(_through(target, url))}{link[2]}"

    return LINK.sub(rewritten, content.decode()).encode()


def _through(target: str, url: str) -> str:
    scheme, _, address = target.partition("://")
    return f"{url}{FILES}{scheme}/{address}"


def _plain(address: str) -> str:
    """Return *address* without its user name and password."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _headers(address: str, accept: str) -> dict[str, str]:
    user, at, _ = urlsplit(address).netloc.rpartition("@")
    login = {"Authorization": f"Basic {base64.b64encode(unquote(user).encode()).decode()}"}
    return {"Accept": accept, "Accept-Encoding": "identity", **(login if at else {})}


def part(header: str, size: int) -> tuple[int, int] | None:
    """Return first byte and length of the `Range` header *header*; None: the whole file.

    >>> part("bytes=10-19", 100), part("bytes=-30", 100), part("bytes=90-", 100), part("", 100)
    ((10, 10), (70, 30), (90, 10), None)
    """
    match = RANGE.fullmatch(header)
    if match is None or not any(match.groups()):
        return None
    if not match[1]:
        length = min(int(match[2]), size)
        return size - length, length
    start = int(match[1])
    last = min(int(match[2]), size - 1) if match[2] else size - 1
    return (start, last - start + 1) if start <= last else None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Respond with the content of the index, or with its error status."""
        self._answer(body=True)

    def do_HEAD(self) -> None:
        """Respond without the content."""
        self._answer(body=False)

    def log_message(self, *_: object) -> None:
        """Print nothing: the output is the build's."""

    def _answer(self, *, body: bool) -> None:
        kind = next((kind for kind in (PAGES, FILES) if self.path.startswith(kind)), None)
        if kind is None:
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        try:
            assert isinstance(self.server, _Server)  # noqa: S101 - no other has this handler
            kept = self.server.index.answer(
                self.path, as_json=JSON in self.headers.get("Accept", "")
            )
        except urllib.error.HTTPError as error:
            with error:
                self._refuse(error.code)
        except OSError:
            self._refuse(HTTPStatus.BAD_GATEWAY)
        else:
            self._send(kept, FRESH[kind], body=body)

    def _refuse(self, code: int) -> None:
        self.send_response(code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, kept: Kept, fresh: str, *, body: bool) -> None:
        headers = {"ETag": kept.tag, "Cache-Control": fresh, "Accept-Ranges": "bytes"}
        if self.headers.get("If-None-Match") == kept.tag:
            self._begin(HTTPStatus.NOT_MODIFIED, headers)
            return
        size = kept.path.stat().st_size
        piece = part(self.headers.get("Range", ""), size)
        start, length = piece or (0, size)
        headers |= {"Content-Type": kept.kind, "Content-Length": str(length)}
        if piece:
            headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{size}"
        self._begin(HTTPStatus.PARTIAL_CONTENT if piece else HTTPStatus.OK, headers)
        if body:
            with kept.path.open("rb") as file:
                self.connection.sendfile(file, start, length)

    def _begin(self, code: int, headers: Mapping[str, str]) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


class _Server(ThreadingHTTPServer):
    def __init__(self, upstream: str, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.index = Index(upstream, folder, f"http://127.0.0.1:{self.server_port}")


@contextmanager
def running(upstream: str, folder: Path) -> Iterator[str]:
    """Proxy *upstream* while the block runs; yield the address for `PIP_INDEX_URL`."""
    folder.mkdir(parents=True, exist_ok=True)
    with _Server(upstream, folder) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"{server.index.url}{PAGES}"
        finally:
            server.shutdown()
            thread.join()
