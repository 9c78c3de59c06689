"""Builds one app linked and merged, and runs programs in the two images as a container would."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.platforms import lifecycle, oci, rootfs, sandbox, serving
from tools.platforms.lifecycle import BuildRequest, Platform
from tools.platforms.sandbox import Bind, Ended, Sandbox
from tools.processes import fail, run

LAYOUTS = ("linked", "merged")
SETTING = "BP_PYTHON_LAYOUT"
LAUNCHER = "/cnb/lifecycle/launcher"
# Where a program in an image leaves its report.
REPORTS = "/reports"
BUILD_SECONDS = 1800
# Some process, for the build to have a default; the checks name their own.
PROCFILE = "web: python -m http.server $PORT\n"


@dataclass(frozen=True, slots=True)
class Workshop:
    """What all builds share."""

    platform: Platform
    buildpack: Path
    """The packaged tree."""
    settings: Mapping[str, str]
    """What `pack build --env` sets."""
    folder: Path
    """An existing folder for everything temporary."""


@dataclass(frozen=True, slots=True)
class Built:
    """An image whose layers were extracted."""

    image: oci.Image
    root: Path
    """What the build added to the run image."""
    folder: Path

    def run(self, *program: str, timeout: float, env: Mapping[str, str] | None = None) -> Ended:
        """Run *program* with the image's environment: read-only, as a stranger, without network.

        `/tmp` and `/reports` are writable; the latter is the folder `reports`.
        """
        room = Sandbox(
            lower=(self.root, rootfs.rootfs("run")),
            scratch=_fresh(self.folder / "scratch"),
            binds=(Bind(self.reports, REPORTS, writable=True),),
            read_only=True,
            tmpfs=("/tmp",),  # noqa: S108 - inside
            user=serving.STRANGER,
            group=serving.STRANGER,
            network=False,
            env={**self.image.env, "HOME": "/tmp", "HOSTNAME": "cnb-python", **(env or {})},  # noqa: S108 - inside
            directory=self.image.working_directory,
        )
        return sandbox.run(room, LAUNCHER, "--", *program, timeout=timeout)

    def report(self, name: str) -> str:
        """The text of a report that a program left; raises `Unavailable` if it left none."""
        path = self.reports / name
        return path.read_text() if path.is_file() else fail(f"No {name} was left.")

    @property
    def reports(self) -> Path:
        """The folder of reports, which anybody may write to."""
        folder = self.folder / "reports"
        folder.mkdir(exist_ok=True)
        folder.chmod(0o777)
        return folder


@contextmanager
def built(shop: Workshop, app: Path, layout: str) -> Iterator[Built]:
    """Build *app* from nothing in a layout; the image goes when the block ends."""
    with tempfile.TemporaryDirectory(prefix=f"{layout}-", dir=shop.folder) as name:
        folder = Path(name)
        folder.chmod(0o755)
        image = _build(shop, app, layout, folder / "work")
        root = serving.unpack(image, folder / "root")
        # Everything of the build but the image has become useless, and is large.
        shutil.rmtree(folder / "work")
        yield Built(image, root, folder)


def _build(shop: Workshop, app: Path, layout: str, work: Path) -> oci.Image:
    request = BuildRequest(
        app=app,
        buildpacks=(shop.buildpack,),
        work=work,
        env={**shop.settings, SETTING: layout},
        timeout=BUILD_SECONDS,
    )
    made = lifecycle.create(shop.platform, request)
    if made.code != 0:
        fail(f"{app.name} cannot be built {layout} ({made.code}):\n{made.output}")
    return oci.read(made.image)


def write_app(folder: Path, texts: Mapping[str, str], files: Mapping[str, Path]) -> Path:
    """Make an app in the new directory *folder*: files with *texts*, and copies of *files*."""
    folder.mkdir()
    folder.chmod(0o755)
    for name, text in {"Procfile": PROCFILE, **texts}.items():
        (folder / name).write_text(text)
    for name, source in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        run("cp", "-r", "--", source, folder / name)
    return folder


def _fresh(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder
