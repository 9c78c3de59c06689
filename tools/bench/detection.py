"""How long bin/detect takes: every app's build on a platform pays for it."""

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
    """Of the processor alone: what the median comes to on a machine that does nothing else."""
    interpreter_median_ms: float
    """A start of the interpreter that does nothing, taken in turn with the detections."""


def measure(buildpack: Path, app: Path, runs: int = RUNS) -> Detect:
    """Detect *app* a number of times with the packaged tree *buildpack*."""
    bare = (f"{buildpack}/python/bin/python3", "-I", "-B", "-S", "-c", "pass")
    with tempfile.TemporaryDirectory(prefix="cnb-python-detect-") as name:
        env = _environ(buildpack, Path(name))
        taken, busy, starts = [], [], []
        for _ in range(runs):
            starts.append(_seconds(bare, env, app))
            before = _processor()
            taken.append(_seconds((f"{buildpack}/bin/detect",), env, app))
            busy.append(_processor() - before)
    shown = (median(taken), min(taken), max(taken), median(busy), median(starts))
    return Detect(runs, *(round(seconds * 1000, 1) for seconds in shown))


def _environ(buildpack: Path, folder: Path) -> dict[str, str]:
    """What the lifecycle hands to a phase, and nothing else."""
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
    """Seconds of the processor that the ended children have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
