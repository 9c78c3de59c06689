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
# The directory for reports of programs in an image.
REPORTS = "/reports"
BUILD_SECONDS = 1800
# A default process, which every image needs; the checks run others.
PROCFILE = "web: python -m http.server $PORT\n"


@dataclass(frozen=True, slots=True)
class BuildContext:
    """Everything that the builds share."""

    platform: Platform
    buildpack: Path
    """The packaged tree."""
    settings: Mapping[str, str]
    """The variables of `pack build --env`."""
    folder: Path
    """An existing folder for everything temporary."""


@dataclass(frozen=True, slots=True)
class Built:
    """An image whose layers were extracted."""

    image: oci.Image
    root: Path
    """Directory of the layers, without the run image."""
    folder: Path

    def run(self, *program: str, timeout: float, env: Mapping[str, str] | None = None) -> Ended:
        """Run *program* with the image's environment: read-only, as an unknown user, offline.

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
        """Return the report *name* of a program; raises `Unavailable` if it wrote none."""
        path = self.reports / name
        return path.read_text() if path.is_file() else fail(f"The program wrote no {name}.")

    @property
    def reports(self) -> Path:
        """The folder of reports, writable for all users."""
        folder = self.folder / "reports"
        folder.mkdir(exist_ok=True)
        folder.chmod(0o777)
        return folder


@contextmanager
def built(context: BuildContext, app: Path, layout: str) -> Iterator[Built]:
    """Build *app* from nothing in a layout; remove the image when the block ends."""
    with tempfile.TemporaryDirectory(prefix=f"{layout}-", dir=context.folder) as name:
        folder = Path(name)
        folder.chmod(0o755)
        image = _build(context, app, layout, folder / "work")
        root = serving.unpack(image, folder / "root")
        # Large, and not needed any more.
        shutil.rmtree(folder / "work")
        yield Built(image, root, folder)


def _build(context: BuildContext, app: Path, layout: str, work: Path) -> oci.Image:
    request = BuildRequest(
        app=app,
        buildpacks=(context.buildpack,),
        work=work,
        env={**context.settings, SETTING: layout},
        timeout=BUILD_SECONDS,
    )
    result = lifecycle.create(context.platform, request)
    if result.code != 0:
        fail(f"{app.name} cannot be built {layout} ({result.code}):\n{result.output}")
    return oci.read(result.image)


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
