"""A Docker engine: the one that is running, or one that is started while it is needed."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools import cache
from tools.platforms import debian_packages
from tools.processes import Unavailable, need_root, run, say

# A socket without a server can take long to refuse.
ANSWER_SECONDS = 10
START_SECONDS = 60
STOP_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Engine:
    """A running Docker engine."""

    env: Mapping[str, str]
    """Variables with which `docker` and `pack` use it."""
    api: str
    """The newest version of the API that it supports: `1.41`."""

    def docker(self, *arguments: str | Path) -> str:
        """Run `docker` and return its output; raises `Unavailable` if it fails."""
        return run(_client(), *arguments, env=self.env)

    def has(self, image: str) -> bool:
        """Return whether there is an image with this name."""
        return bool(self.docker("image", "ls", "--quiet", image).strip())


def answering() -> Engine | None:
    """Return the engine of `docker`'s settings (DOCKER_HOST, contexts), if it is running."""
    return _ask(debian_packages.find("docker"), {})


@contextmanager
def running(data: Path | None = None) -> Iterator[Engine]:
    """Yield a running engine, or start one and stop it after the block.

    An engine that is started here keeps its images (the base images, the builder) in the cache
    between runs, or in the directory *data*. With *data*, one is started in any case; its
    containers have the host's network or none. One process at a time may use it.
    """
    engine = None if data else answering()
    if engine:
        yield engine
        return
    need_root("Starting a Docker engine")
    client, daemon = _client(), debian_packages.program("dockerd", "docker.io", "iptables")
    # A service manager may have started it after the installation.
    engine = None if data else answering()
    if engine:
        yield engine
        return
    home = data or cache.directory() / "engine"
    # It would replace the bridge and the rules of an engine that is running.
    network = ("--bridge=none", "--iptables=false", "--ip6tables=false") if data else ()
    with cache.locked("engine"), _own(daemon, home, network) as (process, env):
        yield _wait(process, client, env, home)


def _client() -> Path:
    return debian_packages.program("docker", "docker.io")


def _ask(client: Path | None, env: Mapping[str, str]) -> Engine | None:
    """Return the engine that *client* connects to; None if it does not respond in time."""
    if client is None:
        return None
    question = (client, "version", "--format", "{{.Server.APIVersion}}")
    try:
        ended = subprocess.run(
            question,
            env={**os.environ, **env},
            check=False,
            capture_output=True,
            text=True,
            timeout=ANSWER_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return None
    return Engine(env, ended.stdout.strip()) if ended.returncode == 0 else None


@contextmanager
def _own(
    daemon: Path, home: Path, options: tuple[str, ...]
) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, str]]]:
    """Start dockerd with its own directories, socket and pid file; stop it after the block."""
    home.mkdir(exist_ok=True)
    # Not below the home directory: the path of a Unix socket has at most 107 bytes.
    state = Path("/run/cnb-python-engine")
    _sweep(state)  # left by a killed engine
    state.mkdir()
    socket = f"unix://{state}/docker.sock"
    say("Starting a Docker engine")
    driver = _driver(home)
    command: tuple[str | Path, ...] = (
        # When this process dies, even by SIGKILL, the engine gets SIGTERM and ends its containers.
        *("setpriv", "--pdeathsig", "TERM", daemon, "--host", socket),
        *("--data-root", home / driver, "--exec-root", state / "exec"),
        *("--pidfile", state / "docker.pid", "--storage-driver", driver),
        *options,
    )
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield process, {"DOCKER_HOST": socket}
    finally:
        _stop(process)
        _sweep(state)


def _sweep(state: Path) -> None:
    """Remove the directory of a stopped engine, and the network namespaces mounted in it."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        target = line.split()[1]
        if target.startswith(f"{state}/"):
            run("umount", "--lazy", target)
    shutil.rmtree(state, ignore_errors=True)


def _driver(home: Path) -> str:
    """Return `overlay2`, or `vfs` if the kernel refuses an overlay on the cache's file system."""
    # Found by trial, since an overlay on an overlay is refused, for instance.
    trial = home / "overlay-trial"
    for name in ("lower", "upper", "work", "merged"):
        (trial / name).mkdir(parents=True, exist_ok=True)
    options = ",".join(
        f"{key}={trial / name}"
        for key, name in (("lowerdir", "lower"), ("upperdir", "upper"), ("workdir", "work"))
    )
    mount = ("mount", "-t", "overlay", "-o", options, "overlay", str(trial / "merged"))
    result = subprocess.run(
        ("unshare", "--mount", *mount), check=False, capture_output=True, timeout=ANSWER_SECONDS
    )
    if result.returncode == 0:
        return "overlay2"
    say("  no overlay file system: the engine copies every layer (vfs), which is slow")
    return "vfs"


def _wait(
    process: subprocess.Popen[bytes], client: Path, env: dict[str, str], home: Path
) -> Engine:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        engine = _ask(client, env)
        if engine:
            return engine
        time.sleep(0.2)
    log = (home / "log").read_text(errors="replace").splitlines()[-5:]
    raise Unavailable("\n  ".join(["The Docker engine does not start. The end of its log:", *log]))


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def main() -> None:
    """Print whether an engine is running."""
    engine = answering()
    print(f"An engine with API {engine.api} is running." if engine else "No engine is running.")


if __name__ == "__main__":
    try:
        main()
    except Unavailable as error:
        raise SystemExit(str(error)) from None
