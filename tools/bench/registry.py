"""A real registry on 127.0.0.1, behind a proxy that counts the bytes sent to it.

The registry is Debian's `docker-registry`. The proxy forwards connections inside the kernel:
https://man7.org/linux/man-pages/man2/splice.2.html
"""

import http.client
import itertools
import json
import os
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.platforms import debian_packages
from tools.processes import fail

HERE = "127.0.0.1"
CONFIG = """\
version: 0.1
log:
  level: error
storage:
  filesystem:
    rootdirectory: {folder}
http:
  addr: {address}
"""
MANIFESTS = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
)
START_SECONDS = 20
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Published:
    """Labels and layers of an image in a registry."""

    labels: Mapping[str, str]
    sizes: Mapping[str, int]
    """Compressed bytes of each layer, by the digest of its archive (diff id)."""


class Counter:
    """Forwards connections to *target* and counts what clients send."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._lock = threading.Lock()
        self._sent = 0
        self._listener = socket.create_server((HERE, 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def sent(self) -> int:
        """Bytes that clients have sent so far."""
        with self._lock:
            return self._sent

    def close(self) -> None:
        """Stop accepting connections."""
        # Closing alone would not wake the thread that waits in accept().
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _listen(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection((HERE, self._target))
            except OSError:
                return
            for pair in ((client, server, self._count), (server, client, _ignore)):
                threading.Thread(target=forward, args=pair, daemon=True).start()

    def _count(self, moved: int) -> None:
        with self._lock:
            self._sent += moved


def _ignore(_: int) -> None:
    """Ignore the size of responses."""


def forward(source: socket.socket, target: socket.socket, moved_on: Callable[[int], None]) -> None:
    """Copy *source* to *target* until it ends, and call *moved_on* with the size of each part."""
    read, write = os.pipe()
    try:
        while moved := os.splice(source.fileno(), write, CHUNK):
            moved_on(moved)
            while moved:
                moved -= os.splice(read, target.fileno(), moved)
    except OSError:
        pass  # either side has hung up
    finally:
        os.close(read)
        os.close(write)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)


@dataclass(frozen=True, slots=True)
class Registry:
    """A registry that answers."""

    counter: Counter

    @property
    def address(self) -> str:
        """The registry in names of images: `127.0.0.1:1234`."""
        return f"{HERE}:{self.counter.port}"

    def read(self, image: str) -> Published:
        """Read labels and sizes of *image*, a full name with its tag."""
        return published(image)


def published(image: str) -> Published:
    """Read labels and sizes of *image*, a full name with the address of a registry and a tag."""
    address, _, named = image.partition("/")
    name, _, tag = named.rpartition(":")
    manifest = _json(address, f"{name}/manifests/{tag}")
    config = _json(address, f"{name}/blobs/{manifest['config']['digest']}")
    sizes = (layer["size"] for layer in manifest["layers"])
    layer_sizes = dict(zip(config["rootfs"]["diff_ids"], sizes, strict=True))
    return Published(config["config"].get("Labels") or {}, layer_sizes)


def _json(address: str, path: str) -> Any:  # noqa: ANN401 - JSON
    headers = {"Accept": ", ".join(MANIFESTS)}
    request = urllib.request.Request(f"http://{address}/v2/{path}", headers=headers)
    # Without the proxies of the environment, which cannot reach this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=START_SECONDS) as answer:
        return json.load(answer)


@contextmanager
def running(folder: Path) -> Iterator[Registry]:
    """Serve a registry that keeps its images in *folder* while the block runs."""
    with listening(folder) as port:
        counter = Counter(port)
        try:
            yield Registry(counter)
        finally:
            counter.close()


@contextmanager
def listening(folder: Path) -> Iterator[int]:
    """Serve a registry as `running` does, without counting; yield its port of 127.0.0.1."""
    program = debian_packages.program("docker-registry", "docker-registry")
    folder.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    config, log = folder / "config.yml", folder / "log"
    config.write_text(CONFIG.format(folder=folder / "data", address=f"{HERE}:{port}"))
    with log.open("wb") as file:
        process = subprocess.Popen(
            # Also when this process is killed.
            ("setpriv", "--pdeathsig", "TERM", program, "serve", config),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
    try:
        _wait(process, port, log)
        yield port
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.create_server((HERE, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    for pause in itertools.repeat(0.05):
        connection = http.client.HTTPConnection(HERE, port, timeout=5)
        try:
            connection.request("GET", "/v2/")
            if connection.getresponse().status == 200:
                return
        except OSError, http.client.HTTPException:
            if process.poll() is not None or time.monotonic() > until:
                fail(
                    f"The registry does not start; the end of its log:\n{log.read_text()[-2000:]}"
                )
        finally:
            connection.close()
        time.sleep(pause)
