"""The stopwatch: runs inside the build image, by the interpreter that the buildpack carries.

`inside.py JOB`: *JOB* is the JSON file of a `Job`; the `Measured` is JSON on the last line of
stdout. Standard library only. Everything of one job happens in one container and one run.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

OURS = Path("/layers/cnb-python_python")
PLAIN = Path("/layers/plain")
SCRATCH = Path("/tmp/bench")  # noqa: S108 - a container's own
SYSTEM_STORE = "/etc/ssl/certs/ca-certificates.crt"

type Line = tuple[float, str]
"""A line of output, and how many seconds after the start it came."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be measured."""

    buildpack: str
    python: str
    """The interpreter of the plain virtual environment: of the release that the build is given."""
    environ: Mapping[str, str]
    """What a phase finds in its environment."""
    plan: str
    """The buildpack plan, as TOML."""
    detections: int
    rounds: int


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds, in the order in which they were taken."""

    interpreter: Sequence[float]
    """Starts of the carried interpreter that do nothing: what no detection can be faster than."""
    detect: Sequence[float]
    detect_cpu: Sequence[float]
    """Of the processor alone, for the same runs: other programs of the machine count little."""
    ours: Sequence[float]
    """Each bin/build."""
    lines: Sequence[Sequence[Line]]
    """The output of each bin/build."""
    plain: Sequence[float]
    """Each `python -m venv` with its `pip install`."""


def main(path: str) -> None:
    """Do the job in the file *path*."""
    job = Job(**json.loads(Path(path).read_text()))
    SCRATCH.mkdir(exist_ok=True)
    # As the plain side would find an interpreter that has been in use.
    _run(
        [job.python, "-m", "compileall", "-q", str(Path(job.python).parents[1] / "lib")],
        job.environ,
    )
    starts, detections, busy = [], [], []
    for _ in range(job.detections):
        starts.append(_start(job))
        before = _processor()
        detections.append(_detect(job))
        busy.append(_processor() - before)
    ours, lines, plain = [], [], []
    for _ in range(job.rounds):
        seconds, output = _build(job)
        ours.append(seconds)
        lines.append(output)
        plain.append(_install_plainly(job))
    print(json.dumps(asdict(Measured(starts, detections, busy, ours, lines, plain))))


def _start(job: Job) -> float:
    bare = [f"{job.buildpack}/python/bin/python3", "-I", "-B", "-S", "-c", "pass"]
    return _run(bare, job.environ)[0]


def _detect(job: Job) -> float:
    plan = SCRATCH / "build-plan.toml"
    plan.write_text("")
    environ = {**job.environ, "CNB_BUILD_PLAN_PATH": str(plan)}
    return _run([f"{job.buildpack}/bin/detect"], environ)[0]


def _processor() -> float:
    """Seconds of the processor that the ended children have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _build(job: Job) -> tuple[float, list[Line]]:
    """Time one bin/build from nothing."""
    shutil.rmtree(OURS, ignore_errors=True)
    OURS.mkdir()
    plan = SCRATCH / "plan.toml"
    plan.write_text(job.plan)
    places = {"CNB_LAYERS_DIR": str(OURS), "CNB_BP_PLAN_PATH": str(plan)}
    return _run([f"{job.buildpack}/bin/build"], {**_fresh(job), **places})


def _install_plainly(job: Job) -> float:
    """Time `python -m venv` and `pip install -r requirements.txt` from nothing.

    Builds of Python from Go modules have no ensurepip: what it does, installing pip's wheel by the
    pip inside the wheel, is done by hand then.
    """
    shutil.rmtree(PLAIN, ignore_errors=True)
    # Pip by itself knows nothing of a certificate authority that the image was given.
    environ = {"PIP_CERT": SYSTEM_STORE, **_fresh(job)}
    make, install = _plain_commands(job)
    seconds = _run(make, environ)[0]
    if "--without-pip" in make:
        wheel = str(next(Path(job.buildpack, "tools").glob("pip-*.whl")))
        bundled = [*install, "--no-cache-dir", "--no-index", wheel]
        seconds += _run(bundled, environ | {"PYTHONPATH": wheel})[0]
    return seconds + _run([*install, "-r", "requirements.txt"], environ)[0]


def _plain_commands(job: Job) -> tuple[list[str], list[str]]:
    make = [job.python, "-m", "venv", str(PLAIN)]
    if not list(Path(job.python).parents[1].glob("lib/python3.*/ensurepip")):
        make.append("--without-pip")
    return make, [f"{PLAIN}/bin/python", "-m", "pip", "install"]


def _fresh(job: Job) -> dict[str, str]:
    """The environment of a phase with an empty home: no cache of an earlier run counts."""
    home = SCRATCH / "home"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    return {**job.environ, "HOME": str(home)}


def _run(command: Sequence[str], environ: Mapping[str, str]) -> tuple[float, list[Line]]:
    lines: list[Line] = []
    began = time.monotonic()
    with subprocess.Popen(
        command,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None  # noqa: S101 - PIPE was asked for; for mypy
        lines.extend((time.monotonic() - began, line.rstrip("\n")) for line in process.stdout)
    seconds = time.monotonic() - began
    if process.returncode:
        print(*(line for _, line in lines), sep="\n")
        sys.exit(f"{command[0]} failed ({process.returncode})")
    return seconds, lines


if __name__ == "__main__":
    os.umask(0o022)
    main(sys.argv[1])
