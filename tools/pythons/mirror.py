"""A mirror of Python releases on 127.0.0.1, for machines that cannot reach the release host.

`mirror.py [X.Y.Z ...]` serves until it is stopped and prints the setting that uses it; tests use
`running`.
"""

import platform
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tools import stage0
from tools.processes import Unavailable, say
from tools.pythons import interpreters, runtimes

# The newest releases of the two newest release lines in Go modules.
VERSIONS = ("3.13.13", "3.14.6")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Print nothing: the output is the build's."""


@contextmanager
def running(
    versions: Sequence[str] = VERSIONS, arch: str = "", address: str = "127.0.0.1"
) -> Iterator[str]:
    """Serve *versions* for *arch* (this machine's) at a free port of *address*; yield the URL.

    `<URL>/python.toml` is the table of the releases, with relative addresses.
    """
    arch = arch or stage0.ARCHES[platform.machine()]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        archives = [(version, arch, interpreters.archive(version, arch)) for version in versions]
        for _, _, archive in archives:
            (folder / archive.name).symlink_to(archive)
        (folder / "python.toml").write_text(runtimes.table(archives))
        with serving(folder, address) as url:
            yield url


@contextmanager
def serving(folder: Path, address: str = "127.0.0.1") -> Iterator[str]:
    """Serve *folder* over HTTP at a free port of *address* while the context lasts."""
    handler = partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer((address, 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://{address}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def main(versions: Sequence[str]) -> None:
    """Serve *versions* until interrupted."""
    with running(versions or VERSIONS) as url:
        say(f"BP_PYTHON_MIRROR={url}/python.toml")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            say("Stopped")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Unavailable as error:
        sys.exit(str(error))
