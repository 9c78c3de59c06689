"""Starts a process of a built image without an engine, with the real launcher.

`tools/serve IMAGE PORT` does that on the command line. The layers come from the image layout, so
it is the exported image that runs. The root file system is read-only, the user is unknown to the
image, and its processes have no capabilities, as on strict platforms.
"""

import http.client
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.platforms import oci, rootfs
from tools.platforms.sandbox import Bind, Sandbox, first_process, kill, start, terminate
from tools.processes import Unavailable, fail, need_root, say

# Neither the build's user nor the run image's, and not in /etc/passwd.
STRANGER = 12345
USAGE = "usage: tools/serve IMAGE PORT [PROCESS]   (IMAGE: a folder of build/image/, or its name)"
# Seconds until a process is killed, as with `docker stop`.
PATIENCE = 10.0
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Start:
    """How to start a process of an image."""

    image: Path
    """The OCI image layout; the layer of the run image may be missing."""
    port: int
    process: str | None = None
    """A process type; None: the image's default."""
    args: tuple[str, ...] = ()
    """Arguments instead of the default ones; for process `launcher`: a command."""
    env: Mapping[str, str] | None = None
    """Variables of `docker run --env`."""
    user: int = STRANGER
    group: int = STRANGER
    writable_tmp: bool = True
    """Whether `/tmp` is an empty writable file system (`docker run --tmpfs /tmp`)."""
    layers: Path | None = None
    """The directory of an earlier `unpack`, to start several processes of one image."""
    run_rootfs: Path | None = None
    """The root file system of the run image; None: that of Debian 12."""
    binds: tuple[Bind, ...] = ()
    """Directories of this machine in the container (`docker run --volume`)."""


@dataclass(frozen=True, slots=True)
class Served:
    """A started process."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    host: str = "127.0.0.1"
    """Where it is fetched from; brackets around an address of IPv6."""

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://{self.host}:{self.port}"

    @property
    def output(self) -> str:
        """Its output so far, stdout and stderr."""
        return self.log.read_text(errors="replace")

    @property
    def command(self) -> str:
        """The command line of process 1 in the sandbox; empty after it has ended."""
        first = first_process(self.process)
        return Path(f"/proc/{first}/cmdline").read_text().replace("\0", " ") if first else ""

    def fetch(self, path: str = "/", patience: float = 30.0) -> str:
        """Return the text at *path*; wait until the process listens.

        Raises `Unavailable` with the process's output if it ends or does not listen within
        *patience* seconds, and `urllib.error.HTTPError` for error statuses.
        """
        until = time.monotonic() + patience
        while True:
            try:
                with _open_directly(self.url + path) as answer:
                    text: bytes = answer.read()
                    return text.decode()
            except urllib.error.HTTPError:
                raise
            except OSError:
                if self.process.poll() is not None or time.monotonic() > until:
                    fail(f"No response from {self.url}{path}. Its output:\n{self.output}")
                time.sleep(0.05)

    def wrote(self, text: str, times: int = 1, patience: float = 30.0) -> bool:
        """Return whether it prints *text* *times* times within *patience* seconds.

        A server may respond before it logs the request, or before all its workers have started.
        """
        until = time.monotonic() + patience
        while self.output.count(text) < times and time.monotonic() < until:
            time.sleep(0.05)
        return self.output.count(text) == times

    def prints(self, text: str, patience: float = 30.0) -> bool:
        """Return whether its output contains *text* within *patience* seconds."""
        deadline = time.monotonic() + patience
        while text not in self.output and time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        return text in self.output

    def stop(self, patience: float = PATIENCE) -> int | None:
        """End it with SIGTERM; return the exit code, or None if it had to be killed."""
        return terminate(self.process, patience)


@contextmanager
def serving(request: Start) -> Iterator[Served]:
    """Run a process of an image while the block runs."""
    need_root("Starting an image in place")
    with tempfile.TemporaryDirectory(prefix="cnb-python-serve-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        image = oci.read(request.image)
        layers = request.layers or unpack(image, folder / "layers")
        room = _room(request, image, layers, folder)
        log = folder / "log"
        with log.open("wb") as file:
            process = start(room, *_command(request, image), output=file.fileno())
        try:
            yield Served(process, request.port, log)
        finally:
            kill(process)
            process.wait()


def unpack(image: oci.Image, layers: Path) -> Path:
    """Extract all layers except the run image into the new directory *layers*; return it."""
    layers.mkdir(mode=0o755)
    for layer in image.layers:
        if layer.title != oci.RUN_IMAGE:
            oci.unpack(image, layer, layers)
    return layers


def _room(request: Start, image: oci.Image, layers: Path, folder: Path) -> Sandbox:
    scratch = folder / "scratch"
    scratch.mkdir()
    run_rootfs = request.run_rootfs or rootfs.rootfs("run")
    return Sandbox(
        lower=(layers, run_rootfs),
        scratch=scratch,
        binds=request.binds,
        read_only=True,
        tmpfs=("/tmp",) if request.writable_tmp else (),  # noqa: S108 - inside
        user=request.user,
        group=request.group,
        confined=True,
        env={
            **image.env,
            "HOME": "/",
            "HOSTNAME": "cnb-python",
            **(request.env or {}),
            "PORT": str(request.port),
        },
        directory=image.working_directory,
        has_programs=(run_rootfs / "usr/bin/env").exists(),
    )


def _command(request: Start, image: oci.Image) -> tuple[str, ...]:
    if request.process is None:
        return (*image.entrypoint, *request.args)
    folder = "lifecycle" if request.process == "launcher" else "process"
    return (f"/cnb/{folder}/{request.process}", *request.args)


def _open_directly(url: str) -> http.client.HTTPResponse:
    # Without the proxies of the environment, which cannot reach this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    answer: http.client.HTTPResponse = opener.open(url, timeout=10)
    return answer


def _image(name: str) -> Path:
    """Return the image layout for the first argument."""
    path = Path(name)
    return path if (path / "index.json").exists() else ROOT / "build/image" / path.name


def _end_politely(*_: object) -> None:
    """Exit with the clean-up, which a second signal must not interrupt."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(128 + signal.SIGTERM)


def main(arguments: list[str]) -> None:
    """Serve an image until it ends or is interrupted, and copy its output."""
    if len(arguments) not in {2, 3} or not arguments[1].isdigit():
        sys.exit(USAGE)
    process = arguments[2] if len(arguments) == 3 else None
    request = Start(_image(arguments[0]), int(arguments[1]), process)
    signal.signal(signal.SIGTERM, _end_politely)
    say(f"Unpacking {request.image.name}")
    with serving(request) as served:
        say(f"Serving on {served.url} (Ctrl-C stops it)")
        try:
            with served.log.open("rb") as log:
                while served.process.poll() is None:
                    shutil.copyfileobj(log, sys.stdout.buffer)
                    sys.stdout.flush()
                    time.sleep(0.1)
                shutil.copyfileobj(log, sys.stdout.buffer)
        except KeyboardInterrupt:
            served.stop()
    sys.exit(served.process.returncode)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Unavailable as error:
        sys.exit(str(error))
