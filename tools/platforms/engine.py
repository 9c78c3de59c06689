"""A Docker engine: the one that answers, or one of our own for as long as it is needed."""

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

# A socket that exists but is not served can take long to refuse.
ANSWER_SECONDS = 10
START_SECONDS = 60
STOP_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Engine:
    """A Docker engine that answers."""

    env: Mapping[str, str]
    """To be added to the environment of `docker` and `pack`, so that they find it."""
    api: str
    """The newest version of the engine's API that it speaks: `1.41`."""

    def docker(self, *arguments: str | Path) -> str:
        """Return what `docker` prints; raises `Unavailable` when it fails."""
        return run(_client(), *arguments, env=self.env)

    def has(self, image: str) -> bool:
        """Tell whether an image of this name is there."""
        return bool(self.docker("image", "ls", "--quiet", image).strip())


def answering() -> Engine | None:
    """The engine that `docker`'s own settings lead to (DOCKER_HOST, contexts), if it answers."""
    return _ask(debian_packages.find("docker"), {})


@contextmanager
def running() -> Iterator[Engine]:
    """Give an engine for the block: one that answers, else our own, stopped afterwards.

    Our own keeps its images (the base images, the builder) in the cache between runs. One process
    at a time may have it.
    """
    engine = answering()
    if engine:
        yield engine
        return
    need_root("Starting a Docker engine")
    client, daemon = _client(), debian_packages.program("dockerd", "docker.io", "iptables")
    # Installing it may have started it, where a service manager runs.
    engine = answering()
    if engine:
        yield engine
        return
    with cache.locked("engine"), _own(daemon) as (process, env):
        yield _wait(process, client, env)


def _client() -> Path:
    return debian_packages.program("docker", "docker.io")


def _ask(client: Path | None, env: Mapping[str, str]) -> Engine | None:
    """Ask an engine who it is; None when it does not answer in time."""
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
def _own(daemon: Path) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, str]]]:
    """Start dockerd with folders, socket and pid file of its own; stop it at the end."""
    home = cache.directory() / "engine"
    home.mkdir(exist_ok=True)
    # A unix socket's path may have 107 bytes only, and a home folder's may be longer.
    state = Path("/run/cnb-python-engine")
    _sweep(state)  # what a killed one left
    state.mkdir()
    socket = f"unix://{state}/docker.sock"
    say("Starting a Docker engine (none answers)")
    driver = _driver(home)
    command = (
        # When this process dies, even by SIGKILL, the engine gets SIGTERM and ends its containers.
        *("setpriv", "--pdeathsig", "TERM", daemon, "--host", socket),
        *("--data-root", home / driver, "--exec-root", state / "exec"),
        *("--pidfile", state / "docker.pid", "--storage-driver", driver),
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
    """Remove the folder of an engine that has ended, and the network namespaces mounted in it."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        target = line.split()[1]
        if target.startswith(f"{state}/"):
            run("umount", "--lazy", target)
    shutil.rmtree(state, ignore_errors=True)


def _driver(home: Path) -> str:
    """`overlay2`, unless the kernel refuses an overlay over the cache's file system."""
    # Tried for real: file systems that lie on an overlay themselves refuse it.
    trial = home / "overlay-trial"
    for name in ("lower", "upper", "work", "merged"):
        (trial / name).mkdir(parents=True, exist_ok=True)
    options = ",".join(
        f"{key}={trial / name}"
        for key, name in (("lowerdir", "lower"), ("upperdir", "upper"), ("workdir", "work"))
    )
    mount = ("mount", "-t", "overlay", "-o", options, "overlay", str(trial / "merged"))
    tried = subprocess.run(
        ("unshare", "--mount", *mount), check=False, capture_output=True, timeout=ANSWER_SECONDS
    )
    if tried.returncode == 0:
        return "overlay2"
    say("  no overlay file system here: the engine copies every layer (vfs), which is slow")
    return "vfs"


def _wait(process: subprocess.Popen[bytes], client: Path, env: dict[str, str]) -> Engine:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        engine = _ask(client, env)
        if engine:
            return engine
        time.sleep(0.2)
    log = (cache.directory() / "engine/log").read_text(errors="replace").splitlines()[-5:]
    raise Unavailable("\n  ".join(["The Docker engine does not start; its last words:", *log]))


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def main() -> None:
    """Say whether an engine answers."""
    engine = answering()
    print(f"An engine with API {engine.api} answers." if engine else "No engine answers.")


if __name__ == "__main__":
    try:
        main()
    except Unavailable as error:
        raise SystemExit(str(error)) from None
