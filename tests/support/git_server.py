"""A real Git server over HTTP on 127.0.0.1 that requires a login (`git http-backend`)."""

import base64
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.support.index import HOST, Login
from tests.support.trees import Files, write_files

_IDENTITY = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")


class _Handler(BaseHTTPRequestHandler):
    """Runs `git http-backend` for each request, as a web server does (CGI)."""

    root: Path
    authorization: str

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        if self.headers.get("Authorization") != self.authorization:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        content = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        # https://git-scm.com/docs/git-http-backend#_environment
        env = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(content)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
        }
        command = ("git", "http-backend")
        ended = subprocess.run(command, input=content, env=env, check=True, capture_output=True)
        self._answer(ended.stdout)

    def _answer(self, output: bytes) -> None:
        head, _, body = output.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing: the output is the test's."""


@contextmanager
def running(directory: Path, login: Login) -> Iterator[str]:
    """Serve the repositories in *directory* while the block runs; yield its address."""
    pair = f"{login.user}:{login.password}".encode()
    authorization = f"Basic {base64.b64encode(pair).decode()}"
    handler = type("Handler", (_Handler,), {"root": directory, "authorization": authorization})
    with ThreadingHTTPServer((HOST, 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://{HOST}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def repository(directory: Path, files: Files) -> str:
    """Make a repository of *files* in *directory*; return its one commit."""
    write_files(directory, files)
    for command in (("init", "-q"), ("add", "."), (*_IDENTITY, "commit", "-qm", "Begin")):
        subprocess.run(["git", "-C", directory, *command], check=True)
    head = ["git", "-C", str(directory), "rev-parse", "HEAD"]
    return subprocess.run(head, check=True, capture_output=True, text=True).stdout.strip()
