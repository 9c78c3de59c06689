"""How long bin/detect takes. It runs in each build on a platform, of any app."""

import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tools.platforms import oci
from tools.processes import fail

RUNS = 25


@dataclass(frozen=True, slots=True)
class Detect:
    """bin/detect as a process, in milliseconds."""

    runs: int
    median_ms: float
    min_ms: float
    max_ms: float
    cpu_median_ms: float
    """CPU time only, which other programs on the machine do not change."""
    interpreter_median_ms: float
    """The interpreter alone, started in turn with the detections."""


def measure(buildpack: Path, app: Path, runs: int = RUNS) -> Detect:
    """Detect *app* a number of times with the packaged tree *buildpack*."""
    bare = (f"{buildpack}/python/bin/python3", "-I", "-B", "-S", "-c", "pass")
    with tempfile.TemporaryDirectory(prefix="cnb-python-detect-") as name:
        env = _environ(buildpack, Path(name))
        seconds, cpu_seconds, starts = [], [], []
        for _ in range(runs):
            starts.append(_seconds(bare, env, app))
            before = _processor()
            seconds.append(_seconds((f"{buildpack}/bin/detect",), env, app))
            cpu_seconds.append(_processor() - before)
    shown = (median(seconds), min(seconds), max(seconds), median(cpu_seconds), median(starts))
    return Detect(runs, *(round(seconds * 1000, 1) for seconds in shown))


def _environ(buildpack: Path, folder: Path) -> dict[str, str]:
    """Return the variables that the lifecycle gives to a phase."""
    (folder / "platform/env").mkdir(parents=True)
    plan = folder / "plan.toml"
    plan.touch()
    return {
        "PATH": os.defpath,
        "HOME": str(folder),
        "CNB_BUILDPACK_DIR": str(buildpack),
        "CNB_PLATFORM_DIR": str(folder / "platform"),
        "CNB_BUILD_PLAN_PATH": str(plan),
        "CNB_TARGET_OS": "linux",
        "CNB_TARGET_ARCH": oci.arch(),
    }


def _seconds(command: Sequence[str], env: dict[str, str], app: Path) -> float:
    began = time.perf_counter()
    ended = subprocess.run(command, env=env, cwd=app, check=False, capture_output=True, text=True)
    seconds = time.perf_counter() - began
    if ended.returncode:
        fail(f"{command[0]} failed ({ended.returncode}):\n{ended.stdout}{ended.stderr}")
    return seconds


def _processor() -> float:
    """Return the CPU seconds that ended child processes have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
