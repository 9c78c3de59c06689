"""Starts a process of a built image in place: the exported layers under the real launcher.

`tools/serve IMAGE PORT` is the command-line form. The layers are unpacked from the image layout:
it is the *exported* image that runs, not what the build left behind. Its root is read-only and the
user is one that the image does not know, as on strict platforms.
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
from tools.platforms.sandbox import Sandbox, first_process, kill, start, terminate
from tools.processes import Unavailable, fail, need_root, say

# Neither the build's user nor the run image's, and no name for it in /etc/passwd.
STRANGER = 12345
USAGE = "usage: tools/serve IMAGE PORT [PROCESS]   (IMAGE: a folder of build/image/, or its name)"
# As long as `docker stop` gives a process before it kills it.
PATIENCE = 10.0
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Start:
    """How to start a process of an image, as a value."""

    image: Path
    """The OCI image layout; its base layer may be missing, the run root file system is used."""
    port: int
    process: str | None = None
    """A process type; None: the image's default."""
    args: tuple[str, ...] = ()
    """In place of the process's default arguments; for process `launcher`: a command."""
    env: Mapping[str, str] | None = None
    """What `docker run --env` sets."""
    user: int = STRANGER
    group: int = STRANGER
    writable_tmp: bool = True
    """Whether `/tmp` is an empty writable file system (`docker run --tmpfs /tmp`)."""
    layers: Path | None = None
    """Where `unpack` has put the image's layers, to start several processes of one; else None."""


@dataclass(frozen=True, slots=True)
class Served:
    """A started process."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def url(self) -> str:
        """Where it answers, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def output(self) -> str:
        """What it has written so far, stdout and stderr together."""
        return self.log.read_text(errors="replace")

    @property
    def command(self) -> str:
        """The command line of process 1 inside, its words apart by spaces; empty once it ended."""
        first = first_process(self.process)
        return Path(f"/proc/{first}/cmdline").read_text().replace("\0", " ") if first else ""

    def fetch(self, path: str = "/", patience: float = 30.0) -> str:
        """Give the text at *path*, waiting until the process listens.

        Raises `Unavailable` with the process's output when it ended or *patience* (s) is over, and
        `urllib.error.HTTPError` for any status but success.
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
                    fail(f"Nothing answered at {self.url}{path}. Its output:\n{self.output}")
                time.sleep(0.05)

    def wrote(self, text: str, times: int = 1, patience: float = 30.0) -> bool:
        """Whether it writes *text* that often, within *patience* (s).

        A server may answer before it logs that it did, and one worker before the next one starts.
        """
        until = time.monotonic() + patience
        while self.output.count(text) < times and time.monotonic() < until:
            time.sleep(0.05)
        return self.output.count(text) == times

    def stop(self, patience: float = PATIENCE) -> int | None:
        """End it with SIGTERM; the exit code, or None when it had to be killed."""
        return terminate(self.process, patience)


@contextmanager
def serving(wanted: Start) -> Iterator[Served]:
    """Run a process of an image while the block runs; nothing is left afterwards."""
    need_root("Starting an image in place")
    with tempfile.TemporaryDirectory(prefix="cnb-python-serve-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        image = oci.read(wanted.image)
        layers = wanted.layers or unpack(image, folder / "layers")
        room = _room(wanted, image, layers, folder)
        log = folder / "log"
        with log.open("wb") as file:
            process = start(room, *_command(wanted, image), output=file.fileno())
        try:
            yield Served(process, wanted.port, log)
        finally:
            kill(process)
            process.wait()


def unpack(image: oci.Image, layers: Path) -> Path:
    """Extract all layers but the base into the new directory *layers*; return it."""
    layers.mkdir(mode=0o755)
    for layer in image.layers:
        if layer.title != oci.RUN_IMAGE:
            oci.unpack(image, layer, layers)
    return layers


def _room(wanted: Start, image: oci.Image, layers: Path, folder: Path) -> Sandbox:
    scratch = folder / "scratch"
    scratch.mkdir()
    return Sandbox(
        lower=(layers, rootfs.rootfs("run")),
        scratch=scratch,
        read_only=True,
        tmpfs=("/tmp",) if wanted.writable_tmp else (),  # noqa: S108 - inside
        user=wanted.user,
        group=wanted.group,
        env={
            **image.env,
            "HOME": "/",
            "HOSTNAME": "cnb-python",
            **(wanted.env or {}),
            "PORT": str(wanted.port),
        },
        directory=image.working_directory,
    )


def _command(wanted: Start, image: oci.Image) -> tuple[str, ...]:
    if wanted.process is None:
        return (*image.entrypoint, *wanted.args)
    folder = "lifecycle" if wanted.process == "launcher" else "process"
    return (f"/cnb/{folder}/{wanted.process}", *wanted.args)


def _open_directly(url: str) -> http.client.HTTPResponse:
    # A proxy of the environment is for the outside, not for this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    answer: http.client.HTTPResponse = opener.open(url, timeout=10)
    return answer


def _image(name: str) -> Path:
    """The image layout that the first argument means."""
    given = Path(name)
    return given if (given / "index.json").exists() else ROOT / "build/image" / given.name


def _end_politely(*_: object) -> None:
    """Leave by way of the clean-up, which a second signal must not break off."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(128 + signal.SIGTERM)


def main(arguments: list[str]) -> None:
    """Serve an image until it ends or is interrupted, its output on ours."""
    if len(arguments) not in {2, 3} or not arguments[1].isdigit():
        sys.exit(USAGE)
    process = arguments[2] if len(arguments) == 3 else None
    wanted = Start(_image(arguments[0]), int(arguments[1]), process)
    signal.signal(signal.SIGTERM, _end_politely)
    say(f"Unpacking {wanted.image.name}")
    with serving(wanted) as served:
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
