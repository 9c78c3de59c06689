"""Starts containers as a strict platform does, and sends them requests."""

import http.client
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from os import environ

from tools.platforms.engine import Engine

# An unknown user and group, no capability, and a read-only root file system. Engines always mount
# writable file systems in memory, such as /dev/shm.
STRICT = (
    "--read-only",
    "--user=12345:12345",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
)
KILLED = 137
# The grace period of `docker stop`, a third of that of Kubernetes.
QUICK = 10.0


@dataclass(frozen=True, slots=True)
class Ended:
    """Exit code and output of a container that has ended."""

    code: int
    output: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """How a container ended after SIGTERM."""

    code: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Container:
    """A started container."""

    engine: Engine
    id: str
    port: int
    """Its address on this machine."""

    @property
    def output(self) -> str:
        """Its output so far, stdout and stderr."""
        return _docker(self.engine, "logs", self.id).output

    def fetch(self, path: str = "/", patience: float = 30.0) -> str:
        """Return the text at *path*; wait until the server listens.

        Raises `urllib.error.HTTPError` for any status but success.
        """
        until = time.monotonic() + patience
        while True:
            try:
                return self.ask(urllib.request.Request(f"http://127.0.0.1:{self.port}{path}"))
            except urllib.error.HTTPError:
                raise
            except OSError, http.client.HTTPException:
                late = time.monotonic() > until or not self._runs()
                assert not late, f"Nothing answers at {path}. Its output:\n{self.output}"
                time.sleep(0.1)

    def ask(self, request: urllib.request.Request) -> str:
        """Return the text of the response to *request*."""
        # Without the proxies of the environment, which cannot reach this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10) as answer:
            text: bytes = answer.read()
            return text.decode()

    def stop(self) -> Stopped:
        """Send SIGTERM and wait until the container ends."""
        began = time.monotonic()
        self.engine.docker("stop", "--time=20", self.id)
        seconds = time.monotonic() - began
        code = self.engine.docker("inspect", "--format={{.State.ExitCode}}", self.id)
        return Stopped(int(code), seconds)

    def run(self, *command: str) -> Ended:
        """Run *command* in the container, as the exec probes of platforms do."""
        return _docker(self.engine, "exec", self.id, *command)

    def becomes(self, health: str, patience: float = 30.0) -> bool:
        """Return whether the engine's own health check has the status *health* in time."""
        until = time.monotonic() + patience
        while time.monotonic() < until:
            shown = self.engine.docker("inspect", "--format={{.State.Health.Status}}", self.id)
            if shown.strip() == health:
                return True
            time.sleep(0.2)
        return False

    def _runs(self) -> bool:
        state = self.engine.docker("inspect", "--format={{.State.Running}}", self.id)
        return state.strip() == "true"


@contextmanager
def started(
    engine: Engine,
    image: str,
    port: int = 8000,
    env: Mapping[str, str] | None = None,
    limits: Sequence[str] = (),
) -> Iterator[Container]:
    """Run *image*'s default process with PORT=*port* while the block runs.

    *limits* are options of `docker run`: `--memory=512m`.
    """
    settings = {"PORT": str(port), **(env or {})}
    options = (*STRICT, *limits, *_settings(settings), f"--publish=127.0.0.1::{port}")
    container_id = engine.docker("create", *options, image).strip()
    try:
        engine.docker("start", container_id)
        address = engine.docker("port", container_id, f"{port}/tcp").splitlines()[0]
        yield Container(engine, container_id, int(address.rpartition(":")[2]))
    finally:
        engine.docker("rm", "--force", "--volumes", container_id)


def ended(
    engine: Engine,
    image: str,
    *arguments: str,
    process: str | None = None,
    env: Mapping[str, str] | None = None,
    limits: Sequence[str] = (),
) -> Ended:
    """Run a process of *image* to its end; process `launcher`: the command *arguments*."""
    entrypoint = [f"--entrypoint={process}"] if process else []
    options = (*STRICT, *limits, *_settings(env or {}), *entrypoint)
    return _docker(engine, "run", "--rm", *options, image, *arguments)


def _settings(env: Mapping[str, str]) -> list[str]:
    return [f"--env={name}={value}" for name, value in env.items()]


def _docker(engine: Engine, *arguments: str) -> Ended:
    done = subprocess.run(
        ("docker", *arguments),
        env={**environ, **engine.env},
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=120,
    )
    return Ended(done.returncode, done.stdout)
