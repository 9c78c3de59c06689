"""Runs the stopwatch of `inside.py` in the build image's file system."""

import json
import os
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from tools import interpreters, oci, sandbox
from tools.bench.inside import Job, Measured
from tools.lifecycle import Platform
from tools.processes import fail, run
from tools.sandbox import Bind, Sandbox

BUILDPACK = "/cnb/buildpacks/cnb-python_python/0"
PLAN = '[[entries]]\nname = "python"\n'
TIMEOUT = 1800


@dataclass(frozen=True, slots=True)
class Course:
    """One app to be measured, and with what."""

    app: Path
    buildpack: Path
    """The packaged tree."""
    python: str
    """The release that both sides use: `3.14.6`."""
    settings: Mapping[str, str]
    """What `pack build --env` sets; the plain installation gets it too."""
    detections: int
    rounds: int


@dataclass(frozen=True, slots=True)
class Finished:
    """What the stopwatch showed, and where the last plain installation lies meanwhile."""

    measured: Measured
    plain: tuple[Path, ...]
    """The app, its plain virtual environment, and the unpacked interpreter."""


@contextmanager
def measured(platform: Platform, course: Course, folder: Path) -> Iterator[Finished]:
    """Measure *course* in the new directory *folder*, which is removed after the block."""
    for name in ("layers", "platform/env", "scratch", "tmp", "job"):
        (folder / name).mkdir(parents=True)
    try:
        for name, value in course.settings.items():
            (folder / "platform/env" / name).write_text(value)
        with tarfile.open(interpreters.archive(course.python, oci.arch())) as archive:
            archive.extractall(folder, filter="tar")
        run("cp", "-a", "--", course.app, folder / "workspace")
        owned = [folder / name for name in ("layers", "workspace", "tmp", "python")]
        run("chown", "-R", f"{platform.user}:{platform.group}", *owned)
        paths = ("workspace", "layers/plain", "python")
        plain = tuple(folder / name for name in paths)
        yield Finished(_run(platform, course, folder), plain)
    finally:
        shutil.rmtree(folder)


def _run(platform: Platform, course: Course, folder: Path) -> Measured:
    job = Job(
        buildpack=BUILDPACK,
        python="/opt/python/bin/python3",
        environ=_environ(course.settings),
        plan=PLAN,
        detections=course.detections,
        rounds=course.rounds,
    )
    (folder / "job/job.json").write_text(json.dumps(asdict(job)))
    shutil.copy(Path(__file__).with_name("inside.py"), folder / "job")
    command = (f"{BUILDPACK}/python/bin/python3", "-I", "-B", "/job/inside.py", "/job/job.json")
    ended = sandbox.run(_room(platform, course, folder), *command, timeout=TIMEOUT)
    if ended.code != 0:
        fail(f"Measuring {course.app.name} failed ({ended.code}):\n{ended.output}")
    return Measured(**json.loads(ended.output.splitlines()[-1]))


def _environ(settings: Mapping[str, str]) -> dict[str, str]:
    """What the lifecycle hands to a phase, and nothing else."""
    return {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/home/cnb",
        "HOSTNAME": "cnb-python",
        "CNB_BUILDPACK_DIR": BUILDPACK,
        "CNB_PLATFORM_DIR": "/platform",
        "CNB_TARGET_OS": "linux",
        "CNB_TARGET_ARCH": oci.arch(),
        "CNB_TARGET_DISTRO_NAME": "debian",
        "CNB_TARGET_DISTRO_VERSION": "12",
        "CNB_EXEC_ENV": "production",
        **settings,
    }


def _room(platform: Platform, course: Course, folder: Path) -> Sandbox:
    return Sandbox(
        lower=(platform.build_rootfs,),
        scratch=folder / "scratch",
        binds=(
            Bind(course.buildpack, BUILDPACK),
            Bind(folder / "job", "/job"),
            Bind(folder / "platform", "/platform"),
            Bind(folder / "python", "/opt/python", writable=True),
            Bind(folder / "layers", "/layers", writable=True),
            Bind(folder / "tmp", "/tmp", writable=True),  # noqa: S108 - a container's own
            Bind(folder / "workspace", "/workspace", writable=True),
        ),
        user=platform.user,
        group=platform.group,
        env={"PATH": os.defpath},
        directory="/workspace",
    )
