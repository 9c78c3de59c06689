"""Runs `pack build` and times it and its phases."""

import os
import re
import subprocess
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tools.bench.contestants import MARK, Contestant
from tools.package import builder
from tools.platforms import real_tools
from tools.platforms.engine import Engine
from tools.processes import fail

TIMEOUT = 900
PHASE = re.compile(r"===> ([A-Z]+)")
# `times` of a shell: user and system time.
TIMES = re.compile(r"(\d+)m([\d.]+)s (\d+)m([\d.]+)s")
# The lifecycle may colour its headings, even into a pipe.
COLOUR = re.compile(r"\x1b\[[0-9;]*m")

type Line = tuple[float, str]
"""Seconds since the start, and a line of output."""


@dataclass(frozen=True, slots=True)
class Target:
    """The image that a build makes, and the volumes of its caches."""

    image: str
    cache: str
    """Name of the volumes without their suffixes."""
    publish: str = ""
    """The run image's name in the registry; empty: the image goes to the engine."""

    @property
    def volumes(self) -> tuple[str, ...]:
        """The names of the volumes."""
        return (f"{self.cache}.build", f"{self.cache}.launch")


@dataclass(frozen=True, slots=True)
class Packed:
    """The times of a build, in seconds."""

    pack: float
    build: float
    """`bin/build` alone."""
    cpu: float
    """Of `bin/build` and the processes that it waited for."""
    phases: dict[str, float]
    """By the lifecycle's headings, in lower case: `building`, `exporting`, ..."""
    output: str


def pack(
    engine: Engine,
    contestant: Contestant,
    app: Path,
    target: Target,
    env: Iterable[tuple[str, str]],
) -> Packed:
    """Build *app*; raises `Unavailable` with the end of the output if that fails."""
    command = (*_command(engine, contestant, app, target), *_variables(contestant, env))
    began = time.monotonic()
    lines, code = _run_timed(command, {**os.environ, **builder.pack_env(engine)}, began)
    seconds = time.monotonic() - began
    output = "\n".join(text for _, text in lines)
    if code:
        fail(f"{contestant.name} could not build {app.name} ({code}):\n{output[-4000:]}")
    return Packed(seconds, *own_times(lines), phases(lines, seconds), output)


def _command(
    engine: Engine, contestant: Contestant, app: Path, target: Target
) -> tuple[str | Path, ...]:
    kinds = ("build", "launch")
    return (
        *(real_tools.pack(), "build", target.image, "--path", app),
        *builder.pack_flags(engine, contestant.builder),
        *("--network", "host"),
        *(f"--volume={mount}" for mount in contestant.mounts),
        *(
            f"--cache=type={kind};format=volume;name={volume}"
            for kind, volume in zip(kinds, target.volumes, strict=True)
        ),
        *(("--publish", "--run-image", target.publish) if target.publish else ()),
    )


def _variables(contestant: Contestant, env: Iterable[tuple[str, str]]) -> list[str]:
    return [f"--env={name}={value}" for name, value in (*env, *contestant.env)]


def _run_timed(
    command: Sequence[str | Path], env: dict[str, str], began: float
) -> tuple[list[Line], int]:
    lines: list[Line] = []
    with subprocess.Popen(
        command,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None  # noqa: S101 - PIPE was asked for; for mypy
        try:
            lines.extend(
                (time.monotonic() - began, COLOUR.sub("", line).rstrip("\n"))
                for line in process.stdout
            )
        except BaseException:
            # On SIGTERM, pack removes its container and its temporary builder.
            process.terminate()
            raise
    return lines, process.returncode


def own_times(lines: Sequence[Line]) -> tuple[float, float]:
    """Return the seconds that the wrapper of `bin/build` printed: of the clock, of the CPU.

    Raises `Unavailable` if it printed none.
    """
    for number, (_, text) in enumerate(lines):
        _, mark, figures = text.partition(MARK)
        if mark:
            return int(figures.split()[0]) / 1e9, _processor(lines[number + 1 :])
    return fail("The output has no line with the time of bin/build.")


def _processor(lines: Sequence[Line]) -> float:
    """Return the CPU seconds in the second line of `times`, that of the ended processes."""
    pairs = [match.groups() for _, text in lines if (match := TIMES.search(text))]
    if len(pairs) < 2:
        fail("The output has no lines with the CPU time of bin/build.")
    user_minutes, user, system_minutes, system = map(float, pairs[1])
    return 60 * (user_minutes + system_minutes) + user + system


def phases(lines: Iterable[Line], seconds: float) -> dict[str, float]:
    """Return the seconds of each phase, by its heading, of a build that took *seconds*.

    `starting` is the time before the first heading. With a trusted builder, pack runs the
    `creator`, which prints a heading at the start of each phase.
    """
    headings = [(match[1].lower(), at) for at, text in lines if (match := PHASE.match(text))]
    begun = [("starting", 0.0), *headings, ("end", seconds)]
    return {title: end - start for (title, start), (_, end) in pairwise(begun)}
