"""Starts the servers that workers get jobs from: Redis and PostgreSQL, on free ports."""

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.builds import free_port
from tools.platforms import debian_packages

# PostgreSQL refuses to run as root.
_NOBODY = 65534
_SECONDS = 30


@contextmanager
def redis() -> Iterator[str]:
    """Yield the address of a Redis server, which ends with the block."""
    program = debian_packages.program("redis-server", "redis-server")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="cnb-python-redis-") as directory:
        command = (str(program), "--port", str(port), "--bind", "127.0.0.1", "--save", "")
        with _running(command, port, Path(directory)):
            yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def postgresql() -> Iterator[str]:
    """Yield the address of a PostgreSQL server without its database: `postgresql://…/`."""
    programs = _postgresql_programs()
    port = free_port()
    # In memory, and in a directory that another user may enter.
    with tempfile.TemporaryDirectory(prefix="cnb-python-postgresql-", dir="/dev/shm") as name:
        directory, data = Path(name), Path(name) / "data"
        os.chown(directory, _NOBODY, _NOBODY)
        made = (programs / "initdb", "--username=shop", "--auth=trust", "--no-sync", data)
        _as_nobody(made, directory)
        settings = ("listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off")
        options = [f"-c{each}" for each in settings]
        command = (str(programs / "postgres"), f"-D{data}", f"-p{port}", *options)
        with _running(command, port, directory, user=_NOBODY):
            yield f"postgresql://shop@127.0.0.1:{port}/"


def _postgresql_programs() -> Path:
    """Return the directory of Debian's newest `initdb`, which is not in PATH; install it."""
    pattern = "usr/lib/postgresql/*/bin"
    if not list(Path("/").glob(pattern)):
        debian_packages.program("psql", "postgresql")
    return max(Path("/").glob(pattern))


def _as_nobody(command: tuple[str | Path, ...], directory: Path) -> None:
    subprocess.run(
        command,
        user=_NOBODY,
        group=_NOBODY,
        extra_groups=(),
        cwd=directory,
        check=True,
        stdout=subprocess.DEVNULL,
    )


@contextmanager
def _running(
    command: tuple[str, ...], port: int, directory: Path, user: int | None = None
) -> Iterator[None]:
    with (directory / "log").open("wb") as log:
        server = subprocess.Popen(
            command,
            cwd=directory,
            stdout=log,
            stderr=log,
            user=user,
            group=user,
            extra_groups=() if user else None,
        )
    try:
        until = time.monotonic() + _SECONDS
        while not _listens(port):
            late = server.poll() is not None or time.monotonic() > until
            assert not late, (directory / "log").read_text()
            time.sleep(0.05)
        yield
    finally:
        # PostgreSQL would wait for its clients after a SIGTERM.
        server.send_signal(signal.SIGINT)
        server.wait(_SECONDS)


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
