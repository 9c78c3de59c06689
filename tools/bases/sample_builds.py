"""Builds sample apps on a base, and starts them there."""

import os
import shutil
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools import cache
from tools.package import assemble
from tools.platforms import lifecycle, oci, this_machine
from tools.platforms.build_request import BuildRequest, Platform, Result
from tools.platforms.serving import Start, serving
from tools.processes import fail, run

FIXTURES = assemble.ROOT / "fixtures"
# The log's last lines that an error shows.
SHOWN_LINES = 40
# Long, for busy machines and emulators. If the process ends, the wait ends at once.
START_SECONDS = 300


@dataclass(frozen=True, slots=True)
class App:
    """A sample app, and how to see that it works."""

    name: str
    path: str
    expected: str
    """A part of the response at *path*."""

    @property
    def directory(self) -> Path:
        """Its source."""
        return FIXTURES / self.name


DJANGO = App("pip_django", "/health", "ok")
FASTAPI = App("uv_fastapi", "/?name=Ada", "Hello, Ada!")
POETRY = App("poetry_flask", "/health", "greeter")
FLASK = App("pip_flask", "/health", "ok")
EXTENSIONS = App("pip_c_extension", "/", '"C"')


def buildpack(arch: str, into: Path) -> Path:
    """Assemble the buildpack for *arch*, and copy it to the new directory *into*.

    Another command may assemble it again from changed sources while builds run.
    """
    product = assemble.Product(arch, assemble.declared_api(), offline=())
    with cache.locked("dist"):
        assemble.assemble(product)
        shutil.copytree(product.folder, into, symlinks=True)
    return into


@dataclass(frozen=True, slots=True)
class SampleBuilds:
    """Builds in directories below one, with one buildpack and one platform."""

    directory: Path
    buildpack: Path
    platform: Platform
    settings: Mapping[str, str]
    seconds: float = 900
    """How long a build may take."""

    def build(self, app: App, after: Path | None = None) -> Result:
        """Build *app* from nothing, or over the cache and the image of the work directory *after*.

        Raises `Unavailable` with the end of the log if there is no image.
        """
        work = self.work(app)
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        if after:
            # With owners: the lifecycle changes those of the cache by itself, not of the image.
            run("cp", "-a", "--", after / "cache", after / "layout", work)
        request = BuildRequest(
            app=app.directory,
            buildpacks=(self.buildpack,),
            work=work,
            env=self.settings,
            lifecycle_env=this_machine.proxies(os.environ),
            timeout=self.seconds,
        )
        result = lifecycle.create(self.platform, request)
        if result.code != 0:
            end = "\n  ".join(result.output.splitlines()[-SHOWN_LINES:])
            fail(f"{app.name} was not built (exit code {result.code}):\n  {end}")
        return result

    def work(self, app: App) -> Path:
        """Return the work directory of the build of *app*."""
        return self.directory / app.name

    def check(self, app: App, result: Result) -> None:
        """Start the default process on the run image, and request a page; raise `Unavailable`."""
        start = Start(result.image, free_port(), run_rootfs=self.platform.run_rootfs)
        with serving(start) as served:
            text = served.fetch(app.path, START_SECONDS)
            if app.expected not in text:
                fail(f"{app.name} responds {text!r}, not {app.expected!r}.\n{served.output}")

    def size(self, result: Result) -> int:
        """Return the compressed bytes of an image, with the run image's."""
        return sum(layer.stored for layer in oci.read(result.image).layers)

    def run_image_size(self) -> int:
        """Return the compressed size of the run image, in bytes."""
        return sum(layer.stored for layer in oci.read(self.platform.run_image / "layout").layers)


def free_port() -> int:
    """Return a free port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
