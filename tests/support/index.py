"""A real package index on 127.0.0.1: pypiserver, with or without a login and TLS."""

import hashlib
import json
import re
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pypiserver  # type: ignore[import-untyped]  # it has no types

HOST = "127.0.0.1"
JSON = "application/vnd.pypi.simple.v1+json"


@dataclass(frozen=True, slots=True)
class Login:
    """The user who may use the index."""

    user: str
    password: str


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority that no machine trusts by default."""

    certificate: Path
    """PEM; its certificate, which a client has to trust."""
    server: Path
    """PEM; the certificate of the server 127.0.0.1, and its key."""
    client: Path
    """PEM; the certificate of a build, and its key."""


@dataclass(frozen=True, slots=True)
class Index:
    """A running index."""

    url: str
    """The value for `--index-url`, without a login."""
    packages: Path
    """The directory that it serves; a test may change its files."""
    requests: list[str] = field(default_factory=list)
    """Method, path and status of each request so far: `GET /simple/flask/ 200`."""

    def url_with(self, login: Login) -> str:
        """Return the address with user and password in it."""
        return self.url.replace("://", f"://{login.user}:{login.password}@", 1)


class _Server(ThreadingMixIn, WSGIServer):
    # So that the connection of a killed client does not block the test session.
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    requests: list[str]

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        del size
        self.requests.append(f"{self.command} {self.path} {code}")

    def log_message(self, *_: object) -> None:
        """Print nothing: the output is the test's."""


@contextmanager
def running(
    packages: Path,
    *,
    login: Login | None = None,
    tls: Authority | None = None,
    for_known_clients: bool = False,
    prefix: str = "",
    times: bool = False,
) -> Iterator[Index]:
    """Serve the wheels and sdists in *packages* while the block runs.

    *times*: clients that ask for JSON get it, with the times of the files as upload times.

    *for_known_clients*: only clients with a certificate of the same authority may connect.
    *prefix*: the first segment of each path, such as a token.
    """
    requests: list[str] = []
    handler = type("Handler", (_Handler,), {"requests": requests})
    application = _application(packages, login, prefix)
    application = _with_times(application, packages) if times else application
    with make_server(HOST, 0, application, _Server, handler) as server:
        if tls:
            context = server_context(tls, for_known_clients=for_known_clients)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        scheme = "https" if tls else "http"
        try:
            address = f"{scheme}://{HOST}:{server.server_port}"
            below = f"/{prefix}" if prefix else ""
            yield Index(f"{address}{below}/simple/", packages, requests)
        finally:
            server.shutdown()
            thread.join()


def authority(directory: Path, host: str = "localhost") -> Authority:
    """Make an authority in *directory*, with certificates for 127.0.0.1 or *host*, and a build.

    These cannot sign themselves, since rustls, and so uv, would refuse such a server.
    """
    directory.mkdir(parents=True, exist_ok=True)
    certificate, key = directory / "ca.pem", directory / "ca.key"
    # Python's ssl requires this extension since 3.13.
    signing = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
    _openssl("-x509", "-subj", "/CN=A company", *signing, "-out", certificate, "-keyout", key)
    signed = ("-x509", "-CA", certificate, "-CAkey", key)
    for name, use in (("server", "serverAuth"), ("client", "clientAuth")):
        extensions = (
            *("-addext", "basicConstraints=critical,CA:FALSE"),
            *("-addext", f"subjectAltName=IP:{HOST},DNS:{host}"),
            *("-addext", f"extendedKeyUsage={use}"),
        )
        parts = directory / f"{name}.crt", directory / f"{name}.key"
        _openssl(
            *signed, "-subj", f"/CN={name}", *extensions, "-out", parts[0], "-keyout", parts[1]
        )
        text = "".join(part.read_text() for part in parts)
        (directory / f"{name}.pem").write_text(text)
    return Authority(certificate, directory / "server.pem", directory / "client.pem")


def _openssl(*arguments: str | Path) -> None:
    kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    subprocess.run(["openssl", "req", *kind, *arguments], check=True, capture_output=True)


def _application(packages: Path, login: Login | None, prefix: str) -> Callable[..., Any]:
    served = pypiserver.app(
        roots=[packages],
        disable_fallback=True,
        hash_algo="sha256",
        # Uploads are refused. Without a login, all clients may read.
        authenticate=["list", "download", "update"] if login else ["update"],
        auther=lambda user, password: Login(user, password) == login,
    )

    def whole(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        # The server does not close a file after a range request, which uv sends.
        environ.pop("HTTP_RANGE", None)
        if prefix and environ["PATH_INFO"].startswith(f"/{prefix}/"):
            environ["SCRIPT_NAME"] = f"/{prefix}"
            environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix(f"/{prefix}")
        elif prefix:
            start("404 Not Found", [])
            return []
        answer: Iterable[bytes] = served(environ, start)
        return answer

    return whole


def _with_times(application: Callable[..., Any], packages: Path) -> Callable[..., Any]:
    """Return *application* with the JSON of PEP 691 and PEP 700."""

    def whole(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        page = re.fullmatch(r"/simple/([\w.-]+)/", environ["PATH_INFO"])
        if not page or JSON not in environ.get("HTTP_ACCEPT", ""):
            answer: Iterable[bytes] = application(environ, start)
            return answer
        prefix = f"{page[1].replace('-', '_')}-"
        files = [_file(path) for path in packages.iterdir() if path.name.startswith(prefix)]
        body = json.dumps(
            {"meta": {"api-version": "1.1"}, "name": page[1], "files": files, "versions": []}
        ).encode()
        start("200 OK", [("Content-Type", JSON), ("Content-Length", str(len(body)))])
        return [body]

    return whole


def _file(path: Path) -> dict[str, object]:
    uploaded = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return {
        "filename": path.name,
        "url": f"/packages/{path.name}",
        "hashes": {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()},
        "size": path.stat().st_size,
        "upload-time": f"{uploaded:%Y-%m-%dT%H:%M:%S.%fZ}",
    }


def server_context(tls: Authority, *, for_known_clients: bool = False) -> ssl.SSLContext:
    """Return a context with the server's certificate, which may require one of the client."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.server)
    if for_known_clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(tls.certificate)
    return context
